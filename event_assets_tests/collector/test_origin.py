"""Who came through the network in front of the ingest API on Lambda, and who they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from event_assets.collector.origin import REFRESH_SECONDS, Origin
from event_assets.settings import SettingsError
from event_assets_tests.collector.test_aws_lambda import REQUEST

NETWORK = "130.176.1.1"


def called(forwarded: str | None, *, said: str | None = "secret", source: str = NETWORK) -> dict[str, Any]:
    """A request as API Gateway hands it over."""
    headers = {name: value for name, value in REQUEST["headers"].items() if name != "x-forwarded-for"}
    for name, value in (("x-forwarded-for", forwarded), ("x-origin-verify", said)):
        if value is not None:
            headers[name] = value
    context = REQUEST["requestContext"]
    return {
        **REQUEST,
        "headers": headers,
        "requestContext": {**context, "http": {**context["http"], "sourceIp": source}},
    }


@pytest.mark.parametrize(
    ("forwarded", "sender"),
    [
        (f"203.0.113.77, {NETWORK}", "203.0.113.77"),
        (f"1.1.1.1, 203.0.113.77, {NETWORK}", "203.0.113.77"),
        (f"2001:db8:85a3::7348,{NETWORK}", "2001:db8:85a3::7348"),
        ("203.0.113.77", "203.0.113.77"),
        (NETWORK, NETWORK),
        (" , ", NETWORK),
        (None, NETWORK),
    ],
)
def test_the_sender_is_whom_the_network_saw_whatever_the_sender_says(forwarded: str | None, sender: str) -> None:
    admitted = Origin(lambda: ["secret"]).admitted(called(forwarded))
    assert admitted is not None
    assert admitted["requestContext"]["http"]["sourceIp"] == sender
    assert "x-origin-verify" not in admitted["headers"]
    assert admitted["rawPath"] == REQUEST["rawPath"]


@pytest.mark.parametrize("said", [None, "", "secre", "secret ", "sécret", "\ud800"])
def test_who_does_not_say_the_secret_is_not_admitted(said: str | None) -> None:
    assert Origin(lambda: ["secret"]).admitted(called(f"203.0.113.77, {NETWORK}", said=said)) is None


def test_a_secret_that_is_new_is_asked_for_and_no_more_often_than_every_half_minute() -> None:
    held, now, asked = ["old"], [100.0], 0

    def read() -> list[str]:
        nonlocal asked
        asked += 1
        return list(held)

    def says(secret: str) -> bool:
        return origin.admitted(called(None, said=secret)) is not None

    origin = Origin(read, lambda: now[0])
    held[:] = ["old", "new"]
    assert says("old") and not says("new") and asked == 1
    now[0] += REFRESH_SECONDS
    assert says("new") and says("old") and asked == 2
    assert not says("") and not says("wrong") and asked == 2
    held[:] = ["new"]
    now[0] += REFRESH_SECONDS
    assert not says("wrong") and not says("old") and says("new") and asked == 3


def test_who_says_another_secret_while_it_cannot_be_asked_for_is_told_to_come_again() -> None:
    now = [0.0]
    answers: Iterator[list[str]] = iter([["old"]])

    def read() -> list[str]:
        for answer in answers:
            return answer
        raise SettingsError("out of reach")

    origin = Origin(read, lambda: now[0])
    now[0] += REFRESH_SECONDS
    assert origin.admitted(called(None, said="old")) is not None
    with pytest.raises(SettingsError):
        origin.admitted(called(None, said="new"))


def test_the_request_itself_stays_as_it_came() -> None:
    asked = called(f"203.0.113.77, {NETWORK}")
    Origin(lambda: ["secret"]).admitted(asked)
    assert asked == called(f"203.0.113.77, {NETWORK}")
