"""The columns of every table, written once; a module for each room of the data.

Arrow and Spark schemas, warehouse DDL, Dagster column schemas, checks and docs are made from these. No engine, no
storage and no Dagster here.
"""

from __future__ import annotations

from functools import cache

from event_assets.contract.tables.books import DAILY_METRICS, EVENT_LEDGER
from event_assets.contract.tables.events import (
    CLEAN_EVENTS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_DAYS,
    EVENT_IDS,
    QUARANTINED_EVENTS,
    RAW_EVENTS,
)
from event_assets.contract.tables.people import (
    IDENTITIES,
    SEGMENT_MEMBERSHIPS,
    USER_SEGMENTS,
    USER_TRAITS,
    USERS,
    VISITORS,
)
from event_assets.contract.tables.product import (
    ACTIVE_USERS,
    ANALYSIS_TABLES,
    FUNNELS,
    LIFECYCLE,
    PATHS,
    PRODUCT_TABLES,
    RETENTION,
    STICKINESS,
    WEB_VITALS,
)
from event_assets.contract.tables.schema import Column, ColumnType, Table
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSION_ISSUES, SESSIONS
from event_assets.contract.tables.sources import (
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
    CONVERSION_IDS,
    CONVERSION_PATHS,
    CONVERSIONS,
    TOUCHES,
)
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable

__all__ = [
    "ACTIVE_USERS",
    "ANALYSIS_TABLES",
    "ATTRIBUTION",
    "CHANNEL_PERFORMANCE",
    "CLEAN_EVENTS",
    "CONVERSIONS",
    "CONVERSION_IDS",
    "CONVERSION_PATHS",
    "DAILY_METRICS",
    "DUPLICATE_EVENTS",
    "ENRICHED_EVENTS",
    "EVENT_DAYS",
    "EVENT_IDS",
    "EVENT_LEDGER",
    "FUNNELS",
    "IDENTITIES",
    "LAKE_TABLES",
    "LIFECYCLE",
    "PAGE_VIEWS",
    "PATHS",
    "PRODUCT_TABLES",
    "QUARANTINED_EVENTS",
    "RAW_EVENTS",
    "RETENTION",
    "SEGMENT_MEMBERSHIPS",
    "SESSIONS",
    "SESSION_ISSUES",
    "STICKINESS",
    "TOUCHES",
    "USERS",
    "USER_SEGMENTS",
    "USER_TRAITS",
    "VISITORS",
    "WAREHOUSE_TABLES",
    "WEB_VITALS",
    "Column",
    "ColumnType",
    "Table",
    "WarehouseTable",
    "table",
]

LAKE_TABLES: tuple[Table, ...] = (
    RAW_EVENTS,
    CLEAN_EVENTS,
    QUARANTINED_EVENTS,
    EVENT_IDS,
    DUPLICATE_EVENTS,
    ENRICHED_EVENTS,
    EVENT_DAYS,
    CONVERSION_IDS,
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


@cache
def table(name: str) -> Table:
    """The lake table of that name. Raises `KeyError`."""
    for candidate in LAKE_TABLES:
        if candidate.name == name:
            return candidate
    raise KeyError(f"the lake has no table {name!r}")
