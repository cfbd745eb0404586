"""How the rows of a person are found in each table of the lake. A table that names people and stands not here fails a
test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from event_assets.contract.tables.attribution import CONVERSION_PATHS, CONVERSIONS, TOUCHES
from event_assets.contract.tables.company import COMPANIES, PERSON_ATTRIBUTES
from event_assets.contract.tables.events import (
    CLEAN_EVENTS,
    CONVERSION_IDS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_IDS,
    QUARANTINED_EVENTS,
    RAW_EVENTS,
)
from event_assets.contract.tables.features import PERSON_FEATURES, TRAINED_MODELS
from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import (
    CONSENT_RECEIPTS,
    OUTLIER_VISITORS,
    USER_HISTORY,
    USER_TRAITS,
    USERS,
    VISITORS,
)
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS, SEGMENT_WEBHOOKS, USER_SEGMENTS
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSION_ISSUES, SESSIONS

EVENT_TABLES: tuple[Table, ...] = (
    RAW_EVENTS,
    CLEAN_EVENTS,
    QUARANTINED_EVENTS,
    DUPLICATE_EVENTS,
    EVENT_IDS,
    ENRICHED_EVENTS,
)
"""Their rows are found by where the events came: stream, shard, sequence number and line."""


@dataclass(frozen=True)
class ById:
    """Rows that have one of the person's ids in one of these columns go, where `at`, the latest time that they tell of,
    is not after what was erased: others are of events from after the request."""

    columns: tuple[str, ...]
    at: str | None = None


@dataclass(frozen=True)
class Kept:
    """Rows that stay, and why."""

    why: str


BY_ID: Mapping[Table, ById] = {
    CONVERSION_IDS: ById(("anonymous_id", "user_id"), "at"),
    IDENTITIES: ById(("id",), "last_seen_at"),
    PAGE_VIEWS: ById(("anonymous_id", "user_id"), "start_at"),
    SESSIONS: ById(("anonymous_id", "user_id", "stitched_user_id", "person_id"), "end_at"),
    SESSION_ISSUES: ById(("anonymous_id",), "last_event_at"),
    VISITORS: ById(("anonymous_id", "user_id", "stitched_user_id"), "last_seen_at"),
    USER_TRAITS: ById(("person_id",), "from_at"),
    USERS: ById(("person_id",), "last_seen_at"),
    GROUP_MEMBERS: ById(("person_id",), "last_seen_at"),
    USER_HISTORY: ById(("person_id",), "valid_from"),
    CONSENT_RECEIPTS: ById(("person_id",), "answered_at"),
    OUTLIER_VISITORS: ById(("anonymous_id", "person_id"), "last_at"),
    PERSON_ATTRIBUTES: ById(("person_id",)),
    TOUCHES: ById(("person_id",), "at"),
    CONVERSIONS: ById(("person_id", "anonymous_id", "user_id"), "at"),
    CONVERSION_PATHS: ById(("person_id",), "at"),
    USER_SEGMENTS: ById(("person_id",)),
    SEGMENT_MEMBERSHIPS: ById(("person_id",)),
    SEGMENT_WEBHOOKS: ById(("person_id",)),
    PERSON_FEATURES: ById(("person_id",)),
}
"""Tables whose rows go by the ids in them, each after all that it is made of."""

KEPT: Mapping[Table, Kept] = {
    GROUPS: Kept("what events say of a company or workspace, not of a person"),
    TRAINED_MODELS: Kept("what models learned of many people; it names nobody, and no text of fewer than 20 people"),
    COMPANIES: Kept("what other systems say of a company, not of a person"),
}
