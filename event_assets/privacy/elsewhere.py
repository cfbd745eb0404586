"""Erases the people of a batch from what is made of the lake, and from what came before it: the warehouse, the online
table, the embedded stream's log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from event_assets.contract.erasure import Known, Owner, erased_in_record, without_lines
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.lake.lake import Lake
from event_assets.online import OnlineTable
from event_assets.pipeline.land import ERASED_KEY
from event_assets.pipeline.load import behind, load_step
from event_assets.pipeline.online import publish
from event_assets.pipeline.window import EVERYTHING
from event_assets.privacy.finding import People
from event_assets.privacy.rules import BY_ID, ById
from event_assets.streams.embedded_erasure import Rewritten, rewrite_records
from event_assets.warehouse.erasing import erase_rows, taken_in, vacuum
from event_assets.warehouse.warehouse import Warehouse

_OF_EVENTS = ById(("anonymous_id", "user_id"), "derived_at")


def erase_from_warehouse(lake: Lake, warehouse: Warehouse, until: Mapping[str, dt.datetime]) -> dict[str, int]:
    """Erases from every table of the warehouse; `until` are the ids of those who go whole. Gives the rows that went
    from tables by dates; the others are loaded as the lake has them, by what differs, and so are days that were made
    again."""
    warehouse.ensure()
    erased: dict[str, int] = {}
    for table in warehouse.tables:
        if not lake.table(table.lake.name).exists():
            continue
        rule = _rule_of(table.lake)
        if table.partition_by and rule is not None and rule.at is not None:
            erased[table.name] = erase_rows(warehouse, table, rule.columns, rule.at, until)
        if table.partition_by:
            _take_in(lake, warehouse, table)
        load_step(lake, warehouse, table, EVERYTHING, most_never=0)
    if warehouse.dialect.name == "postgres":
        vacuum(warehouse)
    return erased


def _rule_of(table: Table) -> ById | None:
    return _OF_EVENTS if table is ENRICHED_EVENTS else BY_ID.get(table)


def _take_in(lake: Lake, warehouse: Warehouse, table: WarehouseTable) -> None:
    """Says that nothing else of the lake is missing, where it is not, so that no day is loaded again."""
    snapshot = lake.table(table.lake.name).snapshot()
    if warehouse.loaded_versions(table, snapshot.id) and not behind(snapshot, warehouse, table).dates:
        taken_in(warehouse, table, snapshot.version, snapshot.id)


def erase_from_online(lake: Lake, online: OnlineTable, now: dt.datetime) -> int:
    """Makes the online table anew where there is one. Gives how many ids it has."""
    return publish(lake, online, now, anew=True).ids if online.version() else 0


def erase_from_log(path: Path, people: People) -> int:
    """Erases from the records of the embedded log. Gives how many records changed."""

    def is_erased(owner: Owner) -> bool:
        return people.of_arriving(owner) is not None

    known: Known = {}

    def change(key: str, data: bytes, arrived_at: dt.datetime) -> Rewritten | None:
        gone = erased_in_record(data, key, arrived_at, is_erased, people.rules.placeholders, known)
        names = is_erased(Owner(key, None, arrived_at)) or is_erased(Owner(None, key, arrived_at))
        if not gone and not names:
            return None
        left = without_lines(data, [line for line, _ in gone]).data if gone else data
        return Rewritten(ERASED_KEY if names else key, left)

    return rewrite_records(path, change)
