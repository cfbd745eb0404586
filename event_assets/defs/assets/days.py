"""The days that a run names, and the partitions that Dagster shows them by. What is done on a day is not known here."""

from __future__ import annotations

import datetime as dt
import time

import dagster as dg

DAYS_TAG = "event_assets/days"
"""Run tag: the days that a run is about, with commas between, however far apart they lie, whatever its partition is. A
range of partitions would make Dagster write an event for each of its partitions and assets before the run can begin."""
PAST_SECONDS = 86_400.0
"""Seconds between two materialisations of a day before yesterday."""
_PAGE = 1_000


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


def shown_lately(instance: dg.DagsterInstance, asset: dg.AssetKey) -> dict[str, float]:
    """The partitions of a table that were materialised within the last day, with the seconds since then; "" where that
    was the table as a whole."""
    now = time.time()
    wanted = dg.AssetRecordsFilter(asset, after_timestamp=now - PAST_SECONDS)
    found: dict[str, float] = {}
    cursor, has_more = None, True
    while has_more:
        page = instance.fetch_materializations(wanted, limit=_PAGE, cursor=cursor, ascending=True)
        found |= {r.partition_key or "": now - r.timestamp for r in page.records}
        cursor, has_more = page.cursor, page.has_more
    return found
