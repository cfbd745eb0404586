"""Every transform by itself: how many rows a second it takes in, on the embedded engine, from Parquet to Parquet.

Each is given what the ones before it wrote. Cleaning and enrichment are compared in the same run, and the way from raw
records to sessions with SQL written by hand for DuckDB. The engine is a process of its own, whose memory is watched.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.data import START
from benchmarks.pipeline import measured, write_records, written
from event_assets.contract.plan import TrackingPlan
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

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
        "all_rows_there": ours["clean"] == events == ours["events"],
    }


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{'transform':20}{'rows in':>12}{'rows out':>12}{'seconds':>10}{'rows/s':>12}"]
    for name, step in figures["transforms"].items():
        numbers = f"{step['rows_in']:>12,}{step['rows_out']:>12,}{step['seconds']:>10}{step['rows_per_second']:>12,}"
        lines.append(f"{name:20}{numbers}")
    return "\n".join([*lines, "", *(f"{name}: {value}" for name, value in figures.items() if name != "transforms")])


class _Files:
    """What the steps wrote: a folder of Parquet files each."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark = spark
        self._folder = folder
        self._schemas: dict[str, StructType] = {}

    def write(self, name: str, *frames: DataFrame) -> None:
        self._schemas[name] = frames[0].schema
        written(lambda: frames, self._folder / name)

    def read(self, name: str) -> DataFrame:
        """The rows of a step, or the raw records. No rows leave no file to tell the columns."""
        path = self._folder / name
        reader = self._spark.read
        wrote = any(path.glob("*.parquet"))
        rows: DataFrame = (reader if wrote else reader.schema(self._schemas[name])).parquet(str(path))
        return rows

    def kept(self, *frames: DataFrame) -> DataFrame:
        name = f"kept_{len(self._schemas)}"
        self.write(name, *frames)
        return self.read(name)


def _ours(folder: Path) -> dict[str, Any]:
    """Each transform, written before the next begins, as the assets do."""
    from event_assets_tests.engines import sail  # here, so that the process that watches does not hold Spark

    with sail() as spark:
        files = _Files(spark, folder)
        figures: dict[str, dict[str, Any]] = {}
        counts = {"raw": 0}
        for name, step in (_of_events(files) | _of_people(files) | _of_sources(files) | _of_product(files)).items():
            began = time.perf_counter()
            files.write(name, step.rows())  # making the rows may take work already
            seconds = time.perf_counter() - began
            counts[name] = files.read(name).count()
            rows_in = counts[step.takes] or counts["clean"]
            figures[name] = {
                "rows_in": rows_in,
                "rows_out": counts[name],
                "seconds": round(seconds, 3),
                "rows_per_second": round(rows_in / seconds),
            }
    return {"steps": figures, "clean": counts["clean"], "events": counts["enrich"] + counts["deduplicate"]}


def _of_events(files: _Files) -> dict[str, _Step]:
    from event_assets.transforms.events.clean import CleanRules, clean, quarantine
    from event_assets.transforms.events.deduplicate import duplicates, index_entries, without
    from event_assets.transforms.events.enrich import EnrichRules, enrich
    from event_assets.transforms.sessions.page_views import page_views
    from event_assets.transforms.sessions.session_issues import session_issues
    from event_assets.transforms.sessions.sessionise import SessionRules, session_events, sessionise
    from event_assets.transforms.sessions.sessions import sessions

    read, settings, rules = files.read, Settings(), SessionRules()
    cleaning = CleanRules(TrackingPlan.load(settings.plan), settings.first_day)
    return {
        "clean": _Step(lambda: clean(read("raw"), cleaning, os.cpu_count() or 1), "raw"),
        "quarantine": _Step(lambda: quarantine(read("raw"), cleaning, os.cpu_count() or 1), "raw"),
        "deduplicate": _Step(lambda: duplicates(index_entries(read("clean"))), "clean"),
        "enrich": _Step(lambda: enrich(without(read("clean"), read("deduplicate")), EnrichRules()), "clean"),
        "sessionise": _Step(lambda: sessionise(session_events(read("enrich"), rules), rules), "enrich"),
        "sessions": _Step(lambda: sessions(read("sessionise"), read("enrich"), rules), "enrich"),
        "session_issues": _Step(lambda: session_issues(read("sessionise"), rules), "enrich"),
        "page_views": _Step(lambda: page_views(read("sessionise"), read("enrich"), rules), "enrich"),
    }


def _of_people(files: _Files) -> dict[str, _Step]:
    from event_assets.transforms.identity.identities import identities
    from event_assets.transforms.identity.stitching import stitch, with_person
    from event_assets.transforms.metrics.daily_metrics import daily_metrics
    from event_assets.transforms.people.user_traits import user_traits
    from event_assets.transforms.people.users import users
    from event_assets.transforms.people.visitors import visitors
    from event_assets.transforms.segments.user_segments import user_segments
    from event_assets.transforms.sessions.sessionise import SessionRules

    read, rules = files.read, SessionRules()

    def everybody() -> DataFrame:
        return users(read("identities"), read("enrich"), read("sessions"), read("user_traits"), rules)

    def happened() -> DataFrame:
        return with_person(read("enrich"), read("identities"))

    def day() -> DataFrame:
        return daily_metrics(read("enrich"), read("sessions"), read("page_views"), rules)

    return {
        "identities": _Step(lambda: identities(read("enrich"), files.kept).rows, "enrich"),
        "visitors": _Step(lambda: visitors(read("enrich"), read("sessions")), "enrich"),
        "user_traits": _Step(lambda: user_traits(read("identities"), read("enrich")), "enrich"),
        "users": _Step(everybody, "enrich"),
        "user_segments": _Step(lambda: user_segments(read("users"), happened(), START.date()), "users"),
        "stitch": _Step(lambda: stitch(read("sessions"), read("identities")), "sessions"),
        "daily_metrics": _Step(day, "enrich"),
    }


def _of_sources(files: _Files) -> dict[str, _Step]:
    from event_assets.transforms.attribution.attribution import attribution, channel_performance
    from event_assets.transforms.attribution.conversion_paths import conversion_paths
    from event_assets.transforms.attribution.conversions import conversions
    from event_assets.transforms.attribution.touches import touches
    from event_assets.transforms.sessions.sessionise import SessionRules

    read, rules = files.read, SessionRules()
    return {
        "touches": _Step(lambda: touches(read("stitch"), read("page_views")), "sessions"),
        "conversions": _Step(lambda: conversions(read("enrich"), read("identities"), rules), "enrich"),
        "conversion_paths": _Step(lambda: conversion_paths(read("touches"), read("conversions")), "touches"),
        "attribution": _Step(lambda: attribution(read("conversion_paths")), "conversion_paths"),
        "channel_performance": _Step(lambda: channel_performance(read("conversion_paths"), None), "conversion_paths"),
    }


def _of_product(files: _Files) -> dict[str, _Step]:
    from event_assets.transforms.identity.stitching import with_person
    from event_assets.transforms.product.active_users import active_users
    from event_assets.transforms.product.funnels import funnel
    from event_assets.transforms.product.lifecycle import lifecycle
    from event_assets.transforms.product.paths import top_paths
    from event_assets.transforms.product.retention import retention
    from event_assets.transforms.product.stickiness import stickiness
    from event_assets.transforms.product.web_vitals import web_vitals
    from event_assets.transforms.segments.segment_memberships import segment_memberships

    def events() -> DataFrame:
        return with_person(files.read("enrich"), files.read("identities"))

    def views() -> DataFrame:
        return files.read("page_views").selectExpr("session_id", "event_id", "start_at AS derived_at", "path")

    def members() -> DataFrame:
        segments, day = Segments.load(Settings().segments).usable, START.date()
        return segment_memberships(
            events(), segments, day, traits=files.read("user_traits"), sessions=files.read("stitch")
        )

    steps = ["page_view", "add_to_cart", "purchase"]
    return {
        "funnel": _Step(lambda: funnel(events(), steps), "enrich"),
        "retention": _Step(lambda: retention(events(), "page_view", period="hour"), "enrich"),
        "lifecycle": _Step(lambda: lifecycle(events(), "page_view", period="hour"), "enrich"),
        "active_users": _Step(lambda: active_users(events()), "enrich"),
        "stickiness": _Step(lambda: stickiness(events()), "enrich"),
        "top_paths": _Step(lambda: top_paths(views(), "path"), "page_views"),
        "segment_memberships": _Step(members, "enrich"),
        "web_vitals": _Step(lambda: web_vitals(files.read("enrich")), "enrich"),
    }
