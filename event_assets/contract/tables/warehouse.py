"""The tables of the warehouse: which lake table each is loaded from, and how it is laid out there."""

from __future__ import annotations

from dataclasses import dataclass

from event_assets.contract.tables.books import DAILY_METRICS
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.people import SEGMENT_MEMBERSHIPS, USER_SEGMENTS, USER_TRAITS, USERS, VISITORS
from event_assets.contract.tables.product import (
    ACTIVE_USERS,
    FUNNELS,
    LIFECYCLE,
    PATHS,
    RETENTION,
    STICKINESS,
    WEB_VITALS,
)
from event_assets.contract.tables.schema import Column, Table
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSION_ISSUES, SESSIONS
from event_assets.contract.tables.sources import (
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
    CONVERSION_PATHS,
    CONVERSIONS,
    TOUCHES,
)


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
        "fct_session_issues",
        SESSION_ISSUES,
        SESSION_ISSUES.column_names,
        partition_by="event_date",
        dist_key="anonymous_id",
        sort_key=("start_at",),
    ),
    WarehouseTable(
        "dim_visitors",
        VISITORS,
        VISITORS.column_names,
        dist_key="anonymous_id",
        sort_key=("anonymous_id",),
        sums=("events", "sessions", "page_views", "engaged_seconds"),
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
    WarehouseTable(
        "segment_memberships",
        SEGMENT_MEMBERSHIPS,
        SEGMENT_MEMBERSHIPS.column_names,
        dist_key="person_id",
        sort_key=("segment", "from_date"),
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
            (STICKINESS, ("people",)),
            (WEB_VITALS, ("views",)),
        )
    ),
)
"""Every table of the warehouse. Each has `loaded_at` beside these columns: when the row first came in."""
