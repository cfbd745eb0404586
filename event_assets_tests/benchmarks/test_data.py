from __future__ import annotations

import io
import itertools
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import zstandard

from benchmarks.data import event_blocks, write_events
from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.plan import TrackingPlan
from event_assets.settings import Settings

LINES = 20_000


@pytest.fixture(scope="module")
def text() -> bytes:
    return b"".join(event_blocks(LINES, seed=3))


@pytest.fixture(scope="module")
def events(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_same_seed_gives_the_same_bytes(text: bytes) -> None:
    assert b"".join(event_blocks(LINES, seed=3)) == text
    assert b"".join(event_blocks(LINES, seed=4)) != text


def test_every_event_keeps_the_contract_and_the_plan(text: bytes) -> None:
    decoder = EventDecoder(TrackingPlan.load(Settings().plan))
    decoded = [decoder.decode(line) for line in text.splitlines()]
    assert [each for each in decoded if not isinstance(each, Decoded) or each.violations or each.extra] == []


def test_two_percent_are_copies_that_arrive_later_and_say_the_same(events: list[dict[str, Any]]) -> None:
    copies = defaultdict(list)
    for event in events:
        copies[event["event_id"]].append(event)
    assert len(copies) == LINES * 98 // 100
    for first, second in (pair for pair in copies.values() if len(pair) == 2):
        assert first["received_at"] <= second["received_at"]
        same = {name for name in first if first[name] == second[name]}
        assert set(first) - same <= {"sent_at", "received_at"}


def test_events_come_in_the_order_of_arrival_and_after_they_happened(events: list[dict[str, Any]]) -> None:
    assert all(one["received_at"] <= two["received_at"] for one, two in itertools.pairwise(events))
    assert all(event["occurred_at"] <= event["sent_at"] <= event["received_at"] for event in events)


def test_events_are_about_600_bytes_and_make_sessions_of_views_and_pings(
    text: bytes, events: list[dict[str, Any]]
) -> None:
    assert 550 < len(text) / LINES < 700
    sessions = Counter(event["session_id"] for event in events if "session_id" in event)
    assert 8 < sum(sessions.values()) / len(sessions) < 20
    assert any("session_id" not in event for event in events)
    assert {event["event"] for event in events} == {"page_view", "page_ping", "search", "add_to_cart", "purchase"}
    views = {event["page_view_id"] for event in events if event["event"] == "page_view"}
    assert {event["page_view_id"] for event in events} == views


@pytest.mark.parametrize("name", ["events.ndjson", "events.ndjson.zst"])
def test_a_file_holds_the_same_lines_packed_or_not(tmp_path: Path, text: bytes, name: str) -> None:
    written = write_events(tmp_path / name, LINES, seed=3)
    data = (tmp_path / name).read_bytes()
    if name.endswith(".zst"):
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
    assert data == text
    assert (written.lines, written.distinct, written.bytes) == (LINES, LINES * 98 // 100, len(text))
