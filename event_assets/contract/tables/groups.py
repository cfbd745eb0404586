"""Groups, such as companies and workspaces, and who belongs to them."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

GROUP_MEMBERS = Table(
    "group_members",
    "Who belongs to which group: one row a group and a person of whom an event names the group.",
    (
        required("group_id", "string", "The group."),
        required("person_id", "string", "The person.", pii=True),
        required("first_seen_at", "timestamp", "First event of the person that names the group."),
        required("last_seen_at", "timestamp", "Last such event."),
        required("events", "long", "Such events."),
    ),
    key=("group_id", "person_id"),
    clustered_by="group_id",
    warehouse=InWarehouse(
        "dim_group_members", dist_key="person_id", sort_key=("group_id", "person_id"), sums=("events",)
    ),
)

GROUPS = Table(
    "groups",
    "One row a group that events name by `group_id`: a company, a workspace, a team.",
    (
        required("group_id", "string", "The group."),
        Column(
            "group_type",
            "string",
            "What kind of group it is.",
            definition="the property group_type of the last `group` event that has one",
        ),
        required("first_seen_at", "timestamp", "First event that names it."),
        required("last_seen_at", "timestamp", "Last event that names it."),
        required("events", "long", "Events that name it."),
        required("members", "long", "Persons of whom an event names it (see group_members)."),
        Column(
            "traits",
            "string",
            "What is known of it now, as a JSON object.",
            pii=True,
            definition="of each trait what the last `group` event says that says it; null takes it back; traits_once "
            "where there is none",
        ),
    ),
    key=("group_id",),
    clustered_by="group_id",
    warehouse=InWarehouse("dim_groups", dist_key="group_id", sort_key=("group_id",), sums=("events", "members")),
)

TABLES: tuple[Table, ...] = (GROUP_MEMBERS, GROUPS)
