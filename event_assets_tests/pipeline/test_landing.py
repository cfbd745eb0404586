"""Runs that land parts of a stream side by side: whichever are killed, at whichever commit, and whatever is resharded
meanwhile, every record is landed once."""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import random
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from deltalake import DeltaTable

from event_assets.contract.tables.events import CLEAN_EVENTS, RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline import land
from event_assets.pipeline.landing import Landing
from event_assets.pipeline.run import Run
from event_assets.streams import ShardPart
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.streams.reading import numbered, put_all

PARTS, SHARDS, MOST, KILLS = 2, 6, 40, 8
"""Runs side by side; shards that the stream begins with; records of a shard that one landing takes; runs to be killed:
a round kills fewer where one run has taken all that another was to land, which depends on the machine."""
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


class Killed(NamedTuple):
    """Where a run ends: right before or right after one of its commits, counted from 1."""

    commit: int
    moment: Literal["before", "after"]


def open_stream(folder: Path) -> EmbeddedStream:
    return EmbeddedStream(folder / "stream.db", "events")


def a_part(folder: Path, number: int, stream: EmbeddedStream) -> Run:
    lake = Lake(Storage(str(folder / "lake")))
    return replace(a_run(lake, None, stream=stream, max_records_per_run=MOST), part=ShardPart(number, PARTS))


def land_until(folder: Path, number: int, point: Killed | None) -> None:
    """What a process of its own does: it lands its part until nothing is left, or it is killed at the point."""
    commit, done = DeltaTable.create_write_transaction, 0

    @functools.wraps(commit)
    def deadly(*asked: Any, **more: Any) -> None:
        nonlocal done
        done += 1
        if point == (done, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        commit(*asked, **more)
        if point == (done, "after"):
            os.kill(os.getpid(), signal.SIGKILL)

    DeltaTable.create_write_transaction = deadly  # type: ignore[method-assign]
    for _ in Landing(a_part(folder, number, open_stream(folder)), idle_seconds=0).stay():
        pass


def begin(folder: Path, number: int, point: Killed | None) -> Any:
    process = _PROCESSES.Process(target=land_until, args=(folder, number, point))
    process.start()
    return process


def reshard(stream: EmbeddedStream, chance: random.Random) -> None:
    still_open = sorted((each for each in stream.shards() if not each.closed), key=lambda each: each.first_hash)
    at = chance.randrange(max(1, len(still_open) - 1))
    if len(still_open) == 1 or chance.random() < 0.5:
        stream.split(still_open[at].shard_id)
    else:
        stream.merge(still_open[at].shard_id, still_open[at + 1].shard_id)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.release) for n in (2, 3))])
def test_two_runs_side_by_side_that_are_killed_again_and_again_land_every_record_once(
    tmp_path: Path, seed: int
) -> None:
    chance, stream, sent = random.Random(seed), open_stream(tmp_path), 0
    stream.create(SHARDS)
    killed = round_ = 0
    while killed < KILLS:
        round_ += 1
        put_all(stream, numbered((f"key-{chance.randrange(200)}" for _ in range(400)), sent))
        sent += 400
        points = [Killed(chance.randint(1, 2), chance.choice(("before", "after"))) for _ in range(PARTS)]
        running = [begin(tmp_path, number, point) for number, point in enumerate(points)]
        reshard(stream, chance)
        put_all(stream, numbered((f"key-{chance.randrange(200)}" for _ in range(200)), sent))
        sent += 200
        for process in running:
            process.join()
            killed += process.exitcode == -signal.SIGKILL
            assert process.exitcode in (0, -signal.SIGKILL), f"round {round_}"
        assert round_ <= 4 * KILLS, "runs were to be killed"
    while land.has_new(replace(a_part(tmp_path, 0, stream), part=ShardPart())):
        ended = [begin(tmp_path, number, None) for number in range(PARTS)]
        for process in ended:
            process.join()
            assert process.exitcode == 0
    rows = Lake(Storage(str(tmp_path / "lake"))).table(RAW_EVENTS.name).snapshot().arrow()["data"].to_pylist()
    found = Counter(int(data) for data in rows)
    assert found == Counter(range(sent)), {number: count for number, count in found.items() if count > 1}
    stream.close()


def test_the_run_that_follows_sees_what_others_have_landed_until_it_is_cleaned(tmp_path: Path) -> None:
    stream = open_stream(tmp_path)
    stream.create(4)
    put_all(stream, numbered(f"key-{number}" for number in range(40)))
    first = a_part(tmp_path, 0, stream)
    assert not land.others_have_landed(first)
    [followed] = Landing(a_part(tmp_path, 1, stream), idle_seconds=0).stay()
    assert followed.asset == (RAW_EVENTS.name,)
    assert land.others_have_landed(first)
    raw, clean = (first.lake.table(spec.name) for spec in (RAW_EVENTS, CLEAN_EVENTS))
    base = clean.snapshot()
    clean.commit(base, base.progress.with_consumed(RAW_EVENTS.name, raw.snapshot().consumed))
    assert not land.others_have_landed(first)
    stream.close()


def test_a_run_that_lands_alone_asks_no_table_what_others_have_landed(tmp_path: Path) -> None:
    stream = open_stream(tmp_path)
    whole = replace(a_part(tmp_path, 0, stream), part=ShardPart())
    assert not land.others_have_landed(whole)
    assert json.dumps([*tmp_path.iterdir()], default=str) == "[]"
