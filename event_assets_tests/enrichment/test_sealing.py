"""Events with pseudonyms in them before they are cleaned end in the rows of the events that they were made of."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.keys import TRUSTS
from event_assets.collector.stamp import Stamp
from event_assets.collector.translation import set_aside
from event_assets.collector.validator import Validator
from event_assets.contract.decoder import Limits, Rejection
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import EventPlan, PlanVersion, TrackingPlan
from event_assets.contract.plan_property import Property
from event_assets.contract.records import pack
from event_assets.contract.refused import rejection_of
from event_assets.enrichment.pseudonyms import Pseudonyms
from event_assets.enrichment.sealing import Sealing
from event_assets.transforms.events import clean as cleaning
from event_assets.transforms.events.clean import CleanRules
from event_assets_tests.contract.events import FULL, SMALL, encode
from event_assets_tests.examples import examples, texts
from event_assets_tests.factories import NOON
from event_assets_tests.transforms.events.test_reading import DAMAGED, EVENTS, PLANS, TWICE, raw

FIELDS = (
    *("user_id", "page_title", "screen_name", "device_model", "device_id", "device_advertising_id"),
    *("properties.q", "properties.a", "properties.deep.mail", "traits.plan", "traits.é"),
    *("extra.unknown", "extra.page.a", "extra.device.q", "extra.context.network"),
)
ONE, BOTH = Pseudonyms(FIELDS, (b"one",)), Pseudonyms(FIELDS, (b"one", b"two"))
WORDS = ("nobody",)
MARK = "Mk7q"
PLAN = TrackingPlan(
    {
        mode: EventPlan(
            mode,
            {
                1: PlanVersion(
                    {
                        "q": Property("integer", minimum=3),
                        "a": Property("string", required=True, max_length=4),
                        "b": Property("string"),
                    }
                )
            },
            mode=mode,
        )
        for mode in ("warn", "quarantine")
    }
)
PLANNED = st.builds(
    lambda of, event, properties: encode({**of, "event": event, "properties": properties}),
    st.sampled_from([SMALL, FULL]),
    st.sampled_from(["warn", "quarantine"]),
    st.dictionaries(
        st.sampled_from(["q", "a", "b", "previous_id"]),
        st.none() | st.integers(0, 5) | st.sampled_from(["", "abc", "abcdef", "nobody"]) | st.just([1]) | st.just({}),
    ),
)


def written(lines: Sequence[bytes], plan: TrackingPlan, sealed_by: Pseudonyms | None, aside: Any = None) -> list[bytes]:
    """What the ingest API writes of events, in their order."""
    none = Placeholders(WORDS)
    validator = Validator(plan, Limits(), "strip", none, Sealing(sealed_by, none) if sealed_by else None)
    stamp = Stamp(NOON, "203.0.113.7", "agent", TRUSTS, lambda ip: ip)
    found = validator.validate(validator.fast_path.of_lines(lines), stamp, aside, "one key")
    return found.lines.text(found.lines.pieces).split(b"\n")


def cleaned(lines: Sequence[bytes], plan: TrackingPlan, pseudonyms: Pseudonyms) -> list[list[dict[str, Any]]]:
    """The clean and the quarantined rows."""
    rules = CleanRules(plan, dt.date(2020, 1, 1), pseudonyms=pseudonyms, placeholders=WORDS)
    records = raw(*pack(lines))
    made = (cleaning._clean_batches(rules, records), cleaning._quarantined_batches(rules, records))
    return [sorted((row for batch in each for row in batch.to_pylist()), key=_place) for each in made]


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return row["sequence_number"], row["line"]


@examples(40)
@given(
    st.lists(EVENTS | TWICE | PLANNED | DAMAGED, min_size=1, max_size=6),
    st.sampled_from(["none", "strict", "planned"]),
    st.sampled_from([ONE, BOTH]),
)
@example([encode({**FULL, "event": "warn", "properties": {"q": 1, "a": "abcdef"}})], "planned", ONE)
@example(
    [encode({**FULL, "event": "quarantine", "properties": {"q": "x", "a": None}, "unknown": {"b": 1}})], "planned", ONE
)
@example([encode({**FULL, "event": "warn", "properties": {"b": 5, "a": "abcde"}})], "planned", ONE)
@example(
    [encode({**SMALL, "event": "alias", "properties": {"previous_id": "nobody"}, "user_id": " NOBODY"})], "none", ONE
)
@example([encode({**FULL, "event": "consent_changed", "consent": {"analytics": False}})], "none", ONE)
@example([encode({**FULL, "properties": {"q": "a\0b", "a": {"\0": [1, "\0"]}}})], "none", BOTH)
@example(
    [encode({**FULL, "page": {"title": "T", "a": 1, "b": 2}, "context": {"network": {"x": 1}, "y": 2}})], "none", ONE
)
def test_rows_are_the_same_whether_pseudonyms_are_made_before_or_when_events_are_cleaned(
    lines: list[bytes], plan_name: str, sealed_by: Pseudonyms
) -> None:
    plan = {**PLANS, "planned": PLAN}[plan_name]
    plain, sealed = written(lines, plan, None), written(lines, plan, sealed_by)
    assert len(plain) == len(sealed)
    (as_plain, aside_plain), (as_sealed, aside_sealed) = (cleaned(each, plan, BOTH) for each in (plain, sealed))
    assert as_sealed == as_plain
    why = ("reason", "detail", "event_id", "event", "line")
    assert [[row[name] for name in why] for row in aside_sealed] == [[row[name] for name in why] for row in aside_plain]


@examples(30)
@given(st.lists(EVENTS | TWICE | DAMAGED, min_size=1, max_size=6))
def test_what_is_no_event_is_set_aside_for_the_reason_that_it_was_refused_for(lines: list[bytes]) -> None:
    validator = Validator(PLANS["strict"], Limits(), "strip", Placeholders(WORDS))
    stamp = Stamp(NOON, "", None, TRUSTS, lambda ip: ip)
    verdicts = validator.validate(validator.fast_path.of_lines(lines), stamp).verdicts
    sealed = written(lines, PLANS["strict"], ONE, partial(set_aside, "segment"))
    assert len(sealed) == len(lines)
    kept = [line for line in sealed if rejection_of(line) is not None]
    said = [verdict.reason for verdict, line in zip(verdicts, sealed, strict=True) if rejection_of(line) is not None]
    assert [verdict.status for verdict, line in zip(verdicts, sealed, strict=True) if line in kept] == [
        "rejected"
    ] * len(kept)
    _, aside = cleaned(kept, PLANS["strict"], BOTH)
    assert [row["reason"] for row in aside] == said


def broken() -> Iterator[bytes]:
    """Texts that are no events, with a mark in what is to be replaced."""
    named = {
        "properties": {"q": f"{MARK}1", "a": [f"{MARK}2", {"x": MARK}], "deep": {"mail": f"{MARK}3"}},
        "traits": {"plan": f"{MARK}4"},
        "page": {"title": f"{MARK}5", "a": f"{MARK}6"},
        "user_id": f"{MARK}7",
        "anonymous_id": f"{MARK}8",
        "unknown": {"who": f"{MARK}9"},
    }
    yield encode({**SMALL, **named, "platform": "toaster"})
    yield encode({**SMALL, **named, "event_id": 7})
    yield encode({**SMALL, **named, "user_id": {"id": MARK}})
    yield encode({**SMALL, **named, "properties": f"mail={MARK}", "page": [MARK], "traits": [[f"{MARK}@x"]]})
    yield encode({**SMALL, **named, "occurred_at": "yesterday"}).replace(b'"user_id"', b'"user\\u005fid"')
    yield encode({**SMALL, **named})[:-5]
    yield encode({**SMALL, **named, "properties": {"q": MARK * 20_000}})
    yield f'"{MARK}"'.encode()
    yield f"{MARK}\xff,;".encode("latin-1")
    yield encode([{"user_id": MARK}])


@pytest.mark.parametrize("text", list(broken()))
def test_no_text_that_is_no_event_keeps_what_is_to_be_replaced(text: bytes) -> None:
    for lines in (written([text], PLANS["none"], ONE, partial(set_aside, "segment")), [text]):
        assert lines
        _, (row,) = cleaned(lines, PLANS["none"], ONE)
        assert MARK.encode() not in row["data"] and row["data"]
        assert lines == [text] or MARK.encode() not in lines[0]


def test_whose_a_text_is_that_nobody_can_read_is_kept_so_that_they_can_be_erased() -> None:
    text = b'{"event":"cut","user_id":"jane","anonymous_id":"j\\u0061ne","properties":{"q":"' + MARK.encode()
    kept = json.loads(Sealing(ONE).set_aside(Rejection("malformed_json", "it ends"), text, "segment"))
    assert kept["refused"] == {"reason": "malformed_json", "detail": "it ends"} and kept["protocol"] == "segment"
    assert ONE.of(kept["user_id"]) == ONE.of(kept["anonymous_id"]) == ONE.of("jane")
    assert kept["unreadable"]["bytes"] == len(text) and len(kept["unreadable"]["fingerprint"]) == 32


@given(texts(), texts(), st.lists(st.binary(min_size=1), min_size=1, max_size=4), st.data())
def test_a_sealed_pseudonym_says_under_later_keys_what_the_value_would(
    value: str, other: str, keys: list[bytes], data: st.DataObject
) -> None:
    then = data.draw(st.integers(1, len(keys)))
    before, now = Pseudonyms(("user_id",), (*keys[:then],)), Pseudonyms(("user_id",), (*keys,))
    sealed = before.sealed(value)
    assert now.of(sealed) == now.of(value) and now.ever(sealed) == now.ever(value)[1:]
    assert now.sealed(sealed) == now.sealed(value) and sealed in now.ever_sealed(value)
    assert before.sealed(sealed) == sealed and len(sealed) == 74
    assert value == other or before.sealed(other) != sealed


@given(texts(), st.integers(0, 73), st.characters(min_codepoint=33, max_codepoint=126))
def test_nobody_without_the_key_makes_a_sealed_pseudonym(value: str, place: int, letter: str) -> None:
    sealed = ONE.sealed(value)
    forged = sealed[:place] + letter + sealed[place + 1 :]
    assert ONE.is_sealed(sealed) and (ONE.is_sealed(forged) == (forged == sealed))
    assert not Pseudonyms(("user_id",), (b"another",)).is_sealed(sealed)
    assert len(ONE.of(forged)) == 64 and (forged == sealed or ONE.of(forged) != ONE.of(value))
