"""Who belongs to which segment."""

from __future__ import annotations

from event_assets.contract.tables.schema import Column, InWarehouse, Table, required

USER_SEGMENTS = Table(
    "user_segments",
    "Each person's place (robots have none) by recency, frequency and money, and the stage of their lifecycle.",
    (
        required("person_id", "string", "The person.", pii=True),
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
    warehouse=InWarehouse(
        "dim_user_segments", dist_key="person_id", sort_key=("segment",), sums=("frequency", "monetary")
    ),
)

SEGMENT_MEMBERSHIPS = Table(
    "segment_memberships",
    "Who was in which segment, and from when to when: one row a stay of a person in a segment.",
    (
        required("segment", "string", "Name of the segment, as its file says."),
        required("person_id", "string", "The person.", pii=True),
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
    warehouse=InWarehouse(
        "dim_segment_memberships", dist_key="person_id", sort_key=("segment", "from_date"), indexes=("person_id",)
    ),
)

SEGMENT_WEBHOOKS = Table(
    "segment_webhooks",
    "What receivers were told of who is in which segment: one row a change that was to be told, and one once it was "
    "taken. No step makes it.",
    (
        required("receiver", "string", "The receiver, as the settings name it."),
        required("segment", "string", "Name of the segment, as its file says."),
        required("person_id", "string", "The person.", pii=True),
        required("number", "long", "Which change of theirs it is, from 1: the last one says what the receiver knows."),
        required("is_in", "boolean", "They entered; else they left."),
        required("is_taken", "boolean", "The receiver took it; else it was about to be told, and may have been."),
        required("at", "timestamp", "When that was."),
    ),
    key=("receiver", "segment", "person_id", "number", "is_taken"),
)

TABLES: tuple[Table, ...] = (
    USER_SEGMENTS,
    SEGMENT_MEMBERSHIPS,
)
