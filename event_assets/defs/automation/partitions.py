"""The one definition of partitions that all partitioned assets share.

Dagster allows one per run, so one run and one command carry a day through the whole chain. The day that is under way
exists (`end_offset`). The granularity is a setting; asset code speaks of days, never of keys: what has come is worked
on whether or not Dagster has a partition for its day yet.
"""

from __future__ import annotations

import datetime as dt

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
