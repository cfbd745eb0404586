"""What a run that stays shows of the tables that it brings along: one materialisation a table and day, not too often.

Dagster keeps every one of them, so what is done within seconds is added up and shown the more seldom the longer events
come, and days long past are shown once a week, whichever run brings them.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import dagster as dg

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.defs.assets.days import PAST_SECONDS, Lately, key_of
from event_assets.defs.assets.materialising import data_version_of, metadata_of
from event_assets.defs.assets.warehouse import metadata_of_load
from event_assets.pipeline.following import Followed
from event_assets.pipeline.load import Loaded
from event_assets.pipeline.registry import STEPS, step_of, steps_of
from event_assets.pipeline.report import StepReport

EVERY_SECONDS, MOST_SECONDS = 30.0, 1800.0
"""Seconds from the first materialisation of a table to the second; from there on twice as many each time, up to the
most. A run that another went before begins with the most."""
SAME_SECONDS = 3600.0
"""Seconds between two materialisations of a table that did not change."""
_MOST_DAYS = 60
_DATA_VERSION = "dagster/data_version"
_BY_DAY = {(table.name,) for step in STEPS for table in step.tables if step.is_by_day} | {
    ("warehouse", table.name) for table in WAREHOUSE_TABLES if table.partition_by
}

_WITHIN_SECONDS = {(table.name,) for step in steps_of("seconds") for table in step.tables} | {
    ("warehouse", table.name) for table in WAREHOUSE_TABLES if step_of(table.lake).pace == "seconds"
}


@dataclass
class _Waiting:
    """What was done to a table since it was last shown."""

    report: StepReport | Loaded
    seconds: float
    rows: dict[str, int]
    lag_seconds: float | None


@dataclass
class _Shown:
    """When a table was last shown, at which version, and how many seconds it is to the next time."""

    at: float = -inf
    version: int = -1
    every: float = EVERY_SECONDS


@dataclass
class Reporting:
    """Adds up what is told, and gives what is to be shown of it. `lately` gives what runs before have shown of a
    table; it is asked once a table."""

    partitions: dg.TimeWindowPartitionsDefinition
    clock: Callable[[], float] = time.monotonic
    lately: Callable[[dg.AssetKey], Lately] = lambda asset: Lately()
    _waiting: dict[tuple[str, ...], _Waiting] = field(default_factory=dict)
    _shown: dict[tuple[str, ...], _Shown] = field(default_factory=dict)
    _partitions: dict[tuple[str, ...], dict[str, float]] = field(default_factory=dict)
    _oldest: dt.datetime | None = None

    def told(self, each: Followed) -> Iterator[dg.AssetMaterialization]:
        """Takes note of a table that was brought up to date; gives what of it is due."""
        if isinstance(each.report, StepReport) and "oldest_arrived_at" in each.report.more:
            self._oldest = dt.datetime.fromisoformat(each.report.more["oldest_arrived_at"])
        waiting = _Waiting(each.report, each.seconds, _rows(each.report), self._lag(each.asset))
        before = self._waiting.get(each.asset)
        self._waiting[each.asset] = _added(before, waiting) if before is not None else waiting
        shown = self._last_shown(each.asset)
        if self.clock() - shown.at >= (shown.every if shown.version != _version(each.report) else SAME_SECONDS):
            yield from self._show(each.asset)

    def rest(self) -> Iterator[dg.AssetMaterialization]:
        """What was not shown yet."""
        for asset, waiting in list(self._waiting.items()):
            if self._last_shown(asset).version != _version(waiting.report):
                yield from self._show(asset)

    def rest_of_days(self) -> Iterator[dg.AssetMaterialization]:
        """Of what was not shown yet the days alone, for a run beside another that shows the tables."""
        for asset, waiting in self._waiting.items():
            if asset in _BY_DAY:
                yield from _days(asset, self._keys(asset, waiting.rows))
        self._waiting.clear()

    def _last_shown(self, asset: tuple[str, ...]) -> _Shown:
        if asset not in self._shown:
            lately = self.lately(dg.AssetKey(list(asset)))
            at = self.clock() - lately.seconds
            self._shown[asset] = _Shown(at, every=MOST_SECONDS) if lately.seconds < MOST_SECONDS else _Shown()
            self._partitions[asset] = dict.fromkeys(lately.partitions, self.clock())
        return self._shown[asset]

    def _lag(self, asset: tuple[str, ...]) -> float | None:
        """Seconds since the oldest record of the micro-batch that brought the table along was put on the stream."""
        if self._oldest is None or asset not in _WITHIN_SECONDS:
            return None
        return round((dt.datetime.now(dt.UTC) - self._oldest).total_seconds(), 3)

    def _show(self, asset: tuple[str, ...]) -> Iterator[dg.AssetMaterialization]:
        waiting = self._waiting.pop(asset)
        before = self._last_shown(asset)
        every = min(2 * before.every, MOST_SECONDS) if before.at > -inf else EVERY_SECONDS
        self._shown[asset] = _Shown(self.clock(), _version(waiting.report), every)
        keys = list(self._keys(asset, waiting.rows)) if asset in _BY_DAY else []
        yield from _days(asset, keys[1:])
        newest = keys[0][0] if keys else None
        yield dg.AssetMaterialization(
            list(asset), metadata=_metadata(waiting), partition=newest, tags=_tags(waiting.report)
        )

    def _keys(self, asset: tuple[str, ...], rows: dict[str, int]) -> Iterator[tuple[str, int]]:
        """The partitions of the days that are due, the newest first, each with its new rows."""
        yesterday = str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1))
        shown, now = self._partitions[asset], self.clock()
        found: dict[str, int] = {}
        for day in sorted(rows, reverse=True):
            key = key_of(self.partitions, day)
            if key is None or (day < yesterday and key not in found and now - shown.get(key, -inf) < PAST_SECONDS):
                continue
            if len(found) == _MOST_DAYS:
                break
            found[key] = found.get(key, 0) + rows[day]
            shown[key] = now
        yield from found.items()


def _days(asset: tuple[str, ...], keys: Iterable[tuple[str, int]]) -> Iterator[dg.AssetMaterialization]:
    """Days of a table, the oldest first: what is told last is what Dagster shows of the table."""
    for key, rows in reversed([*keys]):
        yield dg.AssetMaterialization(list(asset), metadata={"new_rows": rows}, partition=key)


def _rows(report: StepReport | Loaded) -> dict[str, int]:
    return dict.fromkeys(report.dates, 0) if isinstance(report, Loaded) else dict(report.dates)


def _version(report: StepReport | Loaded) -> int:
    return report.lake_version if isinstance(report, Loaded) else report.version


def _added(one: _Waiting, other: _Waiting) -> _Waiting:
    rows = {day: one.rows.get(day, 0) + other.rows.get(day, 0) for day in one.rows.keys() | other.rows.keys()}
    report = other.report
    if isinstance(report, Loaded) and isinstance(one.report, Loaded):
        report = replace(report, reports=(*one.report.reports, *report.reports), dates=tuple(sorted(rows)))
    elif isinstance(report, StepReport) and isinstance(one.report, StepReport):
        report = replace(report, new_rows=one.report.new_rows + report.new_rows, dates=rows)
    return _Waiting(
        report, one.seconds + other.seconds, rows, max(one.lag_seconds or 0.0, other.lag_seconds or 0.0) or None
    )


def _metadata(waiting: _Waiting) -> dict[str, Any]:
    report = waiting.report
    told = (
        metadata_of_load(report, waiting.seconds)
        if isinstance(report, Loaded)
        else metadata_of(report, waiting.seconds)
    )
    return told | ({"lag_seconds": waiting.lag_seconds} if waiting.lag_seconds is not None else {})


def _tags(report: StepReport | Loaded) -> dict[str, str]:
    return {_DATA_VERSION: data_version_of(report).value} if isinstance(report, StepReport) else {}
