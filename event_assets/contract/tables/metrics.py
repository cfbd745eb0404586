"""What a day was like."""

from __future__ import annotations

from event_assets.contract.tables.events import EVENT_DATE
from event_assets.contract.tables.schema import InWarehouse, Table, required

DAILY_METRICS = Table(
    "daily_metrics",
    "One row a day and platform. Robots are left out.",
    (
        EVENT_DATE,
        required("platform", "string", "web, ios, android, desktop or server."),
        required("events", "long", "Events."),
        required("page_views", "long", "Views of pages and screens."),
        required("sessions", "long", "Sessions that began on the day."),
        required(
            "visitors",
            "long",
            "Distinct devices (else users) of those sessions.",
            definition="distinct coalesce(anonymous_id, user_id) of the sessions that began on the day",
        ),
        required(
            "known_users",
            "long",
            "Distinct signed-in users of those sessions.",
            definition="distinct user_id of the sessions that began on the day",
        ),
        required("engaged_sessions", "long", "Engaged sessions."),
        required("bounces", "long", "Bounces."),
        required("engaged_seconds", "long", "Engaged seconds.", unit="s"),
        required("conversions", "long", "Conversions."),
        required("revenue", "double", "Revenue of conversions."),
    ),
    key=("event_date", "platform"),
    partition_by=("event_date",),
    warehouse=InWarehouse("agg_daily", sort_key=("event_date",), sums=("events", "sessions", "revenue")),
)

TABLES: tuple[Table, ...] = (DAILY_METRICS,)
