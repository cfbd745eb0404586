"""Companies and people as other systems know them (CRM, billing, …), joined to who is seen in events.

The other systems' own tables are beside these in the lake, under `company/`; their columns are the systems'.
"""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

PERSON_ATTRIBUTES = Table(
    "person_attributes",
    "What company data says of persons now, of themselves or of their company: one row a person and attribute.",
    (
        required("person_id", "string", "The person.", pii=True),
        required("attribute", "string", "Name of the attribute, as the source's file says."),
        required("value", "string", "What it is, as JSON.", pii=True),
        required("text", "string", "What it is, as text: a value to group by.", pii=True),
        required("source", "string", "The table that says so: source.table."),
        Column(
            "group_id",
            "string",
            "The company that it is said of; null where it is said of the person.",
            definition="of several companies the one that the person's last event names",
        ),
    ),
    key=("person_id", "attribute"),
    clustered_by="person_id",
    warehouse=InWarehouse(
        "dim_person_attributes", dist_key="person_id", sort_key=("attribute", "text"), indexes=("person_id",)
    ),
)

COMPANIES = Table(
    "companies",
    "One row a company: of every group that events name, and of every one that company data tells of.",
    (
        required("group_id", "string", "The company's id, as `group_id` of events and company data have it."),
        Column("name", "string", "Its name.", definition="the attribute name"),
        Column("plan", "string", "What it pays for.", definition="the attribute plan"),
        Column("status", "string", "Where it stands.", definition="the attribute status"),
        Column("industry", "string", "What it does.", definition="the attribute industry"),
        Column("country", "string", "Where it is.", definition="the attribute country"),
        Column("mrr", "double", "Monthly recurring revenue.", definition="the attribute mrr, where it is a number"),
        Column("attributes", "string", "All attributes, as a JSON object.", pii=True),
        required("is_customer", "boolean", "Company data tells of it."),
        required("members", "long", "Persons of whom an event names it (see group_members)."),
        Column("first_seen_at", "timestamp", "First event that names it."),
        Column("last_seen_at", "timestamp", "Last event that names it."),
        Column(
            "channel_group",
            "string",
            "Channel group that it came by.",
            definition="of the first session of the member who was seen first",
        ),
        Column("source", "string", "Source of the same session."),
        Column("medium", "string", "Medium of the same session."),
        Column("campaign", "string", "Campaign of the same session."),
    ),
    key=("group_id",),
    clustered_by="group_id",
    warehouse=InWarehouse("dim_companies", dist_key="group_id", sort_key=("group_id",), sums=("members", "mrr")),
)

COMPANY_COLUMNS = ("name", "plan", "status", "industry", "country")
"""The attributes that are texts and columns of their own."""

TABLES: tuple[Table, ...] = (PERSON_ATTRIBUTES, COMPANIES)
