"""Every table of the lake, in the order in which data travels."""

from __future__ import annotations

from functools import cache

from event_assets.contract.tables import (
    anomalies,
    attribution,
    company,
    dimensions,
    events,
    features,
    groups,
    identity,
    metrics,
    minutes,
    people,
    product,
    segments,
    sessions,
)
from event_assets.contract.tables.schema import Table

ANALYSIS_TABLES = product.TABLES
"""What analyses give: one table a kind, which holds all analyses of it."""

PRODUCT_TABLES: tuple[Table, ...] = (
    people.OUTLIER_VISITORS,
    metrics.PERIOD_PEOPLE,
    segments.SEGMENT_MEMBERSHIPS,
    *anomalies.TABLES,
    *ANALYSIS_TABLES,
)
"""What is made whole, in runs of its own."""

LAKE_TABLES: tuple[Table, ...] = tuple(
    table
    for room in (
        events,
        identity,
        sessions,
        people,
        groups,
        company,
        attribution,
        segments,
        product,
        metrics,
        dimensions,
        features,
        minutes,
        anomalies,
    )
    for table in room.TABLES
)

REMEMBERED_TABLES: tuple[Table, ...] = (segments.SEGMENT_WEBHOOKS,)
"""What is remembered of what was done elsewhere: no step makes them, and none could make them again."""

EVERY_TABLE: tuple[Table, ...] = (*LAKE_TABLES, *REMEMBERED_TABLES)


@cache
def table(name: str) -> Table:
    """The lake table of that name. Raises `KeyError`."""
    for candidate in EVERY_TABLE:
        if candidate.name == name:
            return candidate
    raise KeyError(f"the lake has no table {name!r}")
