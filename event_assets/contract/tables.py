"""The columns of every table, written once.

Arrow and Spark schemas, warehouse DDL, Dagster column schemas, checks and docs are made from these. No engine, no
storage and no Dagster here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import pyarrow as pa

ColumnType = Literal["string", "int", "long", "double", "boolean", "timestamp", "date", "binary"]

_ARROW: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "binary": pa.binary(),
}
_SPARK: dict[ColumnType, str] = {
    "string": "STRING",
    "int": "INT",
    "long": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "binary": "BINARY",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is called, what it holds, what it means.

    `definition` is the formula of what is computed, in the words of the columns that it is made from. `source` names
    the lake columns it is made from as `table.column`; empty means the same name upstream.
    """

    name: str
    type: ColumnType
    description: str
    nullable: bool = True
    unit: str = ""
    pii: bool = False
    definition: str = ""
    source: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """What it means, how it is defined and its unit, in the same words everywhere it is told."""
        definition = f" Definition: {self.definition}." if self.definition else ""
        unit = f" Unit: {self.unit}." if self.unit else ""
        return self.description + definition + unit

    @property
    def spark_type(self) -> str:
        """The type as Spark names it."""
        return _SPARK[self.type]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns, what a row is, how it is laid out.

    `partition_by` are the columns of the folder layout; `key` the columns that are unique in it.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = field(default=())

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name. Raises `KeyError`."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")

    def arrow_schema(self) -> pa.Schema:
        return pa.schema([pa.field(c.name, _ARROW[c.type], c.nullable) for c in self.columns])

    def spark_schema(self) -> str:
        """The columns as Spark DDL: `event_id STRING, …`."""
        return ", ".join(f"{c.name} {c.spark_type}" for c in self.columns)


def _required(name: str, type_: ColumnType, description: str, **more: object) -> Column:
    return Column(name, type_, description, nullable=False, **more)  # type: ignore[arg-type]


_ARRIVAL = (
    _required("arrival_date", "date", "UTC date on which the stream took the record."),
    _required("arrival_hour", "int", "UTC hour on which the stream took the record.", unit="hour"),
)
_POSITION = (
    _required("arrived_at", "timestamp", "When the stream took the record."),
    _required("stream", "string", "Stream that the record came on."),
    _required("shard_id", "string", "Shard of that stream."),
    _required("sequence_number", "string", "Place in the shard; 56 digits, so that text order is stream order."),
)
_LINE = _required("line", "int", "Place of the event in its record, from 0.")

_EVENT = (
    _required("event_id", "string", "Id made by the client, the same over every retry."),
    _required("event", "string", "Name of the event."),
    _required("schema_version", "int", "Version of the tracking-plan entry."),
    Column("anonymous_id", "string", "Id of the device or browser.", pii=True),
    Column("user_id", "string", "Id of the signed-in user.", pii=True),
    Column("session_id", "string", "Session id given by the client."),
    Column("page_view_id", "string", "Page view id given by the client."),
    Column("sequence", "long", "Counts up per anonymous_id and install; gaps are events lost before the collector."),
    Column("occurred_at", "timestamp", "Client clock: when it happened."),
    Column("sent_at", "timestamp", "Client clock: when the request left."),
    _required("received_at", "timestamp", "When the collector took it, or as a trusted source says."),
    _required(
        "derived_at",
        "timestamp",
        "When it happened, by the server's clock (see the time rules).",
        definition="given by a trusted import, else received_at - (sent_at - occurred_at) where occurred_at <= "
        "sent_at, else received_at",
    ),
    _required("platform", "string", "web, ios, android, desktop or server."),
    Column("app_id", "string", "Application."),
    Column("app_version", "string", "Version of the application."),
    Column("app_build", "string", "Build of the application."),
    Column("page_url", "string", "URL of the page."),
    Column("page_title", "string", "Title of the page."),
    Column("page_referrer", "string", "Referrer of the page."),
    Column("screen_name", "string", "Screen of a mobile or desktop app."),
    Column("screen_width", "int", "Width of the screen.", unit="px"),
    Column("screen_height", "int", "Height of the screen.", unit="px"),
    Column("viewport_width", "int", "Width of the viewport.", unit="px"),
    Column("viewport_height", "int", "Height of the viewport.", unit="px"),
    Column("document_width", "int", "Width of the document.", unit="px"),
    Column("document_height", "int", "Height of the document.", unit="px"),
    Column("scroll_x_max", "int", "Furthest horizontal scroll since the ping before.", unit="px"),
    Column("scroll_y_max", "int", "Furthest vertical scroll since the ping before.", unit="px"),
    Column("device_user_agent", "string", "User agent."),
    Column("device_model", "string", "Model of the device."),
    Column("device_os", "string", "Operating system, as the client says."),
    Column("device_os_version", "string", "Its version, as the client says."),
    Column("device_locale", "string", "Locale of the device."),
    Column("device_timezone", "string", "Time zone of the device."),
    Column("ip", "string", "IP address, after the privacy setting.", pii=True),
    Column("consent_analytics", "boolean", "Consent to analytics."),
    Column("consent_marketing", "boolean", "Consent to marketing."),
    Column("consent_personalisation", "boolean", "Consent to personalisation."),
    Column("properties", "string", "Properties of the event, as JSON."),
    Column("traits", "string", "Traits of the user, as JSON.", pii=True),
    Column("library_name", "string", "SDK that sent it."),
    Column("library_version", "string", "Version of the SDK."),
    Column("extra", "string", "Top-level fields that the contract does not know, as a JSON object."),
    Column("plan_violations", "string", "What the tracking plan warns about."),
)
_EVENT_DATE = _required("event_date", "date", "UTC date of derived_at.")

RAW_EVENTS = Table(
    "raw_events",
    "The stream's records as they came: one row a record, bytes untouched. Its commit log is the checkpoint.",
    (
        *_ARRIVAL,
        *_POSITION,
        _required("partition_key", "string", "Partition key of the record.", pii=True),
        _required("data", "binary", "The record, byte for byte.", pii=True),
        _required("events", "int", "Events that the record holds; 1 where it cannot be unpacked."),
    ),
    key=("stream", "shard_id", "sequence_number"),
    partition_by=("arrival_date", "arrival_hour"),
)

CLEAN_EVENTS = Table(
    "clean_events",
    "Events that keep the contract, by arrival, duplicates included.",
    (*_ARRIVAL, *_POSITION, _LINE, *_EVENT, _EVENT_DATE),
    key=("stream", "shard_id", "sequence_number", "line"),
    partition_by=("arrival_date", "arrival_hour"),
)

QUARANTINED_EVENTS = Table(
    "quarantined_events",
    "What could not be cleaned: the bytes, the reason and where they came from.",
    (
        *_ARRIVAL,
        *_POSITION,
        _LINE,
        _required("reason", "string", "Reason code: malformed_json, missing_field, wrong_type, future, …"),
        _required("detail", "string", "The rule that was broken, for people."),
        Column("event_id", "string", "The event's id, where one could be read."),
        Column("event", "string", "The event's name, where one could be read."),
        _required("data", "binary", "The event, or the whole record where it cannot be unpacked.", pii=True),
    ),
    key=("stream", "shard_id", "sequence_number", "line"),
    partition_by=("arrival_date", "arrival_hour"),
)

EVENT_IDS = Table(
    "event_ids",
    "The narrow index of every clean event, by which duplicates are found however far apart they arrive.",
    (
        _required("event_id", "string", "Id of the event."),
        _required("received_at", "timestamp", "When the collector took this copy."),
        *_POSITION[1:],
        _LINE,
        _required("arrival_date", "date", "UTC date on which the stream took this copy."),
        _required("arrival_hour", "int", "UTC hour on which the stream took this copy."),
        _EVENT_DATE,
        _required("content_hash", "long", "Hash of what the event says; another one under the same id is a conflict."),
    ),
    key=("stream", "shard_id", "sequence_number", "line"),
)

DUPLICATE_EVENTS = Table(
    "duplicate_events",
    "Copies that do not count: for each event_id all but the earliest received_at (ties: lowest stream position).",
    (
        *EVENT_IDS.columns,
        _required("is_conflict", "boolean", "The copy says something else than the one that counts."),
    ),
    key=("stream", "shard_id", "sequence_number", "line"),
)

ENRICHED_EVENTS = Table(
    "enriched_events",
    "Every event once, by the date on which it happened, with device, source and landing fields.",
    (
        _EVENT_DATE,
        *_EVENT,
        *_ARRIVAL,
        *_POSITION,
        _LINE,
        Column(
            "country",
            "string",
            "Country of the IP address, ISO 3166-1 alpha-2; by the bundled database the one it is registered in.",
        ),
        Column("page_host", "string", "Host of the page."),
        Column("page_path", "string", "Path of the page."),
        Column("browser", "string", "Browser family from the user agent."),
        Column("browser_version", "string", "Major version of the browser."),
        Column("os", "string", "Operating system from the user agent, else as the client says."),
        Column("os_version", "string", "Major version of the operating system."),
        Column(
            "device_type",
            "string",
            "desktop, mobile, tablet, bot or other.",
            definition="bot where is_bot, else what the user agent tells, else what the platform implies, else other",
        ),
        _required(
            "is_bot",
            "boolean",
            "The user agent is a robot's.",
            definition="uap-core's Spider family, a crawler-user-agents pattern, a bot, spider, crawl or HTTP client "
            "expression, or the client's own is_bot",
        ),
        Column("bot_reason", "string", "What told that it is one."),
        Column("referrer_host", "string", "Host of the referrer."),
        Column("referrer_medium", "string", "internal, search, social, email, paid or unknown."),
        Column("referrer_source", "string", "Name of the referring site, where it is a known one: Google, Facebook, …"),
        Column("search_term", "string", "What was searched for, where the referrer tells."),
        Column("source", "string", "utm_source, else from click id or referrer."),
        Column("medium", "string", "utm_medium, else from click id or referrer."),
        Column("campaign", "string", "utm_campaign."),
        Column("term", "string", "utm_term."),
        Column("content", "string", "utm_content."),
        Column("click_id", "string", "Advertising click id."),
        Column(
            "channel_group",
            "string",
            "Default channel group.",
            definition="the first of GA4's default rules, in GA4's order, that source, medium and campaign meet",
        ),
        Column("enrichment_failures", "string", "Enrichments that failed on this event, as `name: why`."),
        Column("region", "string", "Region of the IP address, where a database that is named in settings knows it."),
        Column("city", "string", "City of the IP address, where such a database knows it."),
        Column("asn", "long", "Number of the autonomous system that the IP address belongs to, where it is known."),
        Column("as_organization", "string", "Who runs that autonomous system."),
        Column("revenue", "double", "The property `revenue`, as it was sent.", unit="currency"),
        Column("currency", "string", "The property `currency`, ISO 4217."),
        Column(
            "revenue_reporting",
            "double",
            "revenue in the reporting currency, by the last rate at most 7 days before event_date; as it was sent "
            "where no reporting currency is set or no currency was sent.",
            unit="currency",
        ),
        Column("lcp_ms", "double", "Largest contentful paint, of web_vitals and page_view events.", unit="ms"),
        Column("inp_ms", "double", "Interaction to next paint, of the same.", unit="ms"),
        Column("fid_ms", "double", "First input delay, of the same.", unit="ms"),
        Column("cls", "double", "Cumulative layout shift, of the same; has no unit."),
        Column("custom", "string", "What the project's own enrichments gave, as a JSON object by their names."),
        Column("enrichments", "string", "Every enrichment with its version, and the edition of the data it goes by."),
    ),
    key=("event_id",),
    partition_by=("event_date",),
    sort_by=("derived_at",),
)

EVENT_DAYS = Table(
    "event_days",
    "The narrow index by which a client session, a page view and the sessions of an id are found on whatever day.",
    (
        _required("id_hash", "long", "Hash of what the id is of, and the id."),
        _required("event_date", "date", "A day on which there is, or was, something of it."),
    ),
    key=("id_hash", "event_date"),
)

PAGE_VIEWS = Table(
    "page_views",
    "One row a page view, by the date on which it began.",
    (
        _EVENT_DATE,
        _required("page_view_id", "string", "Id of the page view."),
        _required("event_id", "string", "The page_view event that counts."),
        _required("session_id", "string", "Session it belongs to."),
        Column("anonymous_id", "string", "Device of its session.", pii=True),
        Column("user_id", "string", "User id on the page_view event.", pii=True),
        _required("start_at", "timestamp", "When it began."),
        _required("end_at", "timestamp", "Last sign of life: its last ping, else its beginning."),
        _required(
            "engaged_seconds",
            "int",
            "Seconds visible and active, from pings.",
            definition="10 x (distinct 10-second slots of its pings' occurred_at - 1) + 5; 0 without pings",
            unit="s",
        ),
        _required(
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
        _required(
            "index_in_session",
            "int",
            "Place in its session, from 1.",
            definition="by derived_at, occurred_at, event_id",
        ),
        _required("views_in_session", "int", "Page views of its session."),
        Column("url", "string", "URL of the page.", source=("enriched_events.page_url",)),
        Column("title", "string", "Title of the page.", source=("enriched_events.page_title",)),
        Column("path", "string", "Path of the page.", source=("enriched_events.page_path",)),
        Column("referrer", "string", "Referrer of the page.", source=("enriched_events.page_referrer",)),
        Column("channel_group", "string", "Default channel group of the page view."),
        Column("device_type", "string", "desktop, mobile, tablet, bot or other."),
        _required("is_bot", "boolean", "The user agent is a robot's."),
    ),
    key=("page_view_id",),
    partition_by=("event_date",),
)

SESSIONS = Table(
    "sessions",
    "One row a session, by the date on which it began.",
    (
        _EVENT_DATE,
        _required("session_id", "string", "The client's session id, else a stable hash of key and beginning."),
        Column("anonymous_id", "string", "Device of the session's earliest received event.", pii=True),
        Column("user_id", "string", "First user id seen in the session.", pii=True),
        Column("stitched_user_id", "string", "Last user id seen on the device at any time, else its own id.", pii=True),
        Column("person_id", "string", "The person it belongs to (see identities).", pii=True),
        _required(
            "start_at",
            "timestamp",
            "When it began.",
            definition="the first derived_at of its events; 5 seconds earlier where the first page event is a ping",
        ),
        _required("end_at", "timestamp", "Its last event.", definition="the last derived_at of its events"),
        _required("events", "long", "Events of the session."),
        _required(
            "page_views",
            "long",
            "Distinct page views, pings included.",
            definition="distinct page_view_id over page_view and page_ping events",
        ),
        _required(
            "engaged_seconds",
            "int",
            "Seconds visible and active, from pings.",
            definition="10 x (distinct pairs of page view and 10-second slot - page views with pings) + 5 x page views "
            "with pings",
            unit="s",
        ),
        _required(
            "absolute_seconds",
            "int",
            "Whole seconds between beginning and end.",
            definition="whole-second boundaries between start_at and end_at",
            unit="s",
        ),
        _required(
            "is_engaged",
            "boolean",
            "Two page views, enough engaged seconds, or a conversion.",
            definition="page_views >= 2, or engaged_seconds >= 20 (a setting), or conversions >= 1",
        ),
        _required(
            "is_bounce", "boolean", "One page view and not engaged.", definition="page_views = 1 and not is_engaged"
        ),
        _required("is_cut", "boolean", "Cut for its length (24 hours; 3 days where the client gave the id)."),
        Column("entry_url", "string", "First page.", source=("enriched_events.page_url",)),
        Column("exit_url", "string", "Last page.", source=("enriched_events.page_url",)),
        Column("referrer", "string", "Referrer of the first page.", source=("enriched_events.page_referrer",)),
        Column("source", "string", "Source of the first page view, else of the first event."),
        Column("medium", "string", "Medium of the same."),
        Column("campaign", "string", "Campaign of the same."),
        Column("channel_group", "string", "Default channel group of the same."),
        Column("browser", "string", "Browser of the same."),
        Column("os", "string", "Operating system of the same."),
        Column("device_type", "string", "Device type of the same."),
        _required("platform", "string", "Platform of the same."),
        _required("is_bot", "boolean", "Any of its events came from a robot."),
        _required(
            "conversions",
            "long",
            "Conversion events.",
            definition="events whose name is in the setting conversion_events",
        ),
        _required("revenue", "double", "Sum of `revenue_reporting` over conversion events."),
        Column(
            "sequence_gaps",
            "long",
            "Events lost before the collector, by gaps in `sequence`.",
            definition="last sequence - first sequence + 1 - events with a sequence, at least 0; "
            "null where several devices share it",
        ),
    ),
    key=("session_id",),
    partition_by=("event_date",),
)

SESSION_ISSUES = Table(
    "session_issues",
    "One row a session of a client that did not end: it was cut, by the date on which it began.",
    (
        _EVENT_DATE,
        _required("session_id", "string", "The client's session id."),
        _required("reason", "string", "too_long: it ran on for more than 3 days after its earliest received event."),
        Column("anonymous_id", "string", "Device of the session's earliest received event.", pii=True),
        _required("start_at", "timestamp", "When it began."),
        _required("end_at", "timestamp", "Its last event before the cut."),
        _required("last_event_at", "timestamp", "The last event with its id."),
        _required("events_after_cut", "long", "Events that came after the cut, and count in no session."),
    ),
    key=("session_id",),
    partition_by=("event_date",),
)

VISITORS = Table(
    "visitors",
    "One row an anonymous_id.",
    (
        _required("anonymous_id", "string", "Id of the device or browser.", pii=True),
        Column("user_id", "string", "Last user id seen on the device, by received_at.", pii=True),
        _required("stitched_user_id", "string", "That user id, else the anonymous id.", pii=True),
        _required("first_seen_at", "timestamp", "First event."),
        _required("last_seen_at", "timestamp", "Last event."),
        _required("events", "long", "Events."),
        _required("sessions", "long", "Sessions."),
        _required("page_views", "long", "Page views."),
        _required("engaged_seconds", "long", "Engaged seconds.", unit="s"),
    ),
    key=("anonymous_id",),
)

IDENTITIES = Table(
    "identities",
    "Which ids are one person: one row an id.",
    (
        _required("id_type", "string", "anonymous or user."),
        _required("id", "string", "The id.", pii=True),
        _required("person_id", "string", "The person: the smallest id of the component by (first seen, id)."),
        _required("first_seen_at", "timestamp", "First event with the id."),
        _required("last_seen_at", "timestamp", "Last event with the id."),
        _required("is_shared", "boolean", "A device with more than five user ids: it joins none."),
        Column("user_id", "string", "Last user id seen on the device, by received_at.", pii=True),
    ),
    key=("id_type", "id"),
)

USER_TRAITS = Table(
    "user_traits",
    "What is known of a person, and from when to when: one row a value that a trait had.",
    (
        _required("person_id", "string", "The person."),
        _required("trait", "string", "Name of the trait, its first 128 characters."),
        _required("value", "string", "What it was, as JSON.", pii=True),
        _required("from_at", "timestamp", "When the event that said so happened (derived_at)."),
        Column("to_at", "timestamp", "When an event said something else; null while it holds."),
        _required("is_current", "boolean", "It holds."),
        _required("event_id", "string", "The event that said so."),
    ),
    key=("person_id", "trait", "from_at", "event_id"),
)

USERS = Table(
    "users",
    "One row a person.",
    (
        _required("person_id", "string", "The person."),
        _required("user_ids", "string", "Their user ids, as a sorted JSON list.", pii=True),
        _required("anonymous_ids", "string", "Their anonymous ids, as a sorted JSON list.", pii=True),
        _required("first_seen_at", "timestamp", "First event."),
        _required("last_seen_at", "timestamp", "Last event."),
        _required("sessions", "long", "Sessions."),
        _required("events", "long", "Events."),
        _required("page_views", "long", "Page views."),
        _required("conversions", "long", "Conversion events."),
        _required("revenue", "double", "Revenue of conversion events."),
        Column("source", "string", "Source of the first session."),
        Column("medium", "string", "Medium of the first session."),
        Column("campaign", "string", "Campaign of the first session."),
        Column("channel_group", "string", "Channel group of the first session."),
        Column("traits", "string", "What is known of them now (see user_traits), as a JSON object.", pii=True),
        Column("consent_analytics", "boolean", "Consent to analytics, by the last event that says of any."),
        Column("consent_marketing", "boolean", "Consent to marketing, by the same."),
        Column("consent_personalisation", "boolean", "Consent to personalisation, by the same."),
        Column("consent_at", "timestamp", "When that event happened."),
    ),
    key=("person_id",),
)

USER_SEGMENTS = Table(
    "user_segments",
    "Each person's place by recency, frequency and money.",
    (
        _required("person_id", "string", "The person."),
        _required("as_of", "date", "Day on which it holds: the last event date of the lake."),
        _required("recency_days", "int", "Days since the last event.", unit="days"),
        _required("frequency", "long", "Sessions."),
        _required("monetary", "double", "Revenue."),
        _required(
            "r_score",
            "int",
            "Recency quintile, 5 is the most recent.",
            definition="1 + floor(5 x persons with a longer recency / persons)",
        ),
        _required(
            "f_score",
            "int",
            "Frequency quintile, 5 is the most frequent.",
            definition="1 + floor(5 x persons with fewer sessions / persons)",
        ),
        _required(
            "m_score",
            "int",
            "Money quintile, 5 is the most.",
            definition="1 + floor(5 x persons with less revenue / persons)",
        ),
        _required("segment", "string", "Name of the segment (champions, loyal, at risk, …)."),
    ),
    key=("person_id",),
)

TOUCHES = Table(
    "touches",
    "Where people's sessions came from: one row a session, its own source and the last that was not direct. Robots are "
    "left out.",
    (
        _required("person_id", "string", "The person whose session it is."),
        _required("session_id", "string", "The session."),
        _required("at", "timestamp", "Its first page view; where it has none, its beginning."),
        _required(
            "has_page_view",
            "boolean",
            "It has a page view, and so is a touch in conversion paths.",
            definition="it is in page_views, or its sessions.page_views > 0, or it has an entry_url",
        ),
        Column("source", "string", "Source of the session."),
        Column("medium", "string", "Medium of the session."),
        Column("campaign", "string", "Campaign of the session."),
        Column("channel_group", "string", "Channel group of the session."),
        Column(
            "last_source",
            "string",
            "Source of the person's last session that was not direct; where there is none, of the session itself.",
            definition="of the latest of the person's sessions up to this one, this included, whose channel_group is "
            "known and not Direct, if it is at most 30 days (a setting) before",
        ),
        Column("last_medium", "string", "Medium of the same."),
        Column("last_campaign", "string", "Campaign of the same."),
        Column("last_channel_group", "string", "Channel group of the same."),
    ),
    key=("session_id",),
)

CONVERSIONS = Table(
    "conversions",
    "Conversion events by person, robots left out.",
    (
        _EVENT_DATE,
        _required("event_id", "string", "The event."),
        _required("event", "string", "Its name."),
        _required("at", "timestamp", "When it happened."),
        _required("person_id", "string", "The person who converted."),
        Column("anonymous_id", "string", "Id of the device or browser.", pii=True),
        Column("user_id", "string", "Id of the signed-in user.", pii=True),
        _required("revenue", "double", "`revenue_reporting` of the event; 0 where it has none."),
    ),
    key=("event_id",),
)

CONVERSION_PATHS = Table(
    "conversion_paths",
    "Which channels led to each conversion, and the paths of people who never converted.",
    (
        _required("event_date", "date", "UTC date of `at`."),
        _required("person_id", "string", "The person."),
        _required("event_id", "string", "The conversion event; empty for the path of a person who never converted."),
        _required("at", "timestamp", "The conversion; without one, the last touch."),
        _required(
            "touches",
            "long",
            "Touches in the look-back, equal neighbours counted each.",
            definition="the person's sessions with a page view at most 30 days (a setting) before at, ends included",
        ),
        Column(
            "path",
            "string",
            "Their channel groups in order with ` > ` between, equal neighbours once; null where there is no touch.",
            definition="of the last 1,000 touches; Unassigned where the channel group is not known",
        ),
        Column(
            "touched_before",
            "string",
            "How long before `at` each channel group of the path was touched, of equal neighbours the first, as a JSON "
            "list.",
            unit="microseconds",
        ),
        _required("conversions", "long", "1, or 0 for the path of a person who never converted."),
        _required("revenue", "double", "Revenue of the conversion."),
    ),
    key=("person_id", "event_id"),
)

ATTRIBUTION = Table(
    "attribution",
    "What each channel group is credited with by each attribution model. Conversions without a touch are in none.",
    (
        _required("model", "string", "first, last, linear, position, time_decay or data_driven."),
        _required("channel_group", "string", "Channel group of the touches."),
        _required(
            "conversions",
            "double",
            "Conversions credited to it, in shares.",
            definition="first, last: 1 to that touch; linear: the same to each; position: 0.4 to first and last each, "
            "0.2 to those between (of two, 0.5 each); time_decay: 2^(-days before / 7); data_driven: max(p(path) - "
            "p(path without the touch), 0), all 0: the last touch, with p = conversions / paths; each path sums to 1",
        ),
        _required("revenue", "double", "Revenue credited to it.", definition="by the same shares"),
    ),
    key=("model", "channel_group"),
)

CHANNEL_PERFORMANCE = Table(
    "channel_performance",
    "The same by day of conversion, beside what was spent on the day: return on spend and cost of a conversion.",
    (
        _EVENT_DATE,
        _required("model", "string", "first, last, linear, position, time_decay or data_driven."),
        _required("channel_group", "string", "Channel group of the touches."),
        _required("conversions", "double", "Conversions credited to it, in shares."),
        _required("revenue", "double", "Revenue credited to it."),
        Column("spend", "double", "What was spent on the channel group on the day; null where no spend is known."),
        Column("currency", "string", "Currency of the spend, ISO 4217."),
        Column("roas", "double", "Return on ad spend; null without spend.", definition="revenue / spend"),
        Column("cpa", "double", "Cost of a conversion; null without any.", definition="spend / conversions"),
    ),
    key=("event_date", "model", "channel_group"),
)

DAILY_METRICS = Table(
    "daily_metrics",
    "One row a day and platform. Robots are left out.",
    (
        _EVENT_DATE,
        _required("platform", "string", "web, ios, android, desktop or server."),
        _required("events", "long", "Events."),
        _required("page_views", "long", "Page views."),
        _required("sessions", "long", "Sessions that began on the day."),
        _required(
            "visitors",
            "long",
            "Distinct devices (else users) of those sessions.",
            definition="distinct coalesce(anonymous_id, user_id) of the sessions that began on the day",
        ),
        _required(
            "known_users",
            "long",
            "Distinct signed-in users of those sessions.",
            definition="distinct user_id of the sessions that began on the day",
        ),
        _required("engaged_sessions", "long", "Engaged sessions."),
        _required("bounces", "long", "Bounces."),
        _required("engaged_seconds", "long", "Engaged seconds.", unit="s"),
        _required("conversions", "long", "Conversion events."),
        _required("revenue", "double", "Revenue of conversion events."),
    ),
    key=("event_date", "platform"),
    partition_by=("event_date",),
)

EVENT_LEDGER = Table(
    "event_ledger",
    "The books: for every hour of arrival and hop, how many events; reasons of quarantine by name.",
    (
        _required("arrival_date", "date", "UTC date of arrival."),
        _required("arrival_hour", "int", "UTC hour of arrival."),
        _required("landed", "long", "Events in the records that were landed."),
        _required("clean", "long", "Events that keep the contract."),
        _required("quarantined", "long", "Events that do not."),
        _required("quarantined_by_reason", "string", "The same by reason, as a JSON object."),
        _required("enriched", "long", "Events that count."),
        _required("duplicates", "long", "Copies that do not count."),
        _required("conflicts", "long", "Of these, copies that say something else."),
        _required("pending", "long", "Clean events whose event date is not brought up to date yet."),
        _required("balanced", "boolean", "landed = clean + quarantined and clean = enriched + duplicates + pending."),
    ),
    key=("arrival_date", "arrival_hour"),
    partition_by=("arrival_date",),
)

_ANALYSIS = _required("analysis", "string", "Name of the analysis, as its file says.")

FUNNELS = Table(
    "funnels",
    "The funnels: one row an analysis, value of its breakdown, and step.",
    (
        _ANALYSIS,
        _required("breakdown", "string", "Value on the first step's event; else (all), (none) or (other)."),
        _required("step", "int", "Place of the step, from 1."),
        _required("step_name", "string", "What the step is called."),
        _required("people", "long", "Persons who reached it within the window."),
        Column("conversion", "double", "Share of those who reached the first step."),
        Column("step_conversion", "double", "Share of those who reached the step before."),
        Column("mean_seconds", "double", "Mean time since the step before.", unit="s"),
        Column("median_seconds", "double", "Median time since the step before.", unit="s"),
    ),
    key=("analysis", "breakdown", "step"),
    partition_by=("analysis",),
)

RETENTION = Table(
    "retention",
    "The retention tables: one row an analysis, cohort, and period since.",
    (
        _ANALYSIS,
        _required("cohort_start", "timestamp", "Beginning of the period in which the cohort did the target event."),
        _required("period", "int", "Periods since then; 0 is the cohort itself."),
        _required("people", "long", "Those of the cohort who came back in that period."),
        _required("cohort_people", "long", "Persons of the cohort."),
        Column("share", "double", "people / cohort_people; null where the cohort is empty."),
    ),
    key=("analysis", "cohort_start", "period"),
    partition_by=("analysis",),
)

LIFECYCLE = Table(
    "lifecycle",
    "The lifecycles: one row an analysis, period and status.",
    (
        _ANALYSIS,
        _required("period_start", "timestamp", "Beginning of the period."),
        _required("status", "string", "new, returning, resurrecting or dormant."),
        _required("people", "long", "Persons; those who are dormant are counted negative."),
    ),
    key=("analysis", "period_start", "status"),
    partition_by=("analysis",),
)

PATHS = Table(
    "paths",
    "The paths through sessions: one row an analysis and transition.",
    (
        _ANALYSIS,
        _required("step", "int", "Place of from_node on the path, from 1; 0 is the way in."),
        _required("from_node", "string", "Where from; (start) before the first."),
        _required("to_node", "string", "Where to; (end) after the last."),
        _required("transitions", "long", "How often: sessions that go this way at this step."),
        Column("mean_seconds", "double", "Mean time between the two; null at both ends.", unit="s"),
    ),
    key=("analysis", "step", "from_node", "to_node"),
    partition_by=("analysis",),
)

ACTIVE_USERS = Table(
    "active_users",
    "Active people: one row an analysis and day.",
    (
        _ANALYSIS,
        _required("event_date", "date", "UTC day."),
        _required("dau", "long", "Persons active on the day."),
        _required("wau", "long", "Persons active on the day or the 6 before it."),
        _required("mau", "long", "Persons active on the day or the 29 before it."),
        Column("stickiness", "double", "dau / mau."),
    ),
    key=("analysis", "event_date"),
    partition_by=("analysis",),
)

WEB_VITALS = Table(
    "web_vitals",
    "How fast pages are: one row an analysis, page and kind of device. 75th percentiles, interpolated.",
    (
        _ANALYSIS,
        _required("page_path", "string", "Path of the page; (none) where there is none."),
        _required("device_type", "string", "desktop, mobile, tablet, bot or other; (none) where it is not known."),
        _required("views", "long", "Page views with at least one of the measures."),
        Column("lcp_ms", "double", "Largest contentful paint.", unit="ms"),
        Column("inp_ms", "double", "Interaction to next paint.", unit="ms"),
        Column("fid_ms", "double", "First input delay.", unit="ms"),
        Column("cls", "double", "Cumulative layout shift."),
    ),
    key=("analysis", "page_path", "device_type"),
    partition_by=("analysis",),
)

PRODUCT_TABLES: tuple[Table, ...] = (FUNNELS, RETENTION, LIFECYCLE, PATHS, ACTIVE_USERS, WEB_VITALS)
"""What analyses give: one table a kind, which holds all analyses of it."""

LAKE_TABLES: tuple[Table, ...] = (
    RAW_EVENTS,
    CLEAN_EVENTS,
    QUARANTINED_EVENTS,
    EVENT_IDS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_DAYS,
    PAGE_VIEWS,
    IDENTITIES,
    SESSIONS,
    SESSION_ISSUES,
    VISITORS,
    USER_TRAITS,
    USERS,
    USER_SEGMENTS,
    TOUCHES,
    CONVERSIONS,
    CONVERSION_PATHS,
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
    DAILY_METRICS,
    EVENT_LEDGER,
    *PRODUCT_TABLES,
)
"""Every table of the lake, in the order in which data travels."""


@dataclass(frozen=True, slots=True)
class WarehouseTable:
    """A table of the warehouse: which lake table it is loaded from, and how it is laid out there.

    `dist_key` and `sort_key` are Redshift's; `partition_by` is the column that a load replaces by (empty: whole table).
    """

    name: str
    lake: Table
    columns: tuple[str, ...]
    partition_by: str = ""
    dist_key: str = ""
    sort_key: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        return self.lake.description

    @property
    def key(self) -> tuple[str, ...]:
        return self.lake.key

    def specs(self) -> tuple[Column, ...]:
        """The columns as the lake defines them."""
        return tuple(self.lake.column(name) for name in self.columns)


_NOT_IN_FCT_EVENTS = {
    "stream",
    "shard_id",
    "sequence_number",
    "line",
    "arrived_at",
    "extra",
    "enrichment_failures",
    "enrichments",
}

WAREHOUSE_TABLES: tuple[WarehouseTable, ...] = (
    WarehouseTable(
        "fct_events",
        ENRICHED_EVENTS,
        tuple(name for name in ENRICHED_EVENTS.column_names if name not in _NOT_IN_FCT_EVENTS),
        partition_by="event_date",
        dist_key="anonymous_id",
        sort_key=("derived_at",),
        sums=("schema_version",),
    ),
    WarehouseTable(
        "fct_page_views",
        PAGE_VIEWS,
        PAGE_VIEWS.column_names,
        partition_by="event_date",
        dist_key="anonymous_id",
        sort_key=("start_at",),
        sums=("engaged_seconds", "absolute_seconds"),
    ),
    WarehouseTable(
        "fct_sessions",
        SESSIONS,
        SESSIONS.column_names,
        partition_by="event_date",
        dist_key="anonymous_id",
        sort_key=("start_at",),
        sums=("events", "page_views", "engaged_seconds", "revenue"),
    ),
    WarehouseTable(
        "dim_users",
        USERS,
        USERS.column_names,
        dist_key="person_id",
        sort_key=("person_id",),
        sums=("events", "sessions", "revenue"),
    ),
    WarehouseTable(
        "dim_user_traits",
        USER_TRAITS,
        USER_TRAITS.column_names,
        dist_key="person_id",
        sort_key=("person_id",),
    ),
    WarehouseTable(
        "user_segments",
        USER_SEGMENTS,
        USER_SEGMENTS.column_names,
        dist_key="person_id",
        sort_key=("segment",),
        sums=("frequency", "monetary"),
    ),
    WarehouseTable("fct_touches", TOUCHES, TOUCHES.column_names, dist_key="person_id", sort_key=("at",)),
    WarehouseTable(
        "fct_conversions",
        CONVERSIONS,
        CONVERSIONS.column_names,
        dist_key="person_id",
        sort_key=("at",),
        sums=("revenue",),
    ),
    WarehouseTable(
        "fct_conversion_paths",
        CONVERSION_PATHS,
        CONVERSION_PATHS.column_names,
        dist_key="person_id",
        sort_key=("at",),
        sums=("touches", "conversions", "revenue"),
    ),
    WarehouseTable(
        "attribution",
        ATTRIBUTION,
        ATTRIBUTION.column_names,
        sort_key=("model",),
        sums=("conversions", "revenue"),
    ),
    WarehouseTable(
        "channel_performance",
        CHANNEL_PERFORMANCE,
        CHANNEL_PERFORMANCE.column_names,
        sort_key=("event_date",),
        sums=("conversions", "revenue", "spend"),
    ),
    WarehouseTable(
        "agg_daily",
        DAILY_METRICS,
        DAILY_METRICS.column_names,
        partition_by="event_date",
        sort_key=("event_date",),
        sums=("events", "sessions", "revenue"),
    ),
    *(
        WarehouseTable(table.name, table, table.column_names, sort_key=table.key[:2], sums=sums)
        for table, sums in (
            (FUNNELS, ("people",)),
            (RETENTION, ("people",)),
            (LIFECYCLE, ("people",)),
            (PATHS, ("transitions",)),
            (ACTIVE_USERS, ("dau", "wau", "mau")),
            (WEB_VITALS, ("views",)),
        )
    ),
)
"""Every table of the warehouse. Each has `loaded_at` beside these columns: when the row first came in."""


@cache
def table(name: str) -> Table:
    """The lake table of that name. Raises `KeyError`."""
    for candidate in LAKE_TABLES:
        if candidate.name == name:
            return candidate
    raise KeyError(f"the lake has no table {name!r}")
