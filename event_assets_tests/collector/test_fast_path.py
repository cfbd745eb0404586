"""The fast path is never surer than the decoder, and is sure of what clients usually send.

Both end in the same verdicts and the same events on the stream.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.collector.bodies import array_of
from event_assets.collector.fast_path import Batch, FastPath
from event_assets.collector.keys import TRUSTS, Trust
from event_assets.collector.stamp import Stamp
from event_assets.collector.translation import set_aside
from event_assets.collector.validator import Validator
from event_assets.contract.consent import is_refused
from event_assets.contract.decoder import EventDecoder, Limits, Rejection
from event_assets.contract.event import Event
from event_assets.contract.plan import EventPlan, PlanSettings, PlanVersion, TrackingPlan
from event_assets_tests.collector.serving import event
from event_assets_tests.contract.events import encode
from event_assets_tests.examples import examples, texts
from event_assets_tests.test_bad_input import bad_lines

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
        batch = fast_path.of_lines([line])
        if not batch.doubtful:
            (sure,) = batch.events
            decoded = decoder.decode(line, at_edge=True)
            assert not isinstance(decoded, Rejection), decoded
            assert sure.event_id == decoded.event.event_id
            for name in ("anonymous_id", "user_id", "session_id", "page_view_id"):
                assert getattr(sure, name) == getattr(decoded.event, name)
            assert not is_refused(decoded.event)
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
@given(
    at=st.integers(0, 250), cut=st.integers(0, 3), put=st.binary(max_size=3) | st.sampled_from([b"\n", b"\t", b"\r"])
)
@example(at=179, cut=0, put=b"\n")
def test_neither_does_a_damaged_event_pass_the_fast_path_and_not_the_decoder(at: int, cut: int, put: bytes) -> None:
    line = json.dumps(event(properties={"q": "ü"}), ensure_ascii=False).encode()
    at = min(at, len(line))
    assert_no_surer(line[:at] + put + line[at + cut :])


# Arrays --------------------------------------------------------------------------------------------------------------

BETWEEN = ['},{"event_id":', '"},{"event_id":"', '}, {"event_id":', '}\n{"event_id":', "[{", "}]", ",", "\\", '"', "ü"]
INSIDE = st.lists(st.sampled_from(BETWEEN), max_size=3).map("".join) | st.just([{"event_id": 1}, {"event_id": 2}])
ELEMENTS = st.builds(
    lambda number, inside, fields, first, spaced: json.dumps(
        {**(event(number) if first else dict(reversed(event(number).items()))), "properties": {"q": inside}, **fields},
        separators=None if spaced else (",", ":"),
        ensure_ascii=first,
    ).encode("utf-8", "surrogatepass"),
    st.integers(0, 9),
    INSIDE,
    st.just({}) | FIELDS,
    st.booleans(),
    st.booleans(),
)
COMMAS = st.sampled_from([b",", b",", b", ", b" , ", b",\n", b"", b" ", b",,", b"\t,"])


@st.composite
def arrays(draw: st.DrawFn) -> bytes:
    """Something like an array of events, often with a fault that may look like the place between two."""
    elements, comma = draw(st.lists(ELEMENTS, min_size=1, max_size=4)), draw(COMMAS)
    text = b"[" + draw(st.sampled_from([b"", b"", b" "])) + comma.join(elements) + b"]"
    at, put = draw(st.integers(0, 2_000)) % len(text), draw(st.just(b"") | st.sampled_from(BETWEEN).map(str.encode))
    return text[:at] + put + text[at:]


def seen_alike(array: bytes) -> list[Batch]:
    """What a look at the whole array sees, if anything: what a look at each of its elements sees."""
    one_line, batches = array_of(array), []
    for fast_path, _ in LANES:
        batch = None if one_line is None else fast_path.of_array(one_line, 10)
        if batch is not None:
            lines = list(map(bytes, msgspec.json.decode(array, type=list[msgspec.Raw])))
            each = fast_path.of_lines(lines)
            assert list(map(batch.text, range(len(batch)))) == lines
            assert batch.doubtful == each.doubtful
            assert batch.events == each.events
            batches.append(batch)
    return batches


@examples(200)
@given(arrays())
@example(b'[{"event_id":"a","event":"e","anonymous_id":"a","platform":"web"} {"event_id":"b","event":"e"}]')
@example(b'[{"event_id":"a","event":"e","anonymous_id":"a","platform":"web"},{"event_id":"b}\n{"}]')
def test_a_look_at_a_whole_array_sees_what_a_look_at_each_event_sees(array: bytes) -> None:
    seen_alike(array)


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_a_whole_array_is_looked_at_as_clients_write_it(separators: tuple[str, str]) -> None:
    usual = [event(n, properties={"q": "}, {", "items": [{"a": 1}]}, user_id="ü") for n in range(4)]
    for events in (usual, usual[:1]):
        (batch, *_) = seen_alike(json.dumps(events, separators=separators).encode())
        assert (len(batch), batch.doubtful) == (len(events), frozenset())


def test_an_array_of_more_events_than_allowed_is_not_looked_at() -> None:
    array = json.dumps([event(number) for number in range(11)]).encode()
    assert LANES[0][0].of_array(array, 11) is not None
    assert LANES[0][0].of_array(array, 10) is None


# Verdicts ------------------------------------------------------------------------------------------------------------

NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
BELIEVED: list[tuple[Trust, ...]] = [TRUSTS, (), ("ip",), ("user_agent",), ("time",)]
STAMPS = [Stamp(NOW, "203.0.113.77", agent, some, str) for agent in (None, "Agent/1") for some in BELIEVED]
VALIDATORS = [Validator(PLANS[0], LIMITS, "drop"), Validator(PLANS[1], LIMITS, "strip")]


def said(validator: Validator, batch: Batch, stamp: Stamp, protocol: bool) -> Any:
    """The answer, and by key what would be written, in its order."""
    aside = partial(set_aside, "p") if protocol else None
    verdicts, lines, keys = validator.validate(batch, stamp, aside)
    written: dict[str, list[Any]] = defaultdict(list)
    texts = lines.text(lines.pieces).split(b"\n") if lines.keys else []
    for key, line in zip(lines.keys, texts, strict=True):
        written[key].append(_read(line))
    assert sum(key is not None for key in keys) == sum(map(len, written.values()))
    counted = verdicts.counts()
    answer = json.loads(verdicts.answer())
    assert all(counted[name] == answer[name] for name in ("accepted", "rejected", "dropped", "retry"))
    return answer, dict(written)


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def assert_same_verdicts(lines: Sequence[bytes]) -> None:
    for validator in VALIDATORS:
        each = validator.fast_path.of_lines(lines)
        whole = validator.fast_path.of_array(b"[" + b",".join(lines) + b"]", 100)
        for batch, stamp in [(batch, stamp) for batch in (each, whole) if batch is not None for stamp in STAMPS]:
            exact = replace(batch, doubtful=frozenset(range(len(batch))))
            for protocol in (True, False):
                assert said(validator, batch, stamp, protocol) == said(validator, exact, stamp, protocol)


@examples(60)
@given(st.lists(ELEMENTS, min_size=1, max_size=6), st.booleans())
def test_the_fast_path_and_the_exact_one_end_in_the_same_verdicts_and_events(lines: list[bytes], refuses: bool) -> None:
    refused = encode(event(consent={"analytics": False}, properties={"q": 1}))
    assert_same_verdicts([*lines, refused] if refuses else lines)


def test_neither_do_hostile_inputs_get_other_verdicts() -> None:
    lines = [line if isinstance(line, bytes) else encode(line) for line in bad_lines()]
    lines = [*lines[:200], *lines[-200:]]  # between them are thousands of two kinds
    for first in range(0, len(lines), 50):
        assert_same_verdicts(lines[first : first + 50])


def test_the_neighbours_of_a_bad_event_go_on() -> None:
    lines = [encode(event(0)), b"[1]", encode(event(1, platform="fridge")), encode(event(2)), b'{"event_id":"x', b""]
    answer, written = said(VALIDATORS[0], VALIDATORS[0].fast_path.of_lines(lines), STAMPS[0], False)
    assert [result["status"] for result in answer["results"]] == [
        *("accepted", "rejected", "rejected", "accepted", "rejected", "rejected")
    ]
    assert [line["event_id"] for lines in written.values() for line in lines] == ["e-0", "e-2"]


# What is usual -------------------------------------------------------------------------------------------------------


def test_the_fast_path_is_enough_for_what_clients_usually_send() -> None:
    usual = event(
        page={"url": "https://x.example/ü"}, device={"locale": "de"}, consent={"analytics": True}, traits={"a": 1}
    )
    fast_path = FastPath(PLANS[0], Limits())
    for text in (json.dumps(usual), json.dumps(usual, ensure_ascii=False), json.dumps(usual, indent=1)):
        assert fast_path.of_lines([text.encode()]).doubtful == frozenset()


def test_the_fast_path_leaves_to_the_decoder_what_is_the_collectors_to_set() -> None:
    fast_path = FastPath(PLANS[0], Limits())
    named: list[dict[str, Any]] = [{name: None} for name in ("ip", "received_at", "derived_at", "device")]
    for fields in (*named, {"device": {"user_agent": None}}):
        assert fast_path.of_lines([json.dumps(event(**fields)).encode()]).doubtful == {0}
