"""The fast path and the exact one side by side: the same rows, the same reasons, the same bytes set aside."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.contract import batch_decoder
from event_assets.contract.batch_decoder import Batch, BatchDecoder
from event_assets.contract.decoder import EventDecoder, Limits
from event_assets.contract.event import Event
from event_assets.contract.ndjson import Lines
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import EventPlan, PlanSettings, PlanVersion, TrackingPlan
from event_assets.contract.plan_property import Property
from event_assets.contract.records import pack
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.settings import Settings
from event_assets.transforms.events import record_lines
from event_assets.transforms.events.clean import CleanRules
from event_assets.transforms.events.reading import Decoders, Quarantined, decoders_of, read_blocks
from event_assets_tests.contract.events import FULL, SMALL, encode, json_values, valid_events
from event_assets_tests.examples import examples, texts
from event_assets_tests.factories import NOON
from event_assets_tests.test_bad_input import bad_lines

_SEARCH = Property("string", required=True, max_length=5)
PLANS = {
    "none": TrackingPlan(),
    "shipped": TrackingPlan.load(Settings().plan),
    "strict": TrackingPlan(
        {
            "page_view": EventPlan("page_view", {1: PlanVersion()}, mode="quarantine", fields=["page.url", "traits"]),
            "search": EventPlan("search", {1: PlanVersion({"q": _SEARCH}), 3: PlanVersion()}),
            "Order Completed": EventPlan("Order Completed", {1: PlanVersion()}, fields=["sequence"]),
        },
        PlanSettings(unknown_events="quarantine"),
    ),
}
_FIRST_DAY = dt.date(2020, 1, 1)
RULES = [
    CleanRules(PLANS["none"], _FIRST_DAY, placeholders=("nobody",)),
    CleanRules(PLANS["shipped"], _FIRST_DAY, refusal="drop"),
    CleanRules(PLANS["strict"], _FIRST_DAY, limits=Limits(event_bytes=3_000, depth=3, keys=60, string_bytes=900)),
]


@pytest.fixture(autouse=True, scope="module")
def _few_lines_are_looked_at_together() -> Iterator[None]:
    """So that few lines are enough to be several such parts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_decoder, "_LINES_AT_ONCE", 3)
        yield


class _DoubtsAll(BatchDecoder):
    """Leaves every line to the exact decoder."""

    def decode(self, texts: Sequence[Lines]) -> Batch:
        return super().decode(texts)._replace(doubtful=set(range(sum(map(len, texts)))))


def raw(*records: bytes) -> pa.RecordBatch:
    """Records as they came, one an hour."""
    count = len(records)
    columns = {
        "arrival_date": [NOON.date()] * count,
        "arrival_hour": [NOON.hour] * count,
        "arrived_at": [NOON + dt.timedelta(hours=number) for number in range(count)],
        "stream": ["events"] * count,
        "shard_id": ["shardId-000000000000"] * count,
        "sequence_number": [f"{number:056}" for number in range(count)],
        "partition_key": [""] * count,
        "erased": [None] * count,
        "data": records,
        "events": [0] * count,
    }
    return pa.RecordBatch.from_pydict(columns, RAW_EVENTS.arrow_schema())


def read(records: pa.RecordBatch, rules: CleanRules, decoders: Decoders) -> tuple[list[Any], list[Quarantined]]:
    blocks = list(read_blocks(records, rules, decoders))
    rows = [row for block in blocks for row in block.clean().to_pylist()]
    return rows, sorted((row for block in blocks for row in block.quarantined), key=lambda row: (row.record, row.line))


def both_ways(rules: CleanRules) -> tuple[Decoders, Decoders]:
    placeholders = Placeholders(rules.placeholders)
    exact = EventDecoder(rules.plan, rules.limits, placeholders=placeholders)
    return (
        Decoders(exact, BatchDecoder(rules.plan, rules.limits, placeholders)),
        Decoders(exact, _DoubtsAll(rules.plan, rules.limits, placeholders)),
    )


WAYS = [(rules, *both_ways(rules)) for rules in RULES]


def assert_same_both_ways(*records: bytes) -> None:
    for rules, fast, exact in WAYS:
        assert read(raw(*records), rules, fast) == read(raw(*records), rules, exact)


TIMES = st.sampled_from(
    [
        *("0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00Z", "9999-12-31T23:59:59-12:00", "9998-12-31T00:00:00Z"),
        *("2016-12-31T23:59:60Z", "2019-12-31T23:59:59.999999Z", "2020-01-01T00:00:00Z", "2020-01-01T03:00:00+05:00"),
    ]
) | st.timedeltas(dt.timedelta(days=-2), dt.timedelta(days=2)).map(lambda ahead: (NOON + ahead).isoformat())
WORDS = st.sampled_from(
    ["", "null", " Null ", "nobody", "00", "alias", "search", "strict", "new\nline", "x" * 129, "\0"]
)
CONSENTS = st.fixed_dictionaries({}, optional={"analytics": st.none() | st.booleans(), "other": st.just(1)})
OBJECTS = st.dictionaries(
    st.sampled_from(["q", "previous_id", "é", "a"]) | texts(max_size=3), json_values | WORDS, max_size=3
)
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("occurred_at", "sent_at", "received_at", "derived_at"), TIMES),
    **dict.fromkeys(("properties", "traits", "page", "device"), OBJECTS),
    "consent": CONSENTS,
    "schema_version": st.integers(0, 4) | st.just(1.0),
}
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        name: _BY_NAME.get(name, WORDS) | st.none() | st.just(FULL.get(name, 1)) | json_values
        for name in (*Event.__struct_fields__, "unknown")
    },
)
EVENTS = st.one_of(
    st.builds(lambda of, changes: encode({**of, **changes}), st.sampled_from([SMALL, FULL]), CHANGES),
    valid_events().map(encode),
)
DAMAGED = st.builds(
    lambda line, at, cut, put: line[: at % (len(line) + 1)] + put + line[at % (len(line) + 1) + cut :],
    EVENTS,
    st.integers(0, 2_000),
    st.integers(0, 3),
    st.binary(max_size=3) | st.sampled_from([b"\\u0000", b'"', b"{", b"\xed\xa0\x80", b"\\ud83d"]),
)
TWICE = st.builds(
    lambda line, name, value: b'{"%b":%b,%b' % (name.encode(), value, line[1:]),
    EVENTS,
    st.sampled_from([*Event.__struct_fields__, "unknown"]),
    st.sampled_from(
        [b"5", b"null", b"{}", b'{"url":1}', b'{"url":"x","url":null}', b'{ "width" : 1.5 }', b'"a"', b"[[", b"1"]
    ),
)
"""A name that an event gives again, or in vain: what stands first is seen by readers that take the first."""
PRETTY = EVENTS.map(lambda line: json.dumps(json.loads(line), indent=2).encode())
USUAL = encode({**FULL, "received_at": NOON.isoformat(), "derived_at": NOON.isoformat()})


@examples(60)
@given(
    st.lists(st.lists(EVENTS | DAMAGED | TWICE | st.just(USUAL), min_size=1, max_size=5), max_size=2),
    st.none() | PRETTY,
)
@example([[encode({**SMALL, "properties": {"a": [[[[[1]]]]]}, "anonymous_id": "a" * 128})]], None)
@example([[encode({**SMALL, "traits": {"a": "x" * 1_000}}), encode({**SMALL, "consent": {"analytics": False}})]], None)
@example([[encode({**SMALL, "event": "alias", "properties": {"previous_id": "null"}})]], None)
@example([[encode({**SMALL, "event": "page_view", "page": {"url": ""}, "traits": {}}), USUAL]], None)
@example([[encode({**SMALL, "occurred_at": "0001-01-01T00:00:00+14:00"}), USUAL]], None)
@example([[USUAL], [USUAL.replace(b'"cart"', b'"c", "page_type": 1e3')]], None)
@example([[encode({**SMALL, "page": {"url": "x"}})] * 5, [encode({**SMALL, "page": {"url": "x", "new": 1}})] * 2], None)
@example([[b'{"consent":{"url":1},' + USUAL[1:], USUAL]], None)
@example([[b'{"page":5,' + USUAL[1:], b'{"properties":[],' + USUAL[1:], USUAL]], None)
def test_the_fast_path_and_the_exact_one_end_in_the_same_rows(records: list[list[bytes]], pretty: bytes | None) -> None:
    packed = [record for lines in records for record in pack(lines)]
    assert_same_both_ways(*packed, *([pretty] if pretty else []), b"\x28\xb5\x2f\xfdno")


def test_neither_do_hostile_inputs_end_in_other_rows() -> None:
    lines = [line if isinstance(line, bytes) else encode(line) for line in bad_lines()]
    assert_same_both_ways(*pack([*lines[:200], *lines[-200:]]))  # between them are thousands of two kinds


def test_a_record_of_many_lines_is_read_in_blocks_and_no_line_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_lines, "_BLOCK_LINES", 4)
    records = [*pack([USUAL, b"{", *[USUAL] * 9]), *pack([USUAL] * 3), b"", b"\x1f\x8bno", *pack([b"["])]
    rows, set_aside = read(raw(*records), RULES[0], decoders_of(RULES[0]))
    assert [(int(row["sequence_number"]), row["line"]) for row in rows] == [
        *((0, line) for line in (0, *range(2, 11))),
        *((1, line) for line in range(3)),
    ]
    assert [(row.record, row.line, row.rejection.reason) for row in set_aside] == [
        (0, 1, "malformed_json"),
        (3, 0, "bad_encoding"),
        (4, 0, "not_an_object"),
    ]


def test_what_clients_usually_send_is_never_in_doubt() -> None:
    for plan in (PLANS["none"], PLANS["shipped"]):
        decoder = BatchDecoder(plan, Limits(), Placeholders())
        usual = [USUAL, encode({**SMALL, "page": {"title": "ü"}}), encode({**SMALL, "properties": None})]
        assert decoder.decode([Lines(line, np.array([len(line)])) for line in usual]).doubtful == set()
