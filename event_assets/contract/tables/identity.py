"""Which ids are one person."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, Table, required

IDENTITIES = Table(
    "identities",
    "Which ids are one person: one row an id.",
    (
        required("id_type", "string", "anonymous or user."),
        required("id", "string", "The id.", pii=True),
        required("person_id", "string", "The person: the smallest id of the component by (first seen, id).", pii=True),
        required("first_seen_at", "timestamp", "First event with the id."),
        required("last_seen_at", "timestamp", "Last event with the id."),
        required("is_shared", "boolean", "A device with more than five user ids: it joins none."),
        Column("user_id", "string", "Last user id seen on the device, by received_at.", pii=True),
    ),
    key=("id_type", "id"),
    clustered_by="id",
)

TABLES: tuple[Table, ...] = (IDENTITIES,)
