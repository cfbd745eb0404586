"""What came in the last minutes, and what of it is unusual."""

from __future__ import annotations

from event_assets.contract.tables.anomalies import METRIC_ANOMALIES
from event_assets.contract.tables.schema import Column, Table, required

MINUTE_EVENTS = Table(
    "minute_events",
    "What came in each minute, by app, platform and name of the event: one row a minute of arrival and value of a "
    "dimension, of the last ten days. Copies and robots are among them. All measures add up within a dimension.",
    (
        required("hour", "string", "Hour of arrival in UTC, such as 2026-11-27T14."),
        required("minute", "timestamp", "Beginning of the minute in which the stream took it."),
        required("dimension", "string", "app_id, platform or event; all of everything together."),
        required("value", "string", "Value of the dimension, (none) where there is none; (all) of everything."),
        required("landed", "long", "Events, whatever became of them."),
        required(
            "quarantined",
            "long",
            "Of these, events that do not keep the contract; of apps and platforms none is known.",
        ),
        required(
            "events",
            "long",
            "Of these, events that had just happened, so that no import and no phone that was offline is among them.",
            definition="arrived_at at most an hour after derived_at",
        ),
        required("errors", "long", "Of `events`, app_error."),
        required("conversions", "long", "Of `events`, those that the setting conversion_events names."),
        required(
            "delayed",
            "long",
            "Of `events`, those that took longer than a minute.",
            definition="arrived_at over a minute after derived_at",
        ),
        Column("lagged", "long", "Of `events`, those that the stream took more than five seconds after the collector."),
        Column("timed", "long", "Of `events`, those that say how long the largest contentful paint of a page took."),
        Column("slow", "long", "Of `timed`, those of more than four seconds: poor, as Core Web Vitals have it."),
    ),
    key=("hour", "minute", "dimension", "value"),
    partition_by=("hour",),
)

LANDING_LAG = Table(
    "landing_lag",
    "How long events lay on the stream before they were landed: one row a minute of arrival, of the last seventy days. "
    "It tells of the runs, by the commits of raw_events: what was counted is not counted again.",
    (
        required("day", "string", "Day of arrival in UTC, such as 2026-11-27."),
        required("minute", "timestamp", "Beginning of the minute in which the stream took them."),
        required("events", "long", "Events that were landed."),
        required(
            "waited",
            "long",
            "Of these, those that were landed more than five minutes later.",
            definition="commit of raw_events over 300 s after arrived_at",
        ),
        required("longest_seconds", "double", "How long the first of them waited.", unit="s"),
    ),
    key=("day", "minute"),
    partition_by=("day",),
)

MINUTE_ANOMALIES = Table(
    "minute_anomalies",
    "The same of minutes, by the hours before them and by yesterday and a week ago: of today and yesterday the minutes "
    "in which anything is unusual, with its metric, and those of the last two hours in which anything came. The last "
    "minute of the lake is left out.",
    METRIC_ANOMALIES.columns,
    key=METRIC_ANOMALIES.key,
)

TABLES: tuple[Table, ...] = (LANDING_LAG, MINUTE_EVENTS, MINUTE_ANOMALIES)
