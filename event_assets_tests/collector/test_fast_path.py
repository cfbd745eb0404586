"""The fast path is never surer than the decoder, and is sure of what clients usually send."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import assume, example, given
from hypothesis import strategies as st

from event_assets.collector.fast_path import FastPath
from event_assets.contract.decoder import EventDecoder, Limits, Rejection
from event_assets.contract.event import Event
from event_assets.contract.plan import EventPlan, PlanSettings, PlanVersion, TrackingPlan
from event_assets_tests.collector.serving import event
from event_assets_tests.examples import examples, texts

LIMITS = Limits(event_bytes=4_000, depth=4, keys=120, string_bytes=2_000)
PLANS = [
    TrackingPlan(),
    TrackingPlan(
        {
            "search": EventPlan("search", {1: PlanVersion()}),
            "strict": EventPlan("strict", {1: PlanVersion()}, mode="reject", fields=["page.url"]),
        },
        PlanSettings(unknown_events="reject"),
    ),
]
LANES = [(FastPath(plan, LIMITS), EventDecoder(plan, LIMITS)) for plan in PLANS]

SCALARS = st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | texts(max_size=6)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-22T10:00:00Z", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(max_size=4), inner, max_size=3),
    max_leaves=10,
)
NAMES = st.sampled_from(["search", "strict", "other", "", "new\nline", "x" * 129, "null", " NONE", "0"])
FIELDS = st.dictionaries(st.sampled_from([*Event.__struct_fields__, "unknown"]), VALUES | NAMES, max_size=3)


def assert_no_surer(line: bytes) -> None:
    for fast_path, decoder in LANES:
        sure = fast_path.event_of(line)
        if sure is not None:
            decoded = decoder.decode(line, at_edge=True)
            assert not isinstance(decoded, Rejection), decoded
            assert sure.event_id == decoded.event.event_id
            for name in ("anonymous_id", "user_id", "session_id", "page_view_id"):
                assert getattr(sure, name) == getattr(decoded.event, name)
            assert (sure.anonymous_id or sure.user_id) == (decoded.event.anonymous_id or decoded.event.user_id)
            assert sure.consent == decoded.event.consent
            assert (decoded.event.received_at, decoded.event.derived_at, decoded.event.ip) == (None, None, None)


@examples(150)
@given(fields=FIELDS, ascii_only=st.booleans())
@example(fields={"occurred_at": "0001-01-01T00:00:00+14:00"}, ascii_only=True)
@example(fields={"properties": {"a": "x\0y"}}, ascii_only=True)
@example(fields={"properties": [1]}, ascii_only=True)
@example(fields={"properties": {"a": [[[[[1]]]]]}}, ascii_only=True)
@example(fields={"traits": None}, ascii_only=True)
@example(fields={"user_id": "null"}, ascii_only=True)
@example(fields={"anonymous_id": "Guest "}, ascii_only=True)
@example(fields={"properties": {"a": "x" * 2_500}}, ascii_only=True)
@example(fields={"properties": {str(n): 1 for n in range(150)}}, ascii_only=True)
def test_what_the_fast_path_lets_pass_the_decoder_lets_pass_too(fields: dict[str, Any], ascii_only: bool) -> None:
    assert_no_surer(json.dumps({**event(), **fields}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))


@examples(150)
@given(at=st.integers(0, 250), cut=st.integers(0, 3), put=st.binary(max_size=3))
def test_neither_does_a_damaged_event_pass_the_fast_path_and_not_the_decoder(at: int, cut: int, put: bytes) -> None:
    line = json.dumps(event(properties={"q": "ü"}), ensure_ascii=False).encode()
    at = min(at, len(line))
    assert_no_surer(line[:at] + put + line[at + cut :])


@given(batch=st.lists(FIELDS, max_size=4), spaces=st.sampled_from([None, 1]))
@example(batch=[{}, {"event": "strict"}, {"properties": {"a": [[[[[1]]]]]}}, {"user_id": None}], spaces=None)
def test_a_look_at_a_whole_array_sees_what_a_look_at_each_event_sees(
    batch: list[dict[str, Any]], spaces: int | None
) -> None:
    array = json.dumps([{**event(number), **fields} for number, fields in enumerate(batch)], indent=spaces).encode()
    assume(b"NaN" not in array and b"Infinity" not in array)
    lines = list(map(bytes, msgspec.json.decode(array, type=list[msgspec.Raw])))
    for fast_path, _ in LANES:
        assert fast_path.events_of(lines, array) == fast_path.events_of(lines, None)


def test_the_fast_path_is_enough_for_what_clients_usually_send() -> None:
    usual = event(
        page={"url": "https://x.example/ü"}, device={"locale": "de"}, consent={"analytics": True}, traits={"a": 1}
    )
    fast_path = FastPath(PLANS[0], Limits())
    for text in (json.dumps(usual), json.dumps(usual, ensure_ascii=False), json.dumps(usual, indent=1)):
        assert fast_path.event_of(text.encode()) is not None


def test_the_fast_path_leaves_to_the_decoder_what_is_the_collectors_to_set() -> None:
    fast_path = FastPath(PLANS[0], Limits())
    named: list[dict[str, Any]] = [{name: None} for name in ("ip", "received_at", "derived_at", "device")]
    for fields in (*named, {"device": {"user_agent": None}}):
        assert fast_path.event_of(json.dumps(event(**fields)).encode()) is None
