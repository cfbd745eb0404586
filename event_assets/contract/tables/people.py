"""Devices, ids, people, and what is known about them."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, Table, required

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
    ),
    key=("anonymous_id",),
)

IDENTITIES = Table(
    "identities",
    "Which ids are one person: one row an id.",
    (
        required("id_type", "string", "anonymous or user."),
        required("id", "string", "The id.", pii=True),
        required("person_id", "string", "The person: the smallest id of the component by (first seen, id)."),
        required("first_seen_at", "timestamp", "First event with the id."),
        required("last_seen_at", "timestamp", "Last event with the id."),
        required("is_shared", "boolean", "A device with more than five user ids: it joins none."),
        Column("user_id", "string", "Last user id seen on the device, by received_at.", pii=True),
    ),
    key=("id_type", "id"),
)

USER_TRAITS = Table(
    "user_traits",
    "What is known of a person, and from when to when: one row a value that a trait had.",
    (
        required("person_id", "string", "The person."),
        required("trait", "string", "Name of the trait, its first 128 characters."),
        required("value", "string", "What it was, as JSON.", pii=True),
        required("from_at", "timestamp", "When the event that said so happened (derived_at)."),
        Column("to_at", "timestamp", "When an event said something else; null while it holds."),
        required("is_current", "boolean", "It holds."),
        required("event_id", "string", "The event that said so."),
    ),
    key=("person_id", "trait", "from_at", "event_id"),
)

USERS = Table(
    "users",
    "One row a person.",
    (
        required("person_id", "string", "The person."),
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
        Column("consent_at", "timestamp", "When the last event happened that answers any of them."),
        required(
            "is_bot",
            "boolean",
            "A robot. Those are left out of user_segments, touches, conversions and daily_metrics.",
            definition="the person has events, and all of them came from robots",
        ),
    ),
    key=("person_id",),
)

USER_SEGMENTS = Table(
    "user_segments",
    "Each person's place (robots have none) by recency, frequency and money, and the stage of their lifecycle.",
    (
        required("person_id", "string", "The person."),
        required("as_of", "date", "Day on which it holds: the last event date of the lake."),
        required("recency_days", "int", "Days since the last event.", unit="days"),
        required("frequency", "long", "Sessions."),
        required("monetary", "double", "Revenue."),
        required(
            "r_score",
            "int",
            "Recency quintile, 5 is the most recent.",
            definition="1 + floor(5 x persons with a longer recency / persons)",
        ),
        required(
            "f_score",
            "int",
            "Frequency quintile, 5 is the most frequent.",
            definition="1 + floor(5 x persons with fewer sessions / persons)",
        ),
        required(
            "m_score",
            "int",
            "Money quintile, 5 is the most.",
            definition="1 + floor(5 x persons with less revenue / persons)",
        ),
        required("segment", "string", "Name of the segment (champions, loyal, at risk, …)."),
        required(
            "lifecycle_stage",
            "string",
            "new, returning, resurrecting, dormant or inactive, by the week (7 days) that ends with as_of.",
            definition="new: first event in that week; returning: events in it and in the week before; resurrecting: "
            "events in it, none in the week before, others earlier; dormant: none in it, some in the week before; "
            "inactive: none in either",
        ),
    ),
    key=("person_id",),
)

SEGMENT_MEMBERSHIPS = Table(
    "segment_memberships",
    "Who was in which segment, and from when to when: one row a stay of a person in a segment.",
    (
        required("segment", "string", "Name of the segment, as its file says."),
        required("person_id", "string", "The person."),
        required(
            "from_date",
            "date",
            "First UTC day at whose end the person belongs to it.",
            definition="the segment's conditions hold of all that the person did and was known to be up to the end of "
            "the day, and they do not hold at the end of the day before",
        ),
        Column(
            "to_date",
            "date",
            "First UTC day after it at whose end they do not any more; null while they do.",
            definition="a member at the end of a day: from_date <= day and (to_date is null or day < to_date)",
        ),
        required("is_current", "boolean", "They belong to it at the end of the last event date of the lake."),
    ),
    key=("segment", "person_id", "from_date"),
)
