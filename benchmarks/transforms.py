"""Every transform by itself: how many rows a second it takes in, on the embedded engine, from Parquet to Parquet.

Each is given what the ones before it wrote. Cleaning and enrichment are compared in the same run, and the way from raw
records to sessions with SQL written by hand for DuckDB. The engine is a process of its own, whose memory is watched.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.pipeline import measured, write_records, written
from event_assets.contract.plan import TrackingPlan
from event_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_AS_IN_DUCKDB = ("clean", "deduplicate", "sessionise", "sessions")


class _Step(NamedTuple):
    """A transform: the rows that it gives, and the one whose rows it is measured by."""

    rows: Callable[[], DataFrame]
    takes: str


def main(argv: list[str]) -> int:
    """Runs the benchmark, or the transforms in a process of their own. 1 when a transform lost rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks transforms", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--side", choices=["ours"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.side:
        print(json.dumps(_ours(arguments.folder)))
        return 0
    with tempfile.TemporaryDirectory(prefix="event-assets-transforms-") as folder:
        figures = _measure(Path(folder), arguments.events)
    print(json.dumps(figures) if arguments.json else _table(figures))
    return 0 if figures["all_rows_there"] else 1


def _measure(folder: Path, events: int) -> dict[str, Any]:
    size = write_records(folder, events)
    ours, memory = measured("ours", folder, "transforms")
    theirs, duckdb_memory = measured("duckdb", folder)
    steps: dict[str, dict[str, Any]] = ours["steps"]
    alike = sum(steps[name]["seconds"] for name in _AS_IN_DUCKDB)
    ratio = steps["enrich"]["seconds"] / steps["clean"]["seconds"]
    return {
        "events": events,
        "bytes_per_event": round(size / events),
        "transforms": steps,
        "enrich_to_clean": round(ratio, 2),
        "enrichment_costs_less_than_clean": ratio < 1,
        "raw_to_sessions_events_per_second": round(events / alike),
        "duckdb_seconds": round(theirs["seconds"], 2),
        "raw_to_sessions_to_duckdb": round(alike / theirs["seconds"], 2),
        "peak_memory_mb": memory,
        "duckdb_peak_memory_mb": duckdb_memory,
        "all_rows_there": ours["clean"] == events == ours["enriched"] + ours["duplicates"],
    }


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{'transform':16}{'rows in':>12}{'rows out':>12}{'seconds':>10}{'rows/s':>12}"]
    for name, step in figures["transforms"].items():
        numbers = f"{step['rows_in']:>12,}{step['rows_out']:>12,}{step['seconds']:>10}{step['rows_per_second']:>12,}"
        lines.append(f"{name:16}{numbers}")
    return "\n".join([*lines, "", *(f"{name}: {value}" for name, value in figures.items() if name != "transforms")])


def _ours(folder: Path) -> dict[str, Any]:
    """Each transform, written before the next begins, as the assets do."""
    from event_assets_tests.engines import sail  # here, so that the process that watches does not hold Spark

    with sail() as spark:
        steps = _steps(spark, folder)
        figures: dict[str, dict[str, Any]] = {}
        counts = {"raw": 0}
        for name, step in steps.items():
            began = time.perf_counter()
            written(step.rows(), folder / name)  # making the rows may take work already
            seconds = time.perf_counter() - began
            counts[name] = _read(spark, folder, name).count()
            rows_in = counts[step.takes] or counts["clean"]
            figures[name] = {
                "rows_in": rows_in,
                "rows_out": counts[name],
                "seconds": round(seconds, 3),
                "rows_per_second": round(rows_in / seconds),
            }
    return {
        "steps": figures,
        "clean": counts["clean"],
        "enriched": counts["enrich"],
        "duplicates": counts["deduplicate"],
    }


def _read(spark: SparkSession, folder: Path, name: str) -> DataFrame:
    rows: DataFrame = spark.read.parquet(str(folder / name))
    return rows


def _steps(spark: SparkSession, folder: Path) -> dict[str, _Step]:
    from event_assets.transforms.clean import CleanRules, clean
    from event_assets.transforms.deduplicate import duplicates, index_entries, without
    from event_assets.transforms.enrich import EnrichRules, enrich
    from event_assets.transforms.identities import identities
    from event_assets.transforms.metrics import daily_metrics
    from event_assets.transforms.page_views import page_views
    from event_assets.transforms.segments import user_segments
    from event_assets.transforms.sessionise import SessionRules, session_events, sessionise
    from event_assets.transforms.sessions import sessions
    from event_assets.transforms.user_traits import user_traits
    from event_assets.transforms.users import users
    from event_assets.transforms.visitors import visitors

    settings, rules = Settings(), SessionRules()
    cleaning = CleanRules(TrackingPlan.load(settings.plan), settings.first_day)
    held = 0

    def read(name: str) -> DataFrame:
        return _read(spark, folder, name)

    def kept(rows: DataFrame) -> DataFrame:
        nonlocal held
        held += 1
        written(rows, folder / f"held_{held}")
        return spark.read.schema(rows.schema).parquet(str(folder / f"held_{held}"))

    def marked() -> DataFrame:
        return sessionise(session_events(read("enrich"), rules), rules)

    return {
        "clean": _Step(lambda: clean(read("raw"), cleaning, os.cpu_count() or 1), "raw"),
        "deduplicate": _Step(lambda: duplicates(index_entries(read("clean"))), "clean"),
        "enrich": _Step(lambda: enrich(without(read("clean"), read("deduplicate")), EnrichRules()), "clean"),
        "sessionise": _Step(marked, "enrich"),
        "sessions": _Step(lambda: sessions(read("sessionise"), read("enrich"), rules), "sessionise"),
        "page_views": _Step(lambda: page_views(read("sessionise"), read("enrich"), rules), "sessionise"),
        "identities": _Step(lambda: identities(read("enrich"), kept).rows, "enrich"),
        "visitors": _Step(lambda: visitors(read("enrich"), read("sessions")), "enrich"),
        "user_traits": _Step(lambda: user_traits(read("identities"), read("enrich")), "enrich"),
        "users": _Step(
            lambda: users(read("identities"), read("enrich"), read("sessions"), read("user_traits"), rules), "enrich"
        ),
        "user_segments": _Step(lambda: user_segments(read("users"), dt.date(2026, 11, 20)), "users"),
        "daily_metrics": _Step(
            lambda: daily_metrics(read("enrich"), read("sessions"), read("page_views"), rules), "enrich"
        ),
    }
