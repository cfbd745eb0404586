"""One measure of `scale`, in an interpreter of its own: `python -m benchmarks.scale_measures NAME JSON` prints figures.

`mb_before` is what the interpreter holds once all is imported; whoever watches it from outside takes the growth.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.data import event_blocks
from benchmarks.scale_synthetic import (
    STREAM,
    SyntheticStream,
    a_day,
    make_files,
    make_log,
    make_positions,
    one_more,
    packed,
)
from benchmarks.watch import watched
from event_assets.contract.tables.events import ENRICHED_EVENTS, RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.maintenance import SMALL_FILE_BYTES, merges
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.lake.tip import tip
from event_assets.pipeline.compaction import MOST_FILES
from event_assets.pipeline.land import OBJECT_BYTES, land_step
from event_assets.pipeline.raw_objects import merge_objects
from event_assets.pipeline.registry import steps_of
from event_assets.streams import ShardPart
from event_assets_tests.pipeline.runs import a_run

Figures = dict[str, float]
_TICKS = 3
_COMMITS = 3
_PACKED = 20_000


def measured(name: str, **given: Any) -> Figures:
    """A measure in a fresh interpreter, and by how many megabytes it grew at the most beyond what it had imported."""
    output, peak = watched([sys.executable, "-m", "benchmarks.scale_measures", name, json.dumps(given)])
    figures: Figures = json.loads(output.splitlines()[-1])
    return {**figures, "mb": max(0, peak - round(figures.pop("mb_before")))}


def main(argv: Sequence[str]) -> int:
    """Prints the figures of a measure."""
    before = psutil.Process().memory_info().rss / 2**20
    print(json.dumps({**_MEASURES[argv[0]](**json.loads(argv[1])), "mb_before": before}))
    return 0


def make(folder: str, files: int = 0, commits: int = 0) -> Figures:
    """Makes the lake that `opening` opens."""
    began = time.perf_counter()
    if files:
        make_files(Path(folder), files)
    else:
        make_log(Path(folder), commits)
    return {"seconds": time.perf_counter() - began}


def opening(folder: str) -> Figures:
    """Seconds to see how far a table is (`tip`), to open it, to plan a day of it and its compaction, to commit one file
    more with the checkpoint left out, and to write a checkpoint."""
    lake = Lake(Storage(folder))
    table = lake.table(ENRICHED_EVENTS.name)
    # The end of the log first, as the sensor does in a process that has not opened the table.
    seconds_tip, _ = _timed(lambda: tip(Lake(Storage(folder)).table(ENRICHED_EVENTS.name)).progress)
    seconds_open, base = _timed(table.snapshot)

    def plan() -> int:
        return len(base.of_dates([a_day()])) + len(list(merges(base.smaller_than(SMALL_FILE_BYTES), MOST_FILES)))

    seconds_plan, _ = _timed(plan)
    commits = [_timed(partial(table.commit, table.snapshot(), Progress(), [one_more()]))[0] for _ in range(_COMMITS)]
    newest = table.snapshot()
    seconds_checkpoint, _ = _timed(newest.delta.create_checkpoint)
    return {
        "seconds_tip": seconds_tip,
        "seconds_open": seconds_open,
        "seconds_plan": seconds_plan,
        "seconds_commit": median(commits),
        "seconds_checkpoint": seconds_checkpoint,
        "files": newest.count,
    }


def look(shards: int, runs: int, call_seconds: float, holds: bool) -> Figures:
    """Seconds of a tick of the stream's sensor, where every shard `holds` something new or none does; and of writing
    and reading the progress record of so many shards."""
    import dagster as dg

    from benchmarks.scale_sensor import SyntheticStreamResource
    from event_assets.definitions import build_defs
    from event_assets.settings import Settings

    with tempfile.TemporaryDirectory(prefix="event-assets-scale-") as folder, dg.DagsterInstance.ephemeral() as dagster:
        settings = Settings(home=Path(folder), landing_runs=runs, max_runs_in_flight=2)
        make_positions(Path(settings.lake), shards, 1)
        definitions = build_defs(settings)
        of_settings = definitions.resources or {}
        stream = SyntheticStreamResource(
            **of_settings["stream"].model_dump(),
            shards=shards,
            records=2 if holds else 1,
            call_seconds=call_seconds,
        )
        sensor = definitions.resolve_sensor_def("event_stream_sensor")
        resources = {**of_settings, "stream": stream}
        seconds, requests = [], 0
        for _ in range(_TICKS):
            with dg.build_sensor_context(dagster, definitions=definitions, resources=resources) as context:
                took, told = _timed(partial(sensor.evaluate_tick, context))
            seconds.append(took)
            requests = len(told.run_requests or [])
        progress = tip(Lake(Storage(settings.lake)).table(RAW_EVENTS.name)).progress
        written, record = _timed(progress.to_json)
        read, _ = _timed(lambda: Progress.from_json(record))
    return {
        "seconds": median(seconds),
        "runs_asked_for": requests,
        "record_bytes": len(record),
        "record_seconds": written + read,
    }


def landing(shards: int, megabytes: float, part: int = 0, parts: int = 1) -> Figures:
    """One pass of a run that lands its part of these shards, each of which holds so many megabytes."""
    held = packed(_PACKED)
    records = max(1, round(megabytes * 1e6 / _mean_size(held)))
    stream = SyntheticStream(shards, held, records)
    with tempfile.TemporaryDirectory(prefix="event-assets-scale-") as folder:
        lake = Lake(Storage(folder))
        run = replace(a_run(lake, None, stream=stream), part=ShardPart(part, parts))
        seconds, report = _timed(lambda: land_step(run))
        landed = lake.table(RAW_EVENTS.name).snapshot()
        assert {*landed.progress.positions[STREAM]} == {*run.part.of(stream.shards())}
        return {
            "seconds": seconds,
            "events": report.more["events"],
            "megabytes": _mean_size(held) * landed.rows / 1e6,
            "objects": landed.count,
        }


def merging(passes: int, megabytes: float) -> Figures:
    """What so many passes of landing left of a shard, so many megabytes each, put together."""
    held = packed(_PACKED)
    records = max(1, round(megabytes * 1e6 / _mean_size(held)))
    with tempfile.TemporaryDirectory(prefix="event-assets-scale-") as folder:
        table = Lake(Storage(folder)).table(RAW_EVENTS.name)
        for number in range(1, passes + 1):
            land_step(a_run(Lake(Storage(folder)), None, stream=SyntheticStream(1, held, number * records)))
        paths = {file.path for file in table.snapshot().files}
        seconds, fewer = _timed(lambda: merge_objects(table, paths, 2, OBJECT_BYTES))
        return {"seconds": seconds, "fewer": fewer, "megabytes": passes * records * _mean_size(held) / 1e6}


def _mean_size(held: Sequence[bytes]) -> float:
    return sum(map(len, held)) / len(held)


def tables(events: int) -> Figures:
    """Bytes an event of the tables that a micro-batch writes, of so many events in one batch."""
    from event_assets_tests.engines import sail
    from event_assets_tests.pipeline.pipeline import Pipeline

    with tempfile.TemporaryDirectory(prefix="event-assets-scale-") as folder, sail() as spark:
        pipeline = Pipeline(spark, Path(folder))
        lines = [line for block in event_blocks(events) for line in block.splitlines()]
        pipeline.put(lines)
        pipeline.run(steps=[*steps_of("seconds")])
        sizes = {
            table.name: pipeline.lake.table(table.name).snapshot().bytes / len(lines)
            for step in steps_of("seconds")
            for table in step.tables
        }
        pipeline.stream.close()
    return sizes


_MEASURES: dict[str, Callable[..., Figures]] = {
    "make": make,
    "opening": opening,
    "look": look,
    "landing": landing,
    "merging": merging,
    "tables": tables,
}


def _timed(do: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = do()
    return time.perf_counter() - began, done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
