"""The whole pipeline on one folder without Dagster: put records on a stream, bring every table up to date, look at
rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.consent import Refusal
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.records import pack
from event_assets.contract.site_zones import IN_UTC, SiteZones
from event_assets.contract.tables.attribution import (
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
    CONVERSION_PATHS,
    CONVERSIONS,
    TOUCHES,
)
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.pipeline.pending_days import BY_ARRIVAL, BY_EVENT_DATE, pending
from event_assets.pipeline.registry import STEPS, RefreshStep, refresh_all
from event_assets.pipeline.run import GivenRules, Run
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets.rules.analysis import Analyses
from event_assets.settings import Settings
from event_assets.streams import EventStream, StreamRecord, open_stream
from event_assets.transforms.events.clean import CleanRules
from event_assets.transforms.events.enrich import EnrichRules
from event_assets.transforms.sessions.sessionise import SessionRules

BY_PLACE = {
    "arrival_date",
    "arrival_hour",
    "arrived_at",
    "stream",
    "shard_id",
    "sequence_number",
    "line",
}
"""Columns that say how an event came, not what it says."""
OF_ATTRIBUTION = {TOUCHES, CONVERSIONS, CONVERSION_PATHS, ATTRIBUTION, CHANNEL_PERFORMANCE}
WITHOUT_ATTRIBUTION = tuple(step for step in STEPS if not OF_ATTRIBUTION.intersection(step.tables))
BY_DAY = tuple(step for step in STEPS if step.follows or RAW_EVENTS in step.tables)
"""The steps whose days can be behind: those that follow others day by day, and what the first of them follow."""


class Pipeline:
    """A stream and a lake below one folder."""

    def __init__(
        self,
        spark: SparkSession,
        folder: Path,
        plan: TrackingPlan | None = None,
        analyses: Analyses | None = None,
        zones: SiteZones = IN_UTC,
    ) -> None:
        self.spark = spark
        self.analyses = analyses or Analyses()
        self.settings = Settings(home=folder)
        self.plan = plan or TrackingPlan()
        self.enriching = EnrichRules(zones=zones)
        self.refusal: Refusal = "strip"
        self.more: dict[str, Any] = {}  # further rules, as GivenRules names them
        folder.mkdir(parents=True, exist_ok=True)
        self.stream: EventStream = open_stream(self.settings)
        self.stream.create(2)
        self.lake = Lake(Storage(str(folder / "lake")))

    def put(self, lines: Sequence[bytes], key: str = "k", encoding: Any = "zstd") -> None:
        """Puts events on the stream, as many records as they need."""
        self.put_records([StreamRecord(key, data) for data in pack(lines, encoding)])

    def put_records(self, records: Sequence[StreamRecord]) -> None:
        assert all(result.error is None for result in self.stream.put(records))

    def run(self, window: Window = EVERYTHING, *, rebuild: bool = False, steps: Sequence[RefreshStep] = STEPS) -> None:
        """One run over a window: each of these steps once."""
        refresh_all(self.refresh(window, rebuild=rebuild), steps)

    def refresh(self, window: Window = EVERYTHING, *, rebuild: bool = False) -> Run:
        """The refresh that a run is, for steps that are chosen elsewhere."""
        erasure = ErasureRules.of(self.settings)
        cleaning = CleanRules(self.plan, self.settings.first_day, self.refusal, pseudonyms=erasure.pseudonyms)
        sessions = SessionRules(zones=self.enriching.zones)
        rules = GivenRules(cleaning, self.enriching, sessions, analyses=self.analyses, erasure=erasure, **self.more)
        return Run.on(self.stream, self.lake, self.spark, rules, window, rebuild)

    def pending(self) -> dict[str, list[str]]:
        arrivals, late = pending(self.lake, BY_ARRIVAL), pending(self.lake, BY_EVENT_DATE)
        assert not arrivals.unreadable and not late.unreadable
        return {**arrivals.days, **late.days}

    def rows(self, table: str, without: Iterable[str] = ()) -> list[dict[str, Any]]:
        """All rows of a table in order, without the columns that do not matter."""
        hidden = set(without)
        rows = self.lake.table(table).snapshot().arrow().to_pylist()
        kept = [{name: value for name, value in row.items() if name not in hidden} for row in rows]
        return sorted(kept, key=lambda row: [str(value) for value in row.values()])

    def ledger(self) -> dict[str, int]:
        """The ledger of all hours together."""
        rows = self.rows("event_ledger")
        # What the log calls balanced, no check opens.
        assert all(file.low["balanced"] for file in self.lake.table("event_ledger").snapshot().files)
        assert all(row["balanced"] for row in rows), rows
        names = ("landed", "clean", "quarantined", "enriched", "duplicates", "conflicts", "pending")
        return {name: sum(row[name] for row in rows) for name in names}


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
