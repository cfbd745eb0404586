"""The one definition of partitions that all partitioned assets share.

Dagster allows one per run, so one run and one command carry a day through the whole chain. The day that is under way
exists (`end_offset`). The granularity is a setting; asset code speaks of stretches of time, never of keys.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import dagster as dg

from event_assets.settings import Settings

Partitions = dg.TimeWindowPartitionsDefinition


def partitions_of(settings: Settings) -> Partitions:
    """Hourly, daily or monthly partitions from the first day on, in UTC."""
    first = dt.datetime.combine(settings.first_day, dt.time(), dt.UTC)
    if settings.partitions == "hourly":
        return dg.HourlyPartitionsDefinition(first, fmt="%Y-%m-%d-%H", end_offset=1)
    if settings.partitions == "monthly":
        return dg.MonthlyPartitionsDefinition(first.replace(day=1), end_offset=1)
    return dg.DailyPartitionsDefinition(first, end_offset=1)


def keys_of(partitions: Partitions, days: Sequence[str]) -> list[str]:
    """The keys of the partitions that hold these days and exist by now, in order; all hours of a day for hourly
    ones."""
    last = partitions.get_last_partition_window()
    keys: list[str] = []
    for day in days:
        start = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC)
        end = min(start + dt.timedelta(days=1), last.end) if last is not None else start
        within = partitions.get_partition_keys_in_time_window(dg.TimeWindow(start, end)) if start < end else []
        keys += within or [partitions.get_partition_key_for_timestamp(start.timestamp())]
    return list(dict.fromkeys(keys))


def ranges_of(partitions: Partitions, days: Iterable[str], most: int) -> list[dg.PartitionKeyRange]:
    """The ranges of partitions that hold these days and no others; one over all of them where that would be too
    many."""
    ranges: list[list[str]] = []
    follows: str | None = None
    for key in keys_of(partitions, sorted(days)):
        if key == follows:
            ranges[-1].append(key)
        else:
            ranges.append([key])
        follows = partitions.get_next_partition_key(key)
    if len(ranges) > most:
        ranges = [[ranges[0][0], ranges[-1][-1]]]
    return [dg.PartitionKeyRange(keys[0], keys[-1]) for keys in ranges]
