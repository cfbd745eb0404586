"""The metrics of a day, and the books of an hour."""

from __future__ import annotations

from event_assets.contract.tables.events import EVENT_DATE
from event_assets.contract.tables.schema import Table, required

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
)

EVENT_LEDGER = Table(
    "event_ledger",
    "The books: for every hour of arrival and hop, how many events; reasons of quarantine by name.",
    (
        required("arrival_date", "date", "UTC date of arrival."),
        required("arrival_hour", "int", "UTC hour of arrival."),
        required("landed", "long", "Events in the records that were landed."),
        required("clean", "long", "Events that keep the contract."),
        required("quarantined", "long", "Events that do not."),
        required("quarantined_by_reason", "string", "The same by reason, as a JSON object."),
        required("enriched", "long", "Events that count."),
        required("duplicates", "long", "Copies that do not count."),
        required("conflicts", "long", "Of these, copies that say something else."),
        required("pending", "long", "Clean events whose event date is not brought up to date yet."),
        required("balanced", "boolean", "landed = clean + quarantined and clean = enriched + duplicates + pending."),
    ),
    key=("arrival_date", "arrival_hour"),
    partition_by=("arrival_date",),
)
