"""Devices, persons, and what is known about them."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

VISITORS = Table(
    "visitors",
    "One row an anonymous_id.",
    (
        required("anonymous_id", "string", "Id of the device or browser.", pii=True),
        Column("user_id", "string", "Last user id seen on the device, by received_at.", pii=True),
        required("stitched_user_id", "string", "That user id, else the anonymous id.", pii=True),
        required("first_seen_at", "timestamp", "First event."),
        required("last_seen_at", "timestamp", "Last event."),
        required("events", "long", "Events."),
        required("sessions", "long", "Sessions."),
        required("page_views", "long", "Views of pages and screens."),
        required("engaged_seconds", "long", "Engaged seconds.", unit="s"),
        required("is_bot", "boolean", "A robot: all its events came from one."),
        Column("user_seen_at", "timestamp", "When that user id was last seen on the device, by received_at."),
    ),
    key=("anonymous_id",),
    clustered_by="anonymous_id",
    warehouse=InWarehouse(
        "dim_visitors",
        dist_key="anonymous_id",
        sort_key=("anonymous_id",),
        sums=("events", "sessions", "page_views", "engaged_seconds"),
        leaves_out=("user_seen_at",),
    ),
)

USER_TRAITS = Table(
    "user_traits",
    "What is known of a person, and from when to when: one row a value that a trait had.",
    (
        required("person_id", "string", "The person.", pii=True),
        required("trait", "string", "Name of the trait, its first 128 characters."),
        required("value", "string", "What it was, as JSON.", pii=True),
        required("from_at", "timestamp", "When the event that said so happened (derived_at)."),
        Column("to_at", "timestamp", "When an event said something else; null while it holds."),
        required("is_current", "boolean", "It holds."),
        required("event_id", "string", "The event that said so."),
    ),
    key=("person_id", "trait", "from_at", "event_id"),
    clustered_by="person_id",
    warehouse=InWarehouse("dim_user_traits", dist_key="person_id", sort_key=("person_id",)),
)

USERS = Table(
    "users",
    "One row a person.",
    (
        required("person_id", "string", "The person.", pii=True),
        required("user_ids", "string", "Their user ids, as a sorted JSON list.", pii=True),
        required("anonymous_ids", "string", "Their anonymous ids, as a sorted JSON list.", pii=True),
        required("first_seen_at", "timestamp", "First event."),
        required("last_seen_at", "timestamp", "Last event."),
        required("sessions", "long", "Sessions."),
        required("events", "long", "Events."),
        required("page_views", "long", "Views of pages and screens."),
        required("conversions", "long", "Conversions."),
        required("revenue", "double", "Revenue of conversions."),
        Column("source", "string", "Source of the first session."),
        Column("medium", "string", "Medium of the first session."),
        Column("campaign", "string", "Campaign of the first session."),
        Column("channel_group", "string", "Channel group of the first session."),
        Column("traits", "string", "What is known of them now (see user_traits), as a JSON object.", pii=True),
        Column("consent_analytics", "boolean", "Consent to analytics, by the last event that answers it."),
        Column("consent_marketing", "boolean", "Consent to marketing, by the last event that answers it."),
        Column("consent_personalisation", "boolean", "Consent to personalisation, by the last event that answers it."),
        Column("consent_sell_or_share", "boolean", "Consent to be sold or shared, by the last event that answers it."),
        Column("consent_at", "timestamp", "When the last event happened that answers any of them."),
        required(
            "is_bot",
            "boolean",
            "A robot. Those are left out of user_segments, touches, conversions and daily_metrics.",
            definition="the person has events, and all of them came from robots",
        ),
        Column("first_session_at", "timestamp", "Beginning of the first session."),
        Column("first_session_id", "string", "The first session, of several that began then the least id.", pii=True),
    ),
    key=("person_id",),
    clustered_by="person_id",
    warehouse=InWarehouse(
        "dim_users",
        dist_key="person_id",
        sort_key=("person_id",),
        sums=("events", "sessions", "revenue"),
        leaves_out=("first_session_at", "first_session_id"),
        indexes=("first_seen_at",),
    ),
)

USER_HISTORY = Table(
    "user_history",
    "What was known of a person and what they agreed to, and when: one row a person and time in which nothing of it "
    "changed.",
    (
        required("person_id", "string", "The person, as who is who is known now.", pii=True),
        required("valid_from", "timestamp", "From when on it held: the first event, or one that said something else."),
        Column("valid_to", "timestamp", "Until when; null while it holds."),
        required("is_current", "boolean", "It holds."),
        Column(
            "traits",
            "string",
            "What was known of them, as a JSON object; left out where the rows after it say a million characters.",
            pii=True,
        ),
        Column("consent_analytics", "boolean", "Consent to analytics, by the last event till then that answers it."),
        Column("consent_marketing", "boolean", "Consent to marketing, by the same."),
        Column("consent_personalisation", "boolean", "Consent to personalisation, by the same."),
        Column("consent_sell_or_share", "boolean", "Consent to be sold or shared, by the same."),
    ),
    key=("person_id", "valid_from"),
    clustered_by="person_id",
    warehouse=InWarehouse("dim_user_history", dist_key="person_id", sort_key=("person_id", "valid_from")),
)

CONSENT_RECEIPTS = Table(
    "consent_receipts",
    "What a person agreed to or refused, by which text, where and when: one row an answer that was another than the "
    "one before it, or was given to another text.",
    (
        required("person_id", "string", "The person, as who is who is known now.", pii=True),
        required("purpose", "string", "analytics, marketing, personalisation or sell_or_share."),
        required("answered_at", "timestamp", "When the event that says so happened (derived_at)."),
        Column("to_at", "timestamp", "When they answered anew; null while it holds."),
        required("is_current", "boolean", "It holds."),
        required("answer", "boolean", "They agreed; else they refused."),
        Column("text_version", "string", "Version of the text that was shown, as the client says."),
        Column(
            "source",
            "string",
            "Where they answered, as the client says: banner, settings, support, …; `gpc`: their browser did, by "
            "Global Privacy Control; `server`: a server of the site said so, and not where.",
        ),
        required("event", "string", "Name of the event that says so."),
        required("event_id", "string", "Its id."),
        required("received_at", "timestamp", "When the collector took it."),
    ),
    key=("person_id", "purpose", "event_id"),
    clustered_by="person_id",
    warehouse=InWarehouse("dim_consent_receipts", dist_key="person_id", sort_key=("person_id", "answered_at")),
)

OUTLIER_VISITORS = Table(
    "outlier_visitors",
    "Who of the visitors of the last 28 days behaves unlike people do, though they say of themselves that they are no "
    "robots: one row a visitor who did enough to be judged. Nothing is left out anywhere for it.",
    (
        required("anonymous_id", "string", "Id of the device or browser.", pii=True),
        required("person_id", "string", "The person that it belongs to (see identities).", pii=True),
        required("first_at", "timestamp", "Its first event in these days."),
        required("last_at", "timestamp", "Its last event."),
        required("actions", "long", "Its events in these days, pings left out."),
        required(
            "score",
            "double",
            "How far its habits are from those of most; above 1 is further than hardly anybody's.",
            definition="length of the deviations of all habits, over the length that 2 in a thousand would exceed by "
            "how those of most fall off",
        ),
        required(
            "is_outlier",
            "boolean",
            "It behaves like a robot.",
            definition="score > 1 and at least two habits are two deviations off",
        ),
        Column("reason", "string", "The habit of an outlier that is the farthest off."),
        required(
            "reasons",
            "string",
            "The habits that are two deviations off, the farthest first, as a JSON list: each with its value, what "
            "is usual, and the deviations.",
        ),
        Column("why", "string", "The reasons of an outlier as a sentence."),
    ),
    key=("anonymous_id",),
    clustered_by="anonymous_id",
    warehouse=InWarehouse(
        "dim_outlier_visitors",
        dist_key="anonymous_id",
        sort_key=("anonymous_id",),
        sums=("actions",),
        indexes=("person_id",),
    ),
)

TABLES: tuple[Table, ...] = (VISITORS, USER_TRAITS, USERS, USER_HISTORY, CONSENT_RECEIPTS, OUTLIER_VISITORS)
