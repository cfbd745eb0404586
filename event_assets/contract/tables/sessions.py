"""Views of pages and screens, sessions, and the sessions that were cut."""

from __future__ import annotations

from event_assets.contract.tables.events import EVENT_DATE, SITE_DATE
from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

_PLACE = Column("geo_key", "string", "Its country (see places).")

PAGE_VIEWS = Table(
    "page_views",
    "One row a view of a page or of a screen, by the date on which it began.",
    (
        EVENT_DATE,
        required(
            "page_view_id",
            "string",
            "Id of the view.",
            definition="the page_view_id of the page_view event, else its event_id; of a screen_view its event_id",
        ),
        required("event_id", "string", "The page_view or screen_view event that counts."),
        required("session_id", "string", "Session it belongs to.", pii=True),
        Column("anonymous_id", "string", "Device of its session.", pii=True),
        Column("user_id", "string", "User id on that event.", pii=True),
        required("start_at", "timestamp", "When it began."),
        required("end_at", "timestamp", "Last sign of life: its last ping, else its beginning."),
        required(
            "engaged_seconds",
            "int",
            "Seconds visible and active, from pings.",
            definition="10 x (distinct 10-second slots of its pings' occurred_at - 1) + 5; 0 without pings",
            unit="s",
        ),
        required(
            "absolute_seconds",
            "int",
            "Whole seconds between beginning and end.",
            definition="whole-second boundaries between start_at and end_at",
            unit="s",
        ),
        Column(
            "scroll_percent",
            "int",
            "Furthest vertical scroll.",
            definition="round(100 x min(min(max(scroll y, 0), document height) + viewport height, document height) / "
            "document height), scroll y being the largest of its pings",
            unit="%",
        ),
        required(
            "index_in_session",
            "int",
            "Place in its session, from 1.",
            definition="by derived_at, occurred_at, event_id",
        ),
        required("views_in_session", "int", "Views of its session."),
        Column("url", "string", "URL of the page.", source=("enriched_events.page_url",)),
        Column("title", "string", "Title of the page.", source=("enriched_events.page_title",)),
        Column("path", "string", "Path of the page.", source=("enriched_events.page_path",)),
        Column("referrer", "string", "Referrer of the page.", source=("enriched_events.page_referrer",)),
        Column("channel_group", "string", "Default channel group of the view."),
        Column("device_type", "string", "desktop, mobile, tablet, bot or other."),
        required("is_bot", "boolean", "The user agent is a robot's."),
        Column("kind", "string", "page (a page_view) or screen (a screen_view)."),
        Column("screen_name", "string", "Name of the screen."),
        Column("platform", "string", "web, ios, android, desktop, server, tv, console or iot."),
        Column("app_id", "string", "Application."),
        Column("country", "string", "Country of the IP address, ISO 3166-1 alpha-2."),
        Column("page_key", "string", "Page or screen (see pages)."),
        _PLACE,
        SITE_DATE,
    ),
    key=("page_view_id",),
    partition_by=("event_date",),
    warehouse=InWarehouse(
        "fct_page_views",
        dist_key="anonymous_id",
        sort_key=("start_at",),
        sums=("engaged_seconds", "absolute_seconds"),
        are_events=True,
    ),
)

SESSIONS = Table(
    "sessions",
    "One row a session, by the date on which it began.",
    (
        EVENT_DATE,
        required("session_id", "string", "The client's session id, else a stable hash of key and beginning.", pii=True),
        Column("anonymous_id", "string", "Device of the session's earliest received event.", pii=True),
        Column("user_id", "string", "First user id seen in the session.", pii=True),
        Column("stitched_user_id", "string", "Last user id seen on the device at any time, else its own id.", pii=True),
        Column("person_id", "string", "The person it belongs to (see identities).", pii=True),
        required(
            "start_at",
            "timestamp",
            "When it began.",
            definition="the first derived_at of its events; 5 seconds earlier where the first view or ping is a ping",
        ),
        required("end_at", "timestamp", "Its last event.", definition="the last derived_at of its events"),
        required("events", "long", "Events of the session."),
        required(
            "page_views",
            "long",
            "Distinct views of pages and screens, pings included.",
            definition="distinct page_view_id of page_view (without one, its event_id) and page_ping events, and each "
            "screen_view event",
        ),
        required(
            "engaged_seconds",
            "int",
            "Seconds visible and active, from pings.",
            definition="10 x (distinct pairs of page view and 10-second slot - page views with pings) + 5 x page views "
            "with pings",
            unit="s",
        ),
        required(
            "absolute_seconds",
            "int",
            "Whole seconds between beginning and end.",
            definition="whole-second boundaries between start_at and end_at",
            unit="s",
        ),
        required(
            "is_engaged",
            "boolean",
            "Two views, enough engaged seconds, or a conversion.",
            definition="page_views >= 2, or engaged_seconds >= 20 (a setting), or conversions >= 1",
        ),
        required("is_bounce", "boolean", "One view and not engaged.", definition="page_views = 1 and not is_engaged"),
        required("is_cut", "boolean", "Cut for its length (24 hours; 3 days where the client gave the id)."),
        Column("entry_url", "string", "First page.", source=("enriched_events.page_url",)),
        Column("exit_url", "string", "Last page.", source=("enriched_events.page_url",)),
        Column("referrer", "string", "Referrer of the first page.", source=("enriched_events.page_referrer",)),
        Column("source", "string", "Source of the first page view, else of the first screen view, else event."),
        Column("medium", "string", "Medium of the same."),
        Column("campaign", "string", "Campaign of the same."),
        Column("channel_group", "string", "Default channel group of the same."),
        Column("browser", "string", "Browser of the same."),
        Column("os", "string", "Operating system of the same."),
        Column("device_type", "string", "Device type of the same."),
        required("platform", "string", "Platform of the same."),
        required("is_bot", "boolean", "Any of its events came from a robot."),
        required(
            "conversions",
            "long",
            "Conversions.",
            definition="events whose name is in the setting conversion_events; of those that tell of the same "
            "conversion, as by their order_id (see conversion_ids), the first alone",
        ),
        required("revenue", "double", "Sum of `revenue_reporting` over these events, exact to the sixth decimal."),
        Column(
            "sequence_gaps",
            "long",
            "Events lost before the collector, by gaps in `sequence`.",
            definition="last sequence - first sequence + 1 - events with a sequence, of each install and device where "
            "all such events name their install_id; else of the session, and null (unknown) where several installs "
            "number it: several devices, or a server or desktop app beside others. Null too where numbers count up "
            "neither by derived_at nor by occurred_at",
        ),
        Column(
            "landing_page", "string", "Path of the first page, as of the source.", source=("enriched_events.page_path",)
        ),
        Column("exit_page", "string", "Path of the last page.", source=("enriched_events.page_path",)),
        Column("app_id", "string", "Application of the same event as the source."),
        Column("country", "string", "Country of the same, ISO 3166-1 alpha-2."),
        Column(
            "language",
            "string",
            "Language of the same.",
            definition="the part of device_locale before the first - or _, in lower case",
            source=("enriched_events.device_locale",),
        ),
        Column("campaign_key", "string", "What it came by (see campaigns)."),
        Column("device_key", "string", "What it is of (see devices)."),
        _PLACE,
        SITE_DATE,
    ),
    key=("session_id",),
    partition_by=("event_date",),
    warehouse=InWarehouse(
        "fct_sessions",
        dist_key="anonymous_id",
        sort_key=("start_at",),
        sums=("events", "page_views", "engaged_seconds", "revenue"),
        indexes=("person_id",),
    ),
)

SESSION_ISSUES = Table(
    "session_issues",
    "One row a session of a client that did not end: it was cut, by the date on which it began.",
    (
        EVENT_DATE,
        required("session_id", "string", "The client's session id.", pii=True),
        required("reason", "string", "too_long: it ran on for more than 3 days after its earliest received event."),
        Column("anonymous_id", "string", "Device of the session's earliest received event.", pii=True),
        required("start_at", "timestamp", "When it began."),
        required("end_at", "timestamp", "Its last event before the cut."),
        required("last_event_at", "timestamp", "The last event with its id."),
        required("events_after_cut", "long", "Events that came after the cut, and count in no session."),
    ),
    key=("session_id",),
    partition_by=("event_date",),
    warehouse=InWarehouse("fct_session_issues", dist_key="anonymous_id", sort_key=("start_at",)),
)

EVENT_DAYS = Table(
    "event_days",
    "The narrow index by which a client session, a page view and the sessions of an id are found on whatever day.",
    (
        required("id_hash", "long", "Hash of what the id is of, and the id."),
        required("event_date", "date", "A day on which there is, or was, something of it."),
    ),
    key=("id_hash", "event_date"),
    sort_by=("event_date", "id_hash"),
)

TABLES: tuple[Table, ...] = (EVENT_DAYS, PAGE_VIEWS, SESSIONS, SESSION_ISSUES)
