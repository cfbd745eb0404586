"""What is behind is found at a cost that does not grow with how long it has waited, and in the order of its turns."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.storage import Storage
from event_assets.pipeline.pending_days import Pending, pending

EDGE = (("clean_events", "enriched_events"),)
FIRST = dt.date(2015, 1, 1)


def day(number: int) -> str:
    return str(FIRST + dt.timedelta(days=number))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(Storage(str(tmp_path)))


def touch(lake: Lake, *days: str) -> int:
    """A commit of clean events that touches these days."""
    base = lake.table("clean_events").snapshot()
    return lake.table("clean_events").commit(base, base.progress, affected=dict.fromkeys(days, 1))


def take_in(lake: Lake, consumed: Consumed) -> None:
    base = lake.table("enriched_events").snapshot()
    lake.table("enriched_events").commit(base, base.progress.with_consumed("clean_events", consumed))


def reads_of_the_log(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> tuple[Pending, int]:
    """What is pending, and how many files of a Delta log were read one by one to find it."""
    names: list[str] = []
    read = Storage.read

    def counted(self: Storage, relative: str) -> bytes:
        names.append(relative)
        return read(self, relative)

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "read", counted)
        found = pending(lake, EDGE)
    return found, sum("_delta_log" in name for name in names)


def test_a_look_reads_what_came_since_the_last_one_however_long_thousands_of_days_have_waited(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = {day(number): number % 40 for number in range(4000)}
    for _ in range(60):
        version = touch(lake, day(0))
    take_in(lake, Consumed(version, waiting, lake.table("clean_events").snapshot().id))
    touch(lake, "2026-01-01")
    found, reads = reads_of_the_log(lake, monkeypatch)
    assert len(found.days) == 4001 and not found.unreadable
    assert reads <= 6, "the ends of two logs, and the commit that came"


def test_what_has_missed_most_comes_first_and_then_the_newest(lake: Lake) -> None:
    for _ in range(5):
        version = touch(lake, day(9))
    waiting = {day(1): 3, day(2): 1, day(3): 1, day(4): 4}
    take_in(lake, Consumed(version, waiting, lake.table("clean_events").snapshot().id))
    assert pending(lake, EDGE).in_turn() == [day(3), day(2), day(1), day(4)]


def test_a_day_is_behind_since_the_first_commit_that_it_missed(lake: Lake) -> None:
    first, second = touch(lake, day(1)), touch(lake, day(2))
    take_in(lake, Consumed(second, {day(2): first}, lake.table("clean_events").snapshot().id))
    third = touch(lake, day(3))
    clean = lake.table("clean_events").snapshot()
    assert pending(lake, EDGE).since() == {day(2): clean.committed_at(second), day(3): clean.committed_at(third)}


def test_a_table_that_cannot_be_read_is_named_and_the_others_are_looked_at(lake: Lake, tmp_path: Path) -> None:
    touch(lake, day(1))
    edges = (("clean_events", "sessions"), *EDGE)
    base = lake.table("sessions").snapshot()
    lake.table("sessions").commit(base, Progress())
    for path in (tmp_path / "sessions" / "_progress").glob("*.json"):
        path.write_text("{")
    found = pending(lake, edges)
    assert found.days == {day(1): ["enriched_events"]}
    assert list(found.unreadable) == ["sessions"]
