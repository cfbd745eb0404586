"""Raw records to session rows: our transforms on an engine, and SQL written by hand for DuckDB.

Both start from the same compressed lines and must give the same sessions. Ours is the platform's own way: records are
unpacked and checked against the contract and the tracking plan, clean events are written with all columns, copies are
found, sessions are written. DuckDB gets the lines as files and checks nothing. Each runs in a process of its own, whose
memory is watched. Processor time counts that of all its processes: unlike seconds it hardly depends on what else the
machine does. Enrichment is another benchmark's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from benchmarks.data import START, event_blocks
from benchmarks.picture import picture
from benchmarks.watch import watched
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.records import pack
from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, RAW_EVENTS
from event_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FILES = 8
"""Files that the lines come in, so that an engine can read several at once."""

_COMPARED = """
    event_date, session_id, anonymous_id, user_id, start_at, end_at, events, page_views, engaged_seconds,
    absolute_seconds, is_engaged, is_bounce, entry_url, exit_url, referrer, platform, conversions, revenue,
    sequence_gaps
"""


def main(argv: list[str]) -> int:
    """Runs the benchmark, or one of its two sides in a process of its own. 1 when the rows differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks pipeline", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--engine", choices=["sail", "spark"], default="sail", help="spark: Apache Spark, local[2]")
    parser.add_argument("--rounds", type=int, default=1, help="of so many the last is told: then an engine is warm")
    parser.add_argument("--picture", type=Path, help="a file for the picture: .svg or .png")
    parser.add_argument("--side", choices=sorted(_SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.side:
        print(json.dumps(_SIDES[arguments.side](arguments.folder, arguments.rounds)))
        return 0
    with tempfile.TemporaryDirectory(prefix="event-assets-pipeline-") as folder:
        figures = _compare(Path(folder), arguments.events, arguments.engine, arguments.rounds)
    if arguments.picture:
        draw(figures, arguments.picture)
    print(json.dumps(figures) if arguments.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    return 0 if figures["same_rows"] else 1


class Took(NamedTuple):
    """Seconds that work took, and seconds of processor time of this process and all below it."""

    seconds: float
    cpu_seconds: float


def _compare(folder: Path, events: int, engine: str, rounds: int) -> dict[str, Any]:
    size = write_records(folder, events)
    ours, memory = measured(engine, folder, rounds=rounds)
    duckdb_, duckdb_memory = measured("duckdb", folder, rounds=rounds)
    steps = {name: Took(*took) for name, took in ours["steps"].items()}
    seconds, cpu_seconds = (sum(took[n] for took in steps.values()) for n in (0, 1))
    return {
        "engine": engine,
        "events": events,
        "rounds": rounds,
        "bytes_per_event": round(size / events),
        "events_per_second": round(events / seconds),
        "seconds": round(seconds, 2),
        "duckdb_seconds": round(duckdb_["seconds"], 2),
        "ratio": round(seconds / duckdb_["seconds"], 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "duckdb_cpu_seconds": round(duckdb_["cpu_seconds"], 2),
        "cpu_ratio": round(cpu_seconds / duckdb_["cpu_seconds"], 2),
        "peak_memory_mb": memory,
        "duckdb_peak_memory_mb": duckdb_memory,
        "seconds_by_step": {name: round(took.seconds, 2) for name, took in steps.items()},
        "cpu_seconds_by_step": {name: round(took.cpu_seconds, 2) for name, took in steps.items()},
        **_difference(folder),
    }


def draw(figures: dict[str, Any], path: Path) -> None:
    """Draws the seconds of our steps on top of each other, and those of the SQL beside them."""
    title = f"{figures['events']:,} raw events to sessions: {figures['ratio']} times the seconds of DuckDB"
    with picture(path, title, inches=(10, 2.4)) as [axes]:
        at = 0.0
        for step, seconds in figures["seconds_by_step"].items():
            rate = f"{figures['events'] / seconds:,.0f}/s" if seconds else ""
            axes.barh("event-assets", seconds, left=at, label=f"{step} {rate}")
            at += seconds
        axes.barh("DuckDB", figures["duckdb_seconds"], color="lightgrey")
        axes.invert_yaxis()
        axes.set_xlabel("seconds")
        axes.legend(fontsize=7, frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))
        axes.spines[["top", "right"]].set_visible(False)


def write_records(folder: Path, events: int) -> int:
    """The same lines as `raw/*.parquet` (25 KB records, zstd) and as `lines/*.ndjson.zst`. Gives their bytes, plain."""
    (folder / "raw").mkdir()
    (folder / "lines").mkdir()
    size = number = 0
    blocks = event_blocks(events)
    for file in range(FILES):
        lines = [line for block in islice(blocks, -(-events // 50_000 // FILES) or 1) for line in block.splitlines()]
        size += sum(map(len, lines)) + len(lines)
        text = b"\n".join(lines) + b"\n"
        (folder / f"lines/{file}.ndjson.zst").write_bytes(zstandard.ZstdCompressor(level=3).compress(text))
        records = pack(lines)
        pq.write_table(_raw_table(records, number), folder / f"raw/{file}.parquet", row_group_size=64)
        number += len(records)
    return size


def _raw_table(records: list[bytes], first: int) -> pa.Table:
    count = len(records)
    columns = {
        "arrival_date": [START.date()] * count,
        "arrival_hour": [0] * count,
        "arrived_at": [START] * count,
        "stream": ["events"] * count,
        "shard_id": ["shardId-000000000000"] * count,
        "sequence_number": [f"{first + number:056}" for number in range(count)],
        "partition_key": [""] * count,
        "erased": [None] * count,
        "data": records,
        "events": [0] * count,
    }
    return pa.table(columns, RAW_EVENTS.arrow_schema())


def _ours(folder: Path, rounds: int, engine: str) -> dict[str, Any]:
    """Our transforms, each written before the next begins, as the assets do. Tells the last round."""
    from event_assets.transforms.events.clean import (  # here, so that DuckDB's process does not hold Spark
        CleanRules,
        clean,
    )
    from event_assets.transforms.events.deduplicate import duplicates, index_entries
    from event_assets.transforms.sessions.sessionise import SessionRules, session_events, sessionise_in_parts
    from event_assets.transforms.sessions.sessions import sessions
    from event_assets_tests.engines import apache_spark, sail

    settings, rules = Settings(), SessionRules()
    cleaning = CleanRules(TrackingPlan.load(settings.plan), settings.first_day)
    cores = os.cpu_count() or 1
    processes = cores if engine == "sail" else 1
    with sail() if engine == "sail" else apache_spark() as spark:

        def read(name: str) -> DataFrame:
            rows: DataFrame = spark.read.parquet(str(folder / name))
            return rows

        steps: dict[str, Callable[[], list[DataFrame]]] = {
            "clean": lambda: [clean(read("raw"), cleaning, processes)],
            "duplicates": lambda: [duplicates(index_entries(read("clean")))],
            "sessionised": lambda: sessionise_in_parts(session_events(_counted(read), rules), rules, cores),
            "sessions": lambda: [sessions(read("sessionised"), _counted(read), rules)],
        }
        for _ in range(rounds):
            for name in steps:
                shutil.rmtree(folder / name, ignore_errors=True)
            took = {name: _took(partial(written, step, folder / name)) for name, step in steps.items()}
        return {"steps": took}


def written(frames: Callable[[], Sequence[DataFrame]], folder: Path) -> float:
    """Seconds that it takes to make the rows and write them, one frame after another."""
    began = time.perf_counter()
    for rows in frames():
        rows.write.option("compression", "zstd").mode("append").parquet(str(folder))
    return time.perf_counter() - began


def _took(work: Callable[[], object]) -> Took:
    began, cpu_began = time.perf_counter(), _cpu_seconds()
    work()
    return Took(time.perf_counter() - began, _cpu_seconds() - cpu_began)


def _cpu_seconds() -> float:
    """Processor time of this process and all below it, those that have ended among them."""
    this = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in (this, *this.children(recursive=True)))


def _counted(read: Callable[[str], DataFrame]) -> DataFrame:
    """The clean events that count, with the columns of enriched ones; what enrichment would fill is null."""
    from pyspark.sql import functions as F

    from event_assets.transforms.events.deduplicate import without

    missing = [column for column in ENRICHED_EVENTS.columns if column.name not in CLEAN_EVENTS.column_names]
    filled = {column.name: F.lit(None).cast(column.spark_type) for column in missing} | {"is_bot": F.lit(False)}
    revenue = F.when(F.col("event") == "purchase", F.get_json_object("properties", "$.revenue").cast("double"))
    filled["revenue_reporting"] = revenue
    return without(read("clean"), read("duplicates")).withColumns(filled)


def _duckdb(folder: Path, rounds: int) -> dict[str, Any]:
    sql = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    lines, out = str(folder / "lines/*.ndjson.zst"), str(folder / "duckdb.parquet")
    for _ in range(rounds):
        with duckdb.connect() as connection:
            connection.execute("SET threads = $threads", {"threads": len(os.sched_getaffinity(0))})
            took = _took(lambda: connection.execute(sql.format(lines=f"'{lines}'", out=f"'{out}'")))
    return took._asdict()


_SIDES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "sail": partial(_ours, engine="sail"),
    "spark": partial(_ours, engine="spark"),
    "duckdb": _duckdb,
}


def measured(side: str, folder: Path, benchmark: str = "pipeline", rounds: int = 1) -> tuple[dict[str, Any], int]:
    """What one side of a benchmark says of itself, and the most megabytes that its processes held at once."""
    command = [sys.executable, "-m", "benchmarks", benchmark, "--side", side, "--folder", str(folder)]
    command += ["--rounds", str(rounds)] if rounds > 1 else []
    output, memory = watched(command)
    return json.loads(output.splitlines()[-1]), memory


def _difference(folder: Path) -> dict[str, Any]:
    """How many sessions there are, and whether both sides have the same."""
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        sides = {"ours": folder / "sessions/*.parquet", "theirs": folder / "duckdb.parquet"}
        for name, path in sides.items():
            at = ", ".join(f"{column}::TIMESTAMP AS {column}" for column in ("start_at", "end_at"))
            connection.execute(
                f"CREATE VIEW {name} AS SELECT {_COMPARED} FROM (SELECT * REPLACE ({at}) FROM read_parquet('{path}'))"
            )
        count = _one(connection, "SELECT count(*) FROM ours")
        differing = sum(
            _one(connection, f"SELECT count(*) FROM (FROM {one} EXCEPT ALL FROM {other})")
            for one, other in (("ours", "theirs"), ("theirs", "ours"))
        )
    return {"sessions": count, "same_rows": differing == 0, "differing_rows": differing}


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])
