"""What each answer means: final verdicts, try again, send fewer, or hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets_sdk.answers import Answer, meaning_of
from event_assets_sdk.backoff import LONGEST_ASKED, Backoff, retry_after
from event_assets_tests.examples import texts


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def results(*given: tuple[str | None, str]) -> bytes:
    return json.dumps({"results": [{"event_id": name, "status": status} for name, status in given]}).encode()


@pytest.mark.parametrize("status", [200, 207, 400, 503])
def test_each_event_has_its_own_verdict_whatever_the_status(status: int) -> None:
    body = results(("a", "accepted"), (None, "rejected"), ("c", "dropped"))
    meaning = meaning_of(answer(status, body), ["a", "b", "c"])
    assert [verdict.status for verdict in meaning.verdicts.values()] == ["accepted", "rejected", "dropped"]
    assert meaning.verdicts[1].event_id == "b"
    assert meaning.next == "go_on"


def test_what_is_to_be_sent_again_has_no_verdict_yet() -> None:
    meaning = meaning_of(answer(503, results(("a", "accepted"), ("b", "retry")), retry_after="7"), ["a", "b"])
    assert list(meaning.verdicts) == [0]
    assert (meaning.next, meaning.wait) == ("try_again", 7.0)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Log in to the airport's network</html>",
        b"{}",
        b"[]",
        b'{"results": 5}',
        b'{"results": [5, 6]}',
        results(("a", "accepted")),
        results(("a", "accepted"), ("x", "accepted")),
        results(("a", "accepted"), ("b", "stored")),
        b"[" * 100_000,
    ],
)
def test_a_success_without_a_verdict_on_each_event_accepts_nothing(body: bytes) -> None:
    meaning = meaning_of(answer(200, body), ["a", "b"])
    assert (dict(meaning.verdicts), meaning.next) == ({}, "try_again")


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (408, "try_again"), (429, "try_again"), (500, "try_again"), (502, "try_again"), (503, "try_again"),
        (504, "try_again"), (400, "split"), (413, "split"), (401, "hold"), (403, "hold"), (404, "hold"),
        (405, "hold"), (415, "hold"), (301, "hold"), (418, "hold"),
    ],
)  # fmt: skip
def test_of_the_refusals_only_408_and_429_are_repeated(status: int, what: str) -> None:
    assert meaning_of(answer(status), ["a"]).next == what


@given(st.integers(100, 599), st.binary() | st.recursive(st.none() | st.integers() | texts(), st.lists).map(
    lambda value: json.dumps({"results": value}).encode()
))  # fmt: skip
def test_no_answer_is_too_strange(status: int, body: bytes) -> None:
    meaning = meaning_of(answer(status, body), ["a", "b"])
    assert not meaning.verdicts


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 12 "}, 12.0),
        ({"retry-after": "9" * 40}, LONGEST_ASKED),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT", "date": "Wed, 21 Oct 2015 07:28:30 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_waits_have_full_jitter_under_a_ceiling_that_doubles() -> None:
    asked: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        asked.append((low, high))
        return high

    backoff = Backoff(1.0, 10.0, highest)
    assert [backoff.wait() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert {low for low, _ in asked} == {0.0}
    assert backoff.wait(asked=30.0) == 40.0
    backoff.begin_anew()
    assert backoff.wait() == 1.0


@given(st.integers(0, 5000))
def test_no_number_of_failures_is_too_many(failures: int) -> None:
    backoff: Any = Backoff(1.0, 60.0)
    backoff._failures = failures
    assert 0.0 <= backoff.wait() <= 60.0
