"""What a day, and a period, were like."""

from __future__ import annotations

from dataclasses import replace

from event_assets.contract.tables.events import EVENT_DATE, SITE_DATE
from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

_DAY = (EVENT_DATE, replace(SITE_DATE, nullable=False))
"""A row is of a day of the site, and of a day in UTC: a site's day lies in two of these, and their rows add up."""

DAILY_METRICS = Table(
    "daily_metrics",
    "One row a day of the site and platform, of each day in UTC that has part of it. All measures add up by site_date. "
    "Robots are left out.",
    (
        *_DAY,
        required("platform", "string", "web, ios, android, desktop, server, tv, console or iot."),
        required("events", "long", "Events."),
        required("page_views", "long", "Views of pages and screens."),
        required("sessions", "long", "Sessions that began on the day."),
        required(
            "visitors",
            "long",
            "Distinct devices (else users) of those sessions.",
            definition="distinct coalesce(anonymous_id, user_id) of the sessions that began on the day; one that comes "
            "on two UTC days of it counts on the first",
        ),
        required(
            "known_users",
            "long",
            "Distinct signed-in users of those sessions.",
            definition="distinct user_id of the same, likewise",
        ),
        required("engaged_sessions", "long", "Engaged sessions."),
        required("bounces", "long", "Bounces."),
        required("engaged_seconds", "long", "Engaged seconds.", unit="s"),
        required("conversions", "long", "Conversions."),
        required("revenue", "double", "Revenue of conversions."),
    ),
    key=("event_date", "site_date", "platform"),
    partition_by=("event_date",),
    warehouse=InWarehouse("agg_daily", sort_key=("event_date",), sums=("events", "sessions", "revenue")),
)

_BOT = required("is_bot", "boolean", "Robots.")
_APP = required("app_id", "string", "Application; (none) where it is not known.")
_PLATFORM = required("platform", "string", "web, ios, android, desktop, server, tv, console or iot.")
_COUNTRY = required("country", "string", "Country, ISO 3166-1 alpha-2; (none) where it is not known.")
_CHANNEL = required("channel_group", "string", "Default channel group; (none) where it is not known.")
_DEVICE = required("device_type", "string", "desktop, mobile, tablet, bot or other; (none) where it is not known.")

DAILY_SESSIONS = Table(
    "daily_sessions",
    "One row a day and combination of dimensions of the sessions that began on it. All measures add up.",
    (
        *_DAY,
        _APP,
        _PLATFORM,
        _COUNTRY,
        _CHANNEL,
        required("source", "string", "Source; (none) where there is none."),
        required("medium", "string", "Medium; (none) where there is none."),
        required("campaign", "string", "Campaign; (none) where there is none."),
        _DEVICE,
        _BOT,
        required("sessions", "long", "Sessions."),
        required("engaged_sessions", "long", "Engaged sessions."),
        required("bounces", "long", "Bounces."),
        required("converting_sessions", "long", "Sessions with a conversion."),
        required("events", "long", "Events of these sessions."),
        required("page_views", "long", "Views of pages and screens in these sessions."),
        required("engaged_seconds", "long", "Engaged seconds.", unit="s"),
        required("conversions", "long", "Conversions in these sessions."),
        required("revenue", "double", "Revenue of these conversions."),
    ),
    key=(
        *("event_date", "site_date", "app_id", "platform", "country", "channel_group", "source", "medium", "campaign"),
        *("device_type", "is_bot"),
    ),
    partition_by=("event_date",),
    warehouse=InWarehouse("agg_daily_sessions", sort_key=("event_date",), sums=("sessions", "page_views", "revenue")),
)

DAILY_EVENTS = Table(
    "daily_events",
    "One row a day, name of an event and combination of dimensions. All measures add up.",
    (
        *_DAY,
        required("event", "string", "Name of the event."),
        _APP,
        _PLATFORM,
        _COUNTRY,
        _DEVICE,
        _BOT,
        required("events", "long", "Events."),
        required("conversions", "long", "Of these, conversions that count."),
        required("revenue", "double", "Revenue of these conversions."),
    ),
    key=("event_date", "site_date", "event", "app_id", "platform", "country", "device_type", "is_bot"),
    partition_by=("event_date",),
    warehouse=InWarehouse("agg_daily_events", sort_key=("event_date",), sums=("events", "conversions", "revenue")),
)

HOURLY_EVENTS = Table(
    "hourly_events",
    "One row an hour in UTC, name of an event and combination of dimensions. All measures add up.",
    (
        EVENT_DATE,
        required("hour", "timestamp", "Beginning of the hour.", definition="derived_at, cut to the hour"),
        required("event", "string", "Name of the event."),
        _APP,
        _PLATFORM,
        _COUNTRY,
        _BOT,
        required("events", "long", "Events."),
        required("conversions", "long", "Of these, conversions that count."),
        required("revenue", "double", "Revenue of these conversions."),
        Column(
            "fresh",
            "long",
            "Of the events, those that the stream took within an hour of happening.",
            definition="arrived_at at most an hour after derived_at",
        ),
        Column("delayed", "long", "Of `fresh`, those that it took more than a minute after they happened."),
        Column("lagged", "long", "Of `fresh`, those that it took more than five seconds after the collector."),
        Column("timed", "long", "Events that say how long the largest contentful paint of a page took."),
        Column("slow", "long", "Of `timed`, those of more than four seconds: poor, as Core Web Vitals have it."),
    ),
    key=("event_date", "hour", "event", "app_id", "platform", "country", "is_bot"),
    partition_by=("event_date",),
)

DAILY_PAGES = Table(
    "daily_pages",
    "One row a day, page or screen and combination of dimensions of the views that began on it. All measures add up.",
    (
        *_DAY,
        required("page", "string", "Path of the page, else name of the screen; (none) where there is neither."),
        required("kind", "string", "page or screen."),
        _APP,
        _PLATFORM,
        _COUNTRY,
        _CHANNEL,
        _DEVICE,
        _BOT,
        required("views", "long", "Views."),
        required("entries", "long", "Views that are the first of their session."),
        required("exits", "long", "Views that are the last of their session."),
        required("engaged_seconds", "long", "Engaged seconds.", unit="s"),
        required("scrolled_views", "long", "Views of which the scroll is known."),
        required("scroll_percent", "long", "Sum of how far these were scrolled.", unit="%"),
    ),
    key=(
        *("event_date", "site_date", "page", "kind", "app_id", "platform", "country", "channel_group"),
        *("device_type", "is_bot"),
    ),
    partition_by=("event_date",),
    warehouse=InWarehouse("agg_daily_pages", sort_key=("event_date",), sums=("views", "entries", "engaged_seconds")),
)

PERIOD_PEOPLE = Table(
    "period_people",
    "Distinct people of a whole day or period by one dimension. They do not add up: who is there twice counts once. "
    "Robots are left out.",
    (
        required(
            "period",
            "string",
            "day, 7 days, 28 days, 90 days or month.",
            definition="the last so many days of the lake and as many before these; every calendar month; of the "
            "dimensions all, platform, app_id, country and channel_group each of the last 180 days, too",
        ),
        required("from_date", "date", "First day, by the site's clock."),
        required("to_date", "date", "Last day, of which there need not be events."),
        required(
            "dimension",
            "string",
            "all, platform, app_id, country, channel_group, source, campaign, device_type, event or page.",
        ),
        required("value", "string", "Value of the dimension; (none) where there is none, (all) of the dimension all."),
        required(
            "people",
            "long",
            "Distinct people.",
            definition="distinct person_id of the sessions that began in the period; by event of the events in it; by "
            "page of the views that began in it",
        ),
    ),
    key=("period", "from_date", "dimension", "value"),
    warehouse=InWarehouse("agg_period_people", sort_key=("period", "from_date"), sums=("people",)),
)

TABLES: tuple[Table, ...] = (
    DAILY_METRICS,
    DAILY_SESSIONS,
    DAILY_EVENTS,
    HOURLY_EVENTS,
    DAILY_PAGES,
    PERIOD_PEOPLE,
)
