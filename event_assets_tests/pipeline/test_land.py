"""Landing, and what was trimmed before it: never unseen, and passed where somebody says that the loss is known."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.lake.tombstones import ErasureRules, write_tombstones
from event_assets.pipeline import land
from event_assets.pipeline.registry import step_of
from event_assets.pipeline.stream_gaps import pass_gaps
from event_assets.streams import ReadLimits, ShardPart, StreamGap, StreamReader, StreamRecord
from event_assets.streams.embedded import EmbeddedStream
from event_assets.telemetry.process import telling
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.streams.reading import numbered, put_all
from event_assets_tests.telemetry.telling import Lines

RETENTION = dt.timedelta(hours=1)
BEFORE, LATER = -3_000, 700


class Clock:
    """Goes with the machine's, so much before or after it, in seconds."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def utc(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self(), dt.UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(land, "StreamReader", partial(StreamReader, clock=made.utc))
    return made


@pytest.fixture
def aging(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedStream]:
    """A stream of one shard that keeps records for an hour of `clock`, with four of fifty minutes ago."""
    stream = EmbeddedStream(tmp_path / "aging.db", "events", retention=RETENTION, clock=clock)
    stream.create(1)
    clock.ahead = BEFORE
    put_all(stream, numbered(["a"] * 4))
    clock.ahead = 0
    yield stream
    stream.close()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(Storage(str(tmp_path / "lake")))


def landed(lake: Lake) -> list[str]:
    return sorted(data.decode() for data in lake.table(RAW_EVENTS.name).snapshot().arrow()["data"].to_pylist())


def run_land(lake: Lake, stream: EmbeddedStream, most: int = 200_000) -> None:
    step_of(RAW_EVENTS).run(a_run(lake, None, stream=stream, max_records_per_run=most))


def trim_what_was_left(lake: Lake, aging: EmbeddedStream, clock: Clock) -> None:
    """Of the four records two are landed, and the others trimmed eleven minutes later."""
    run_land(lake, aging, most=2)
    clock.ahead = LATER
    assert aging.trim() == 4
    put_all(aging, numbered(["a"], 4))


def test_records_that_a_limit_left_and_that_are_trimmed_then_are_a_gap(
    lake: Lake, aging: EmbeddedStream, clock: Clock
) -> None:
    trim_what_was_left(lake, aging, clock)
    told = Lines()
    with telling(told.meter), pytest.raises(StreamGap):
        run_land(lake, aging)
    assert [(line["StreamGaps"], line["StepsFailed"]) for line in told.lines] == [(1, 1)]
    assert landed(lake) == ["0", "1"]


def test_landing_goes_on_after_a_gap_that_is_passed_with_what_is_there(
    lake: Lake, aging: EmbeddedStream, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    trim_what_was_left(lake, aging, clock)
    monkeypatch.setattr("event_assets.pipeline.stream_gaps.StreamReader", partial(StreamReader, clock=clock.utc))
    (gap,) = pass_gaps(lake, aging)
    assert int(gap.trim_horizon or 0) > int(gap.expected_after)
    assert pass_gaps(lake, aging) == []
    run_land(lake, aging)
    run_land(lake, aging)
    assert landed(lake) == ["0", "1", "4"]


def test_what_a_limit_left_is_landed_by_the_next_run(lake: Lake, aging: EmbeddedStream) -> None:
    run_land(lake, aging, most=2)
    run_land(lake, aging)
    assert landed(lake) == ["0", "1", "2", "3"]


def test_a_shard_that_was_quiet_for_longer_than_records_are_kept_has_no_gap(
    lake: Lake, aging: EmbeddedStream, clock: Clock
) -> None:
    run_land(lake, aging)
    clock.ahead = LATER
    assert aging.trim() == 4
    assert pass_gaps(lake, aging) == []
    put_all(aging, numbered(["a"], 4))
    run_land(lake, aging)
    assert landed(lake) == ["0", "1", "2", "3", "4"]


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[EmbeddedStream]:
    """A stream of four shards with forty records."""
    stream = EmbeddedStream(tmp_path / "shared.db", "events")
    stream.create(4)
    put_all(stream, numbered(f"key-{number}" for number in range(40)))
    yield stream
    stream.close()


def land_part(lake: Lake, stream: EmbeddedStream, number: int, **rules: Any) -> None:
    run = a_run(lake, None, stream=stream, **rules)
    land.land_step(replace(run, part=ShardPart(number, 2)))


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The shards that are read from now on, each as often as it is."""
    found: list[str] = []
    read = EmbeddedStream.read

    def noted(self: EmbeddedStream, shard_id: str, *asked: object, **more: object) -> object:
        found.append(shard_id)
        return read(self, shard_id, *asked, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(EmbeddedStream, "read", noted)
    return found


def before_the_first_commit(monkeypatch: pytest.MonkeyPatch, do: Callable[[], None]) -> None:
    commit, done = LakeTable.commit, list[bool]()

    def late(self: LakeTable, *asked: object, **more: object) -> int:
        if not done:
            done.append(True)
            do()
        return commit(self, *asked, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(LakeTable, "commit", late)


def test_a_run_that_another_came_before_with_other_shards_commits_what_it_has_read(
    lake: Lake, shared: EmbeddedStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_other = Lake(lake.storage)
    before_the_first_commit(monkeypatch, lambda: land_part(of_other, shared, 1))
    asked = reads(monkeypatch)
    land_part(lake, shared, 0)
    assert landed(lake) == sorted(map(str, range(40)))
    assert len(asked) == 4, "nothing is read again"
    progress = lake.table(RAW_EVENTS.name).snapshot().progress
    assert len(land.checkpoint(progress, shared.name)) == 4
    run_land(lake, shared)
    assert len(landed(lake)) == 40


def test_of_two_runs_that_take_the_same_shards_for_theirs_the_later_lands_the_rest(
    lake: Lake, shared: EmbeddedStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other() -> None:
        land_part(Lake(lake.storage), shared, 0)
        put_all(shared, numbered((f"key-{number}" for number in range(40)), 40))

    before_the_first_commit(monkeypatch, other)
    land_part(lake, shared, 0)
    land_part(lake, shared, 1)
    assert landed(lake) == sorted(map(str, range(80)))


def test_who_was_erased_since_the_first_look_is_not_in_what_is_committed_after_another(
    lake: Lake, shared: EmbeddedStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = ErasureRules(b"a-key")
    line = b'{"anonymous_id":"gone","event":"click"}'
    put_all(shared, [StreamRecord(f"gone-{number}", line) for number in range(8)])
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)

    def erase_and_land() -> None:
        write_tombstones(lake.storage, rules, "one", until, [], ["gone"])
        land_part(Lake(lake.storage), shared, 1, erasure=rules)

    before_the_first_commit(monkeypatch, erase_and_land)
    land_part(lake, shared, 0, erasure=rules)
    assert len(landed(lake)) == 48 and not any("gone" in data for data in landed(lake))


def test_where_many_shards_wait_for_more_the_largest_become_objects_before_and_nothing_is_lost(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = EmbeddedStream(tmp_path / "many.db", "events")
    stream.create(4)
    put_all(stream, numbered(f"key-{number}" for number in range(400)))
    held: list[int] = []
    of_rows = land.rows_of

    def counted(name: str, records: Any) -> Any:
        held.append(sum(len(record.data) for record in records))
        return of_rows(name, records)

    monkeypatch.setattr(land, "rows_of", counted)
    run_land(lake, stream)
    assert len(held) == 4, "an object a shard"
    landed_at_once = landed(lake)
    monkeypatch.setattr(land, "HELD_BYTES", 100)
    put_all(stream, numbered((f"key-{number}" for number in range(400)), 400))
    read = partial(StreamReader.read_new, limits=ReadLimits(batch_records=10))
    monkeypatch.setattr(StreamReader, "read_new", lambda self, before, until, limits: read(self, before, until=until))
    held.clear()
    run_land(lake, stream)
    assert len(held) > 4 and max(held) <= 100 + 10 * 3
    assert landed(lake) == sorted([*landed_at_once, *(str(number) for number in range(400, 800))])
    stream.close()
