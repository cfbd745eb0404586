"""A lake whose enriched events are given, with the tables of sessions that are made of them, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.sessions import sessions_step
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.factories import frame
from event_assets_tests.pipeline.runs import a_run

Row = dict[str, Any]
BY_PAGE = SessionRules(starts_with="page")
"""An `identify` alone makes no session, so that a test says who came when, and who somebody is, apart."""
TABLES = ("identities", "sessions", "session_issues", "page_views")


class EventsInALake:
    """Enriched events of one folder, which come and go."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark = spark
        self.lake = Lake(Storage(str(folder)))
        self.events: list[Row] = []

    def change(self, came: list[Row], went: list[Row] | None = None) -> None:
        """Events come, and go; the days that lost one are written again."""
        gone = {row["event_id"] for row in went or []}
        days = {str(row["event_date"]) for row in went or []}
        self.events = [row for row in self.events if row["event_id"] not in gone] + came
        again = [row for row in self.events if str(row["event_date"]) in days]
        base = self.lake.table(ENRICHED_EVENTS.name).snapshot()
        rows = [*again, *(row for row in came if str(row["event_date"]) not in days)]
        staged = base.table.stage(frame(self.spark, rows), 1, len(rows)) if rows else []
        base.table.commit(base, Progress(), add=staged, remove=base.of_dates(days))


class Visits(EventsInALake):
    """Enriched events, and the sessions that are made of them."""

    def run(self, window: Window = EVERYTHING, *, rebuild: bool = False) -> dict[str, StepReport]:
        """Brings the tables up to date."""
        reports = (identities_step(a_run(self.lake, self.spark)), *self.sessionise(window, rebuild=rebuild))
        return {report.table: report for report in reports}

    def sessionise(self, window: Window = EVERYTHING, *, rebuild: bool = False) -> tuple[StepReport, ...]:
        return sessions_step(a_run(self.lake, self.spark, window, rebuild=rebuild, sessions=BY_PAGE))

    def rows(self, table: str) -> list[Row]:
        rows: list[Row] = self.lake.table(table).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: str(list(row.values())))

    def owners(self) -> list[tuple[str, str]]:
        """The stitched user and the person of every session, in the order of their beginnings."""
        rows = sorted(self.rows("sessions"), key=lambda row: (row["start_at"], row["session_id"]))
        return [(row["stitched_user_id"], row["person_id"]) for row in rows]

    def files(self, table: str = "sessions") -> dict[str, set[str]]:
        """The files of each day."""
        found: dict[str, set[str]] = {}
        for file in self.lake.table(table).snapshot().files:
            found.setdefault(file.partition["event_date"], set()).add(file.path)
        return found
