"""Where events are and what is behind: read from the stream, the lake and the warehouse, without starting anything.

For people and for the demo. Nothing is decided by it, and nothing of Dagster is read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from event_assets.contract.tables.events import EVENT_LEDGER, RAW_EVENTS
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.storage import Storage
from event_assets.pipeline.land import checkpoint
from event_assets.pipeline.pending_changes import pending_changes
from event_assets.pipeline.registry import steps_of
from event_assets.settings import Settings
from event_assets.streams import StreamNotFound, open_stream
from event_assets.warehouse.warehouse import Warehouse

IN_PAUSES = frozenset(table.name for step in steps_of("pauses") for table in step.tables)
"""Tables that are made in pauses, by users' rules."""


@dataclass(frozen=True)
class LedgerTotals:
    """The event ledger, added up over all hours. Events, not records."""

    landed: int = 0
    clean: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    enriched: int = 0
    duplicates: int = 0
    conflicts: int = 0
    pending: int = 0
    balanced: bool = True


@dataclass(frozen=True)
class Overview:
    """The state of a platform at one moment.

    `unread_shards` hold records that are not landed yet. `pending` names, for each table that is behind, the dates
    it has to take in (`whole table` where it has no dates). `lake` has no tables that wait for the first pause.
    `warehouse` is None where it cannot be reached.
    """

    unread_shards: list[str]
    ledger: LedgerTotals
    lake: dict[str, int]
    warehouse: dict[str, int] | None
    pending: dict[str, list[str]]

    @property
    def settled(self) -> bool:
        """Whether everything that the stream took is in every table."""
        return not self.unread_shards and not self.pending and self.ledger.balanced and not self.ledger.pending

    @property
    def awaits_pause(self) -> bool:
        """Whether there are tables, and none yet of those that are made in pauses."""
        return bool(self.lake) and IN_PAUSES.isdisjoint(self.lake)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return asdict(self) | {"settled": self.settled}


def read_overview(settings: Settings, warehouse_url: str | None) -> Overview:
    """Look at everything once. `warehouse_url` is the warehouse's, None to leave it out."""
    lake = Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))
    snapshots = {spec.name: lake.table(spec.name).snapshot() for spec in LAKE_TABLES if lake.table(spec.name).exists()}
    warehouse = None if warehouse_url is None else Warehouse.from_settings(settings, warehouse_url)
    behind = dict(_behind(snapshots)) | dict(_not_made(snapshots))
    rows = None
    if warehouse is not None:
        # What is loaded while this looks is counted, never a table shown as loaded with the rows of before.
        behind |= _not_loaded(snapshots, warehouse)
        rows = _warehouse_rows(warehouse)
    return Overview(
        unread_shards=_unread_shards(settings, snapshots.get(RAW_EVENTS.name)),
        ledger=_ledger(snapshots.get(EVENT_LEDGER.name)),
        lake={name: one.rows for name, one in snapshots.items() if name not in IN_PAUSES or one.progress.upstreams},
        warehouse=rows,
        pending=behind,
    )


def _unread_shards(settings: Settings, raw: Snapshot | None) -> list[str]:
    stream = open_stream(settings)
    try:
        positions = checkpoint(raw.progress, stream.name) if raw is not None else {}
        unread = []
        for shard in stream.shards():
            position = positions.get(shard.shard_id)
            if position is None or not position.ended:
                after = position.after if position is not None else None
                if stream.has_records_after(shard.shard_id, after):
                    unread.append(shard.shard_id)
        return unread
    except StreamNotFound:
        return []
    finally:
        stream.close()


def _ledger(ledger: Snapshot | None) -> LedgerTotals:
    if ledger is None or not ledger.files:
        return LedgerTotals()
    table = ledger.table
    columns = [column.name for column in EVENT_LEDGER.columns if column.type in {"long", "boolean", "string"}]
    rows = pa.concat_tables(
        pq.read_table(
            table.storage.path(f"{EVENT_LEDGER.name}/{file.path}"),
            columns=columns,
            filesystem=table.storage.filesystem,
            partitioning=None,
        )
        for file in ledger.files
    ).to_pylist()
    reasons: Counter[str] = Counter()
    for row in rows:
        reasons.update(json.loads(row["quarantined_by_reason"]))
    sums = {name: sum(row[name] for row in rows) for name in columns if isinstance(rows[0][name], int)}
    return LedgerTotals(
        landed=sums["landed"],
        clean=sums["clean"],
        quarantined=dict(reasons.most_common()),
        enriched=sums["enriched"],
        duplicates=sums["duplicates"],
        conflicts=sums["conflicts"],
        pending=sums["pending"],
        balanced=all(row["balanced"] for row in rows),
    )


def _behind(snapshots: dict[str, Snapshot]) -> Iterator[tuple[str, list[str]]]:
    """The tables of the lake that have something to take in, by their own record of what they took in. Those that are
    made in pauses are not waited for."""
    for name, snapshot in snapshots.items():
        if name in IN_PAUSES:
            continue
        dates: set[str] = set()
        for upstream in snapshot.progress.upstreams.keys() & snapshots.keys():
            dates |= set(pending_changes(snapshots[upstream], snapshot.progress).dates)
        if dates:
            yield name, sorted(dates)


def _not_made(snapshots: dict[str, Snapshot]) -> Iterator[tuple[str, list[str]]]:
    """The tables that the first run has not come to yet. Those made in pauses come later, and some of them only where
    somebody has defined any."""
    raw = snapshots.get(RAW_EVENTS.name)
    if raw is not None and raw.rows:
        for spec in LAKE_TABLES:
            if spec.name not in snapshots and spec.name not in IN_PAUSES:
                yield spec.name, ["whole table"]


def _warehouse_rows(warehouse: Warehouse) -> dict[str, int]:
    rows: dict[str, int] = {}
    with warehouse.connect() as session:
        for table in warehouse.tables:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(warehouse.schema, table.name))
            try:
                rows[table.name] = session.execute(count).fetchall()[0][0]
            except psycopg.errors.UndefinedTable:
                rows[table.name] = 0
    return rows


def _not_loaded(snapshots: dict[str, Snapshot], warehouse: Warehouse) -> dict[str, list[str]]:
    """The tables of the warehouse that are behind the lake, by the warehouse's own record of what it loaded."""
    return {table.name: dates for table in WAREHOUSE_TABLES if (dates := _dates_to_load(snapshots, warehouse, table))}


def _dates_to_load(snapshots: dict[str, Snapshot], warehouse: Warehouse, table: WarehouseTable) -> list[str]:
    from event_assets.pipeline.load import behind, loaded_version

    snapshot = snapshots.get(table.lake.name)
    if snapshot is None or not snapshot.rows:
        return []
    try:
        if table.partition_by:
            return sorted(behind(snapshot, warehouse, table).dates)
        loaded = loaded_version(snapshot, warehouse, table)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return ["whole table"]
    return [] if loaded == snapshot.version else ["whole table"]
