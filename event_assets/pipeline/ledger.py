"""event_ledger: the ledger of every hour of arrival that something happened to.

The counts of the tables are taken at versions that belong together: the raw records that the clean events were made of,
the copies that the enriched events were filtered by. So the ledger balances at any moment, also while other runs write.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.events import (
    CLEAN_EVENTS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_LEDGER,
    QUARANTINED_EVENTS,
    RAW_EVENTS,
)
from event_assets.lake.files import LakeFile
from event_assets.lake.horizons import closed_before
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable, retry_on_conflict
from event_assets.pipeline.pending_changes import pending_changes, was_recreated
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Run
from event_assets.pipeline.window import Window
from event_assets.transforms.events.deduplicate import POSITION
from event_assets.transforms.events.ledger import event_ledger

LEDGER_CODE = "3"
"""Version of the code that counts; raise it when the rows it gives change."""
_ATTEMPTS = 10
_DAYS_SHOWN = 3
_POSITION = list(POSITION)
_SOURCES = (CLEAN_EVENTS.name, QUARANTINED_EVENTS.name, ENRICHED_EVENTS.name, DUPLICATE_EVENTS.name)


class _Versions:
    """The tables at versions that belong together."""

    def __init__(self, lake: Lake) -> None:
        self.enriched = lake.table(ENRICHED_EVENTS.name).snapshot()
        copies = self.enriched.progress.consumed(DUPLICATE_EVENTS.name)
        self.duplicates = _as_taken_in(lake.table(DUPLICATE_EVENTS.name), copies)
        self.quarantined = lake.table(QUARANTINED_EVENTS.name).snapshot()
        self.clean = lake.table(CLEAN_EVENTS.name).snapshot()
        landed = self.clean.progress.consumed(RAW_EVENTS.name)
        self.raw = _as_taken_in(lake.table(RAW_EVENTS.name), landed)
        self.uncleaned = set(landed.pending)
        same = self.quarantined.progress.consumed(RAW_EVENTS.name) == landed
        horizons = (each.whole_since for each in (self.raw, self.clean, self.quarantined))
        self.counted_since = max(horizons)
        self.closed = closed_before(ENRICHED_EVENTS, (each.whole_since for each in (self.enriched, self.clean)))
        self.agree = same and not was_recreated(self.raw, landed) and not was_recreated(self.duplicates, copies)

    def days(self) -> set[str]:
        """The days of arrival that can be counted: of earlier ones something went by retention, and what was counted of
        them stays."""
        return {day for day in self.raw.dates() if day >= self.counted_since}

    def of(self, name: str) -> Snapshot:
        """The snapshot of a table that the ledger is made from."""
        return {
            CLEAN_EVENTS.name: self.clean,
            QUARANTINED_EVENTS.name: self.quarantined,
            ENRICHED_EVENTS.name: self.enriched,
            DUPLICATE_EVENTS.name: self.duplicates,
        }[name]


def _as_taken_in(table: LakeTable, consumed: Consumed) -> Snapshot:
    """The version that was taken in; of another table than that, the one that stands."""
    now = table.snapshot()
    return now if was_recreated(now, consumed) else table.at(max(consumed.watermark, 0))


def ledger_step(run: Run) -> StepReport:
    """Brings the ledger up to date: for the window's days of arrival and for every other that changed since the last
    time."""
    for name in (RAW_EVENTS.name, *_SOURCES):
        run.lake.table(name).snapshot()
    return retry_on_conflict(lambda: _keep(run.lake, run.spark, run.window))


def _keep(lake: Lake, spark: SparkSession, window: Window) -> StepReport:
    versions = _matching_versions(lake)
    base = lake.table(EVENT_LEDGER.name).snapshot()
    progress = base.progress
    for name in _SOURCES:
        pending = pending_changes(versions.of(name), progress)
        progress = progress.with_consumed(name, pending.after(pending.dates))
    if not versions.agree or (progress == base.progress and not base.files):
        return _report(base, [], [])
    dates = sorted((_changed(versions, base) | set(window.among(versions.days()))) - versions.uncleaned)
    staged = base.table.stage(_books(spark, versions, dates), len(dates), len(dates) * 24) if dates else []
    version = base.table.commit(base, progress, add=staged, remove=base.of_dates(dates))
    return _report(base.table.at(version), staged, dates)


def _matching_versions(lake: Lake) -> _Versions:
    versions = _Versions(lake)
    for _ in range(_ATTEMPTS):
        if versions.agree:
            break
        time.sleep(0.5)
        versions = _Versions(lake)
    return versions


def _changed(versions: _Versions, base: Snapshot) -> set[str]:
    """The days of arrival whose counts may differ from the ledger."""
    every = versions.days()
    if not base.files:
        return every
    changed: set[str] = set()
    for name in _SOURCES:
        snapshot, consumed = versions.of(name), base.progress.consumed(name)
        if was_recreated(snapshot, consumed):
            return every
        changes = snapshot.changes_since(consumed.watermark)
        active = {file.path: file for file in snapshot.files}
        for commit in changes.commits:
            if commit.replaced or any(path not in active for path in commit.added):
                return every
            changed |= _arrivals(active[path] for path in commit.added)
        if not changes.known:
            return every
    erasures = versions.enriched.erasures_since(base.progress.consumed(ENRICHED_EVENTS.name).watermark)
    changed |= {day for _, erasure in erasures for day in erasure["arrival_dates"]}
    return (changed | _unbalanced(base)) & every


def _unbalanced(base: Snapshot) -> set[str]:
    """The days that did not balance when they were counted: a step, or an erasure, was in the middle of them."""
    return {file.partition["arrival_date"] for file in base.files if file.low.get("balanced") is False}


def _arrivals(files: Iterable[LakeFile]) -> set[str]:
    """The days of arrival that the files' rows may be of, by their bounds: every day between the first and the last."""
    days: set[str] = set()
    for file in files:
        first = file.partition.get("arrival_date") or str(file.low.get("arrival_date", ""))
        last = file.partition.get("arrival_date") or str(file.high.get("arrival_date", ""))
        days |= {str(day) for day in _days(first, last)}
    return days


def _days(first: str, last: str) -> list[str]:
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [str(start + dt.timedelta(days=n)) for n in range((end - start).days + 1)]


def _books(spark: SparkSession, versions: _Versions, dates: list[str]) -> DataFrame:
    first, last = dates[0], dates[-1]

    def rows(snapshot: Snapshot) -> DataFrame:
        files = snapshot.select("arrival_date", first, last)
        return _arrived(snapshot.read(spark, files), dates)

    late = pending_changes(versions.clean, versions.enriched.progress, versions.enriched.dates).dates
    behind = sorted(day for day in late if day >= versions.closed)
    clean, enriched = rows(versions.clean), rows(versions.enriched)
    if behind:
        waiting, existing = _on(clean, behind), _on(enriched, behind)
        # Of a date that is behind, a row counts as enriched as long as the clean row that it was made of is there.
        enriched = _on(enriched, behind, not_on=True).unionByName(existing.join(waiting, _POSITION, "left_semi"))
        pending = waiting.join(existing, _POSITION, "left_anti")
    else:
        pending = versions.clean.read(spark, [])
    expired = None
    if versions.closed:
        old = clean.where(F.col("event_date") < F.lit(versions.closed).cast("date"))
        expired = old.join(rows(versions.enriched), _POSITION, "left_anti")
    raw, quarantined, duplicates = (rows(each) for each in (versions.raw, versions.quarantined, versions.duplicates))
    return event_ledger(raw, clean, quarantined, enriched, duplicates, pending, expired)


def _on(rows: DataFrame, event_dates: Sequence[str], *, not_on: bool = False) -> DataFrame:
    """The rows of these event dates, or all others."""
    wanted = rows.sparkSession.createDataFrame([(date,) for date in event_dates], "wanted string")
    dates = wanted.select(F.col("wanted").cast("date").alias("event_date"))
    return rows.join(dates, "event_date", "left_anti" if not_on else "left_semi").select(*rows.columns)


def _arrived(rows: DataFrame, dates: list[str]) -> DataFrame:
    return rows.where(F.col("arrival_date").isin([F.lit(date).cast("date") for date in dates]))


def _report(snapshot: Snapshot, staged: list[LakeFile], dates: list[str]) -> StepReport:
    shown = report_of(snapshot, staged, dates)
    return replace(shown, bars=_landed_per_hour(snapshot), bars_unit="events landed per hour")


def _landed_per_hour(ledger: Snapshot) -> list[tuple[str, float]]:
    """The last hours in which something arrived."""
    files = ledger.of_dates(sorted(ledger.dates())[-_DAYS_SHOWN:])
    rows = ledger.arrow(files, ("arrival_date", "arrival_hour", "landed")).to_pylist()
    landed = sorted((f"{row['arrival_date']} {row['arrival_hour']:02}:00", float(row["landed"])) for row in rows)
    return landed[-24 * _DAYS_SHOWN :]
