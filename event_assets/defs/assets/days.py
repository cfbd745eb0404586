"""The days that a run names, and the partitions that Dagster shows them by. What is done on a day is not known here."""

from __future__ import annotations

import datetime as dt
import time
from math import inf
from typing import NamedTuple

import dagster as dg

DAYS_TAG = "event_assets/days"
"""Run tag: the days that a run is about, with commas between, however far apart they lie, whatever its partition is. A
range of partitions would make Dagster write an event for each of its partitions and assets before the run can begin."""
PAST_SECONDS = 7 * 86_400.0
"""Seconds between two materialisations of a day before yesterday."""


def key_of(partitions: dg.TimeWindowPartitionsDefinition, day: str) -> str | None:
    """The key of the partition that holds this day, of hourly ones the last that exists by now; None where there is
    none (yet)."""
    start = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC)
    last = partitions.get_last_partition_window()
    if last is None or not partitions.start <= start < last.end:
        return None
    within = dg.TimeWindow(start, min(start + dt.timedelta(days=1), last.end))
    keys = partitions.get_partition_keys_in_time_window(within)
    return keys[-1] if keys else partitions.get_partition_key_for_timestamp(start.timestamp())


class Lately(NamedTuple):
    """How many seconds ago a table was materialised last, and which of its partitions were not too long ago to be shown
    again."""

    seconds: float = inf
    partitions: frozenset[str] = frozenset()


def shown_lately(instance: dg.DagsterInstance, asset: dg.AssetKey) -> Lately:
    """What Dagster has of a table by any run. By numbers of events alone: those of a week take long to read."""
    now = time.time()
    last = instance.fetch_materializations(asset, limit=1).records
    if not last:
        return Lately()
    earlier = dg.AssetRecordsFilter(asset, before_timestamp=now - PAST_SECONDS)
    before = instance.fetch_materializations(earlier, limit=1).records
    since = before[0].storage_id if before else None
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    numbers = instance.get_latest_storage_id_by_partition(asset, kind, after_cursor=since)
    return Lately(now - last[0].timestamp, frozenset(numbers))
