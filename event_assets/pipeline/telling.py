"""What steps and loads tell to this process's meter and traces: how long they took, what came, what failed."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.pipeline.report import StepReport
from event_assets.streams import StoredRecord, StreamGap
from event_assets.telemetry import metrics as names
from event_assets.telemetry.process import meter, traces
from event_assets.telemetry.traces import MOST_AT_ONCE, Place
from event_assets.warehouse.loads import LoadMismatch

if TYPE_CHECKING:
    from event_assets.pipeline.load import Loaded

_ROWS = {CLEAN_EVENTS.name: names.EVENTS_CLEANED, QUARANTINED_EVENTS.name: names.EVENTS_QUARANTINED}


@contextmanager
def telling_step(name: str) -> Iterator[Callable[[Sequence[StepReport]], None]]:
    """Tells of a refresh: what it raises, or the reports that the block gives."""
    told, began, at = meter(), time.perf_counter(), time.time()

    def tell(reports: Sequence[StepReport]) -> None:
        _tell_reports(reports)
        rows = sum(report.new_rows for report in reports)
        if rows and name != RAW_EVENTS.name and (way := traces()):
            way.done(f"refresh {name}", at, time.time(), rows)

    try:
        yield tell
    except Exception as error:
        told.count(names.STEPS_FAILED)
        if isinstance(error, StreamGap):
            told.count(names.STREAM_GAPS)
        told.flush()
        raise
    seconds = time.perf_counter() - began
    told.value(names.STEP_SECONDS, round(seconds, 3))
    told.note("StepSecondsByTable", name, seconds)
    told.beat()


def _tell_reports(reports: Sequence[StepReport]) -> None:
    told = meter()
    for report in reports:
        if report.table in _ROWS:
            told.count(_ROWS[report.table], report.new_rows)
        if report.table == RAW_EVENTS.name and report.more.get("events"):
            told.count(names.EVENTS_LANDED, report.more["events"])
            oldest = dt.datetime.fromisoformat(report.more["oldest_arrived_at"])
            told.value(names.LANDING_SECONDS, round((dt.datetime.now(dt.UTC) - oldest).total_seconds(), 3))
        if report.new_rows:
            told.note("RowsByTable", report.table, report.new_rows)


Found = Sequence[tuple[Place, float]]
"""Records whose way is traced, each with when it arrived, in seconds since 1970."""


def traced_share() -> float:
    """Of how many records the way is traced here."""
    return 0.0 if (way := traces()) is None else way.share


class Traced:
    """Notes those of the records of a landing whose way is traced, where this share of all is; `MOST_AT_ONCE` at the
    most."""

    def __init__(self, stream: str, share: float) -> None:
        self.found: list[tuple[Place, float]] = []
        self._stream, self._share = stream, share

    def note(self, records: Sequence[StoredRecord]) -> None:
        """Records that are about to be landed."""
        for record in records if self._share else ():
            place = Place(self._stream, record.shard_id, record.sequence_number)
            if len(self.found) < MOST_AT_ONCE and place.is_of(self._share):
                self.found.append((place, record.arrived_at.timestamp()))


def tell_landed(found: Found) -> None:
    """These are in the lake; what this thread does next is of them."""
    if (way := traces()) is not None:
        way.landed(found[:MOST_AT_ONCE], time.time())


@contextmanager
def telling_load(name: str) -> Iterator[Callable[[Loaded], None]]:
    """Tells of a load: what it raises, or what the block gives."""
    told, began, at = meter(), time.perf_counter(), time.time()

    def tell(loaded: Loaded) -> None:
        rows = sum(report.inserted for report in loaded.reports)
        if rows and (way := traces()):
            way.done(f"load {name}", at, time.time(), rows)
        if rows:
            told.count(names.ROWS_LOADED, rows)
            told.note("RowsLoadedByTable", name, rows)

    try:
        yield tell
    except Exception as error:
        told.count(names.LOADS_FAILED)
        if isinstance(error, LoadMismatch):
            told.count(names.LOAD_MISMATCHES)
        told.flush()
        raise
    seconds = time.perf_counter() - began
    told.value(names.LOAD_SECONDS, round(seconds, 3))
    told.note("LoadSecondsByTable", name, seconds)
    told.beat()
