"""What an installation comes to at many events a day, and what gives way first: `python -m benchmarks scale [--json]`.

No network: the stream is the embedded log with as many shards as the size needs, the lake one whose tables have the
logs that they would have after a year, as files are made, put together and taken away by the platform; no file is
behind the names. A sample of events goes through the first steps and says how large rows are, and how fast a process
lands. Then the platform's own planning looks at stream and lake: a tick of the sensor in a process that knows nothing,
the opening of tables, a commit; time and memory of each are measured. Of a table with more files than `--most-files` so
many are written, and what is measured is taken to grow with the rest. `gives way` puts what is bounded in the order of
how far past its bound the largest size is.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from benchmarks.data import event_blocks
from event_assets.contract.records import pack
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, EVENT_IDS, RAW_EVENTS
from event_assets.definitions import build_defs
from event_assets.defs.automation.turns import CHECKS, EVERY, STAYS
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.maintenance import SMALL_FILE_BYTES, merges
from event_assets.lake.progress import Consumed
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.pipeline.compaction import MOST_FILES
from event_assets.pipeline.land import OBJECT_BYTES, rows_of
from event_assets.pipeline.pending_days import BY_ARRIVAL, BY_EVENT_DATE
from event_assets.pipeline.registry import step_of
from event_assets.rules.retention import Retention
from event_assets.settings import Settings
from event_assets.streams import StoredRecord, StreamRecord
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.defs.automation.ticks import tick
from event_assets_tests.engines import sail
from event_assets_tests.pipeline.pipeline import Pipeline
from infra.costs import table
from infra.sizes import LARGE

YEAR, DAY_SECONDS = 365, 86_400
LOG_DAYS = 30
"""How long a table's log keeps its commits (`delta.logRetentionDuration`)."""
SPLIT_BYTES = 4_000_000
"""What a task of Spark's reads at least (`spark.sql.files.openCostInBytes`): so many tasks write a micro-batch."""
FINGERPRINT_BYTES = 8
TABLES = (RAW_EVENTS, CLEAN_EVENTS, EVENT_IDS, ENRICHED_EVENTS)
_COMMITS = 500
"""Files of a commit with which a log is written."""


class Sample(NamedTuple):
    """What some events were as rows: by table bytes a row and a file that stands for all of its own; and how many
    bytes of records a process lands in a second."""

    row_bytes: dict[str, float]
    files: dict[str, LakeFile]
    landed_bytes_per_second: float


@dataclass(frozen=True)
class Plan:
    """What so many events a day need: of the platform's own constants, of the assumptions of `infra/prices.yaml`."""

    events: int
    sample: Sample
    batch_seconds: float

    @property
    def stream_bytes(self) -> float:
        return self.events * table().assumed["stream_bytes_per_event"]

    @property
    def peak_bytes_per_second(self) -> float:
        return self.stream_bytes / DAY_SECONDS * table().assumed["peak_factor"]

    @property
    def shards(self) -> int:
        return max(2, ceil(self.peak_bytes_per_second / 1e6 / table().assumed["kinesis_shard_mb_second"]))

    @property
    def landing_runs(self) -> int:
        return min(64, self.shards, max(1, ceil(self.peak_bytes_per_second / self.sample.landed_bytes_per_second)))

    @property
    def cores(self) -> int:
        assumed = table().assumed
        return ceil(self.events / DAY_SECONDS * assumed["peak_factor"] / assumed["spark_events_per_core_second"])

    @property
    def runs_a_day(self) -> int:
        day = dt.timedelta(days=1)
        return self.landing_runs * ceil(day / STAYS) + ceil(day / EVERY[CHECKS])

    def commits_a_day(self, name: str) -> int:
        batches = DAY_SECONDS / self.batch_seconds
        return round(2 * DAY_SECONDS if name == RAW_EVENTS.name and self.landing_runs > 1 else batches)

    def bytes_a_day(self, name: str) -> float:
        return self.stream_bytes if name == RAW_EVENTS.name else self.events * self.sample.row_bytes[name]

    def written_a_day(self, name: str) -> int:
        """Files that micro-batches write, before they are put together."""
        if name == RAW_EVENTS.name:
            return self.shards * max(1, self.commits_a_day(name) // self.landing_runs)
        read = self.stream_bytes / self.commits_a_day(name)
        return self.commits_a_day(name) * max(1, min(self.cores, ceil(read / SPLIT_BYTES)))

    def made_a_day(self, name: str) -> int:
        """Files that stand at the end of a day."""
        if name == RAW_EVENTS.name:
            return 24 * self.shards * ceil(self.stream_bytes / 24 / self.shards / OBJECT_BYTES)
        size = self.bytes_a_day(name) / self.written_a_day(name)
        return 24 * put_together(size, ceil(self.written_a_day(name) / 24))

    def days(self, name: str) -> int:
        kept = Retention().days_of(name) if name != EVENT_IDS.name else None
        return min(YEAR, kept or YEAR)

    def standing(self, name: str) -> int:
        """Files after a year."""
        return self.made_a_day(name) * self.days(name)


def put_together(size: float, count: int) -> int:
    """How many files so many of a size become, as the run of new events puts them together while they come."""
    if size >= SMALL_FILE_BYTES:
        return count
    full, small = 0, list[LakeFile]()
    for number in range(count):
        small.append(LakeFile("", int(size), 1, {}, f"{number:09d}"))
        if len(small) >= MOST_FILES:
            groups = [*merges(small, 2)]
            grouped = {file.path for group in groups for file in group}
            made = [LakeFile("", sum(f.size for f in group), 1, {}, group[0].path) for group in groups]
            full += sum(file.size >= SMALL_FILE_BYTES for file in made)
            small = [f for f in small if f.path not in grouped] + [f for f in made if f.size < SMALL_FILE_BYTES]
    return full + len(small)


def sample_of(events: int) -> Sample:
    """So many events through the first steps, in one micro-batch."""
    lines = [*islice((line for block in event_blocks(events) for line in block.splitlines()), events)]
    with tempfile.TemporaryDirectory(prefix="scale-") as folder, sail() as spark:
        pipeline = Pipeline(spark, Path(folder))
        pipeline.put(lines)
        for spec in TABLES:
            step_of(spec).run(pipeline.refresh())
        found = {spec.name: pipeline.lake.table(spec.name).snapshot() for spec in TABLES}
        sizes = {name: snapshot.bytes / events for name, snapshot in found.items()}
        files = {name: max(snapshot.files, key=lambda file: file.size) for name, snapshot in found.items()}
        return Sample(sizes, files, _landed_bytes_per_second(pipeline.lake.table(RAW_EVENTS.name), lines))


def _landed_bytes_per_second(raw: LakeTable, lines: Sequence[bytes]) -> float:
    """Bytes of records that a process makes objects of in a second of its time."""
    now = dt.datetime.now(dt.UTC)
    records = [StoredRecord("s", str(n).zfill(56), "k", data, now) for n, data in enumerate(pack(lines))]
    began = time.process_time()
    raw.stage_arrow(rows_of("events", records), "measured", {"arrival_date": "2026-01-01", "arrival_hour": "0"})
    return sum(len(record.data) for record in records) / (time.process_time() - began)


def write_stream(home: Path, shards: int) -> None:
    """The embedded log with a record in most of its shards."""
    stream = EmbeddedStream(home / "stream.db", "events")
    stream.create(shards)
    stream.put([StreamRecord(f"key-{number}", b"{}") for number in range(4 * shards)])
    stream.close()


def write_lake(lake: Lake, plan: Plan, most_files: int) -> dict[str, int]:
    """Logs of the tables as they are after a year, each with all of what it is made of taken in but for the last
    commit; gives how many files each has."""
    written: dict[str, int] = {}
    for spec in TABLES:
        target = lake.table(spec.name)
        count = written[spec.name] = min(plan.standing(spec.name), most_files)
        files = islice(_files(plan, spec.name, count), count)
        while chunk := [*islice(files, _COMMITS * 40)]:
            base = target.snapshot()
            target.commit(base, base.progress, add=chunk, affected=dict.fromkeys(_days(plan, spec.name), 1))
        target.snapshot().delta.create_checkpoint()
    for upstream, downstream in (*BY_ARRIVAL, *BY_EVENT_DATE):
        source, target = lake.table(upstream).snapshot(), lake.table(downstream)
        base = target.snapshot()
        progress = base.progress.with_consumed(upstream, Consumed(source.version, table=source.id))
        target.commit(base, progress, affected={})
    return written


def _files(plan: Plan, name: str, count: int) -> Iterable[LakeFile]:
    like, days = plan.sample.files[name], _days(plan, name)
    for number in range(count):
        day, hour = days[number * len(days) // count], str(number % 24)
        said = {**like.partition, "arrival_date": day, "event_date": day, "arrival_hour": hour}
        partition = {key: said[key] for key in like.partition}
        path = f"data/{uuid.uuid4().hex}/{like.path.rpartition('/')[2]}"
        yield like._replace(path=path, partition=partition, size=SMALL_FILE_BYTES)


def _days(plan: Plan, name: str) -> list[str]:
    today = dt.datetime.now(dt.UTC).date()
    return [str(today - dt.timedelta(days=ago)) for ago in range(plan.days(name) - 1, -1, -1)]


class Spent(NamedTuple):
    """Seconds of a process that knew nothing before, and bytes that it had more at the most."""

    seconds: float
    bytes: float


def measured(do: Callable[[Path, Any], None], home: Path, argument: Any = None) -> Spent:
    """What something takes, in a process of its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_measured, do, home, argument).result()


def _measured(do: Callable[[Path, Any], None], home: Path, argument: Any) -> Spent:
    build_defs(Settings(home=home))  # what every process of the platform has in memory
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    do(home, argument)
    return Spent(time.perf_counter() - began, 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))


def _lake(home: Path) -> Lake:
    return Lake(Storage(str(home / "lake")))


def _look(home: Path, landing_runs: int) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        asked = tick(build_defs(Settings(home=home, landing_runs=landing_runs)), instance)
    assert {request.job_name for request in asked.requests} >= {"arrivals"}, asked.skipped


def _load_all(home: Path, _: Any) -> None:
    lake = _lake(home)
    assert all(lake.table(name).snapshot().count >= 0 for edge in (*BY_ARRIVAL, *BY_EVENT_DATE) for name in edge)


def _open(home: Path, name: str) -> None:
    assert _lake(home).table(name).snapshot().count


def _list(home: Path, name: str) -> None:
    assert _lake(home).table(name).snapshot().files


def _commit(home: Path, name: str) -> None:
    target = _lake(home).table(name)
    base = target.snapshot()
    target.commit(base, replace(base.progress), add=[base.of_dates([max(base.dates())])[0]._replace(path="data/new")])


def figures_of(plan: Plan, folder: Path, most_files: int) -> dict[str, Any]:
    """Everything that is told of one size."""
    home = folder / str(plan.events)
    write_stream(home, min(plan.shards, 500))
    written = write_lake(_lake(home), plan, most_files)
    grows = {name: plan.standing(name) / count for name, count in written.items()}
    look, loaded = measured(_look, home, plan.landing_runs), measured(_load_all, home)
    factor = sum(map(plan.standing, written)) / sum(written.values())
    told: dict[str, Any] = {
        "shards": plan.shards,
        "runs that land side by side": plan.landing_runs,
        "cores of Spark": plan.cores,
        "runs a day": plan.runs_a_day,
        "seconds of a tick": round(look.seconds, 2),
        "MB of a tick": round(look.bytes / 1e6),
        "seconds of a tick that would load the tables": round(loaded.seconds * factor, 1),
        "MB of a tick that would load the tables": round(loaded.bytes * factor / 1e6),
    }
    for spec in TABLES:
        name, words = spec.name, spec.name.replace("_", " ")
        opened, listed = measured(_open, home, name), measured(_list, home, name)
        told |= {
            f"{words}: commits a day": plan.commits_a_day(name),
            f"{words}: files written a day": plan.written_a_day(name),
            f"{words}: files that stay of a day": plan.made_a_day(name),
            f"{words}: files after a year": plan.standing(name),
            f"{words}: of these in the log that was measured": written[name],
            f"{words}: seconds to open": round(opened.seconds * grows[name], 2),
            f"{words}: MB of memory, open": round(opened.bytes * grows[name] / 1e6),
            f"{words}: MB of memory, every file listed": round(listed.bytes * grows[name] / 1e6),
        }
        if spec.is_by_day:
            done = measured(_commit, home, name)
            told[f"{words}: seconds from opening to commit"] = round(done.seconds * grows[name], 2)
    return told | {"gives way": gives_way(plan, told)}


def gives_way(plan: Plan, told: dict[str, Any]) -> dict[str, float]:
    """How many times what is bounded is its bound, the furthest past it first."""
    run_bytes, code_bytes = LARGE.run.memory * 2.0**20, LARGE.code.memory * 2.0**20
    slowest = max(value for name, value in told.items() if name.endswith("from opening to commit"))
    in_memory = sum(value for name, value in told.items() if name.endswith("memory, open")) * 1e6
    prints = plan.events * plan.days(EVENT_IDS.name) * FINGERPRINT_BYTES
    rewritten = sum(
        plan.bytes_a_day(spec.name)
        for spec in TABLES[1:]
        if plan.bytes_a_day(spec.name) / plan.written_a_day(spec.name) < SMALL_FILE_BYTES
    )
    limits = {
        "random event ids: fingerprints of a year in the memory of a run": prints / run_bytes,
        "a commit of the slowest table, in the seconds of a micro-batch": slowest / plan.batch_seconds,
        "tables that are open, in the memory of a run": in_memory / run_bytes,
        "a tick, in the memory of the code server": told["MB of a tick"] * 1e6 / code_bytes,
        "a tick, in the seconds between two": told["seconds of a tick"] / Settings().sensor_interval_seconds,
        "putting files together, one task at 50 MB/s all day": rewritten / (50e6 * DAY_SECONDS),
        "cores of Spark, in the largest cluster of the stacks": plan.cores
        / (LARGE.cluster.most * LARGE.cluster.worker_cores),
        "commits of raw_events, of 10 a second": plan.commits_a_day(RAW_EVENTS.name) / (10 * DAY_SECONDS),
        "runs that land, of the 64 that there may be": plan.landing_runs / 64,
    }
    return dict(sorted(((name, float(f"{value:.2g}")) for name, value in limits.items()), key=lambda item: -item[1]))


def markdown(found: dict[int, dict[str, Any]]) -> str:
    """The figures as two tables: what it comes to, and what gives way."""
    sizes = [*found]
    head = ["| | " + " | ".join(f"{size:,} a day" for size in sizes) + " |", "| --- |" + " ---: |" * len(sizes)]
    rows = [
        f"| {name} | {' | '.join(f'{found[size][name]:,}' for size in sizes)} |"
        for name in found[sizes[0]]
        if name != "gives way"
    ]
    names = [*found[sizes[-1]]["gives way"]]
    ways = [found[size]["gives way"] for size in sizes]
    limits = [f"| {name} | {' | '.join(f'{way[name]:,}' for way in ways)} |" for name in names]
    of = ["| times its bound | " + " | ".join(f"{size:,} a day" for size in sizes) + " |", head[1]]
    return "\n".join([*head, *rows, "", *of, *limits])


def main(argv: list[str]) -> int:
    """Prints the figures; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale", description=__doc__)
    parser.add_argument("--events", default="1_000_000_000,40_000_000_000", help="events a day, rising")
    parser.add_argument("--sample", type=int, default=100_000, help="events that go through the first steps")
    parser.add_argument("--batch-seconds", type=float, default=30.0, help="from one micro-batch to the next")
    parser.add_argument("--most-files", type=int, default=200_000, help="files of a table whose log is written")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args(argv)
    sample = sample_of(asked.sample)
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        plans = [Plan(int(size), sample, asked.batch_seconds) for size in asked.events.split(",")]
        found = {plan.events: figures_of(plan, Path(folder), asked.most_files) for plan in plans}
    print(json.dumps(found) if asked.json else markdown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
