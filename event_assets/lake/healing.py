"""Makes a lake readable again that holds Parquet files of other types than their tables, as a session without its
settings wrote them.

Such files cannot be read together with others. Their rows are written again in the table's types. What a session in
another zone than UTC worked out may lie on wrong dates, in files that show no sign of it; then every table is to be
made again from its upstream.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import NamedTuple
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.files import LakeFile, wrong_types
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable, retry_on_conflict

UNKNOWN_RULES = "unknown"
"""The code version of days that no rules can have made: materialising makes them again."""

_IS_UTC = frozenset({"UTC", "Etc/UTC", "UCT", "Etc/UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "+00:00"})


class SpoiltFile(NamedTuple):
    """A file that is not of its table's types. `zones` are those of its times, `none` where they have none."""

    file: LakeFile
    columns: tuple[str, ...]
    zones: frozenset[str]

    @property
    def is_utc(self) -> bool:
        """Whether its session was in UTC by another name, so that its rows are right."""
        return self.zones <= _IS_UTC


class Healing(NamedTuple):
    """What was done to one table: files and rows that were written again, and the zones that they were in."""

    table: str
    files: int
    rows: int
    zones: tuple[str, ...]
    to_be_made_again: bool


def spoilt_files(snapshot: Snapshot) -> list[SpoiltFile]:
    """The files of a table that are not of its types, by their footers. Raises `OSError` for one that is damaged."""
    spoilt = []
    for file in snapshot.files:
        storage = snapshot.table.storage
        footer = pq.read_metadata(_path(snapshot.table, file), filesystem=storage.filesystem)
        fields = wrong_types(footer, snapshot.table.spec)
        if fields:
            zones = frozenset(f.type.tz or "none" for f in fields if pa.types.is_timestamp(f.type))
            spoilt.append(SpoiltFile(file, tuple(field.name for field in fields), zones))
    return spoilt


def heal(tables: Iterable[LakeTable]) -> list[Healing]:
    """Writes spoilt files again in their tables' types, and where one was not in UTC, lets every table but the raw
    records be made again when its days are materialised. Doing it again does nothing."""
    existing = [table for table in tables if table.exists()]
    healed = [_heal(table) for table in existing]
    if any(each.to_be_made_again for each in healed):
        derived = [table for table in existing if table.spec is not RAW_EVENTS]
        for table in derived:
            retry_on_conflict(partial(_forget_rules, table))
        names = {table.spec.name for table in derived}
        healed = [each._replace(to_be_made_again=each.table in names) for each in healed]
    return [each for each in healed if each.files or each.to_be_made_again]


def _heal(table: LakeTable) -> Healing:
    spoilt = retry_on_conflict(lambda: _rewrite(table))
    for each in spoilt:
        # No version with it could be read. Without it, steps that look back at one make all rows again instead.
        table.storage.filesystem.delete_file(_path(table, each.file))
    zones = frozenset[str]().union(*(each.zones for each in spoilt))
    rows = sum(each.file.rows for each in spoilt)
    foreign = not all(each.is_utc for each in spoilt)
    return Healing(table.spec.name, len(spoilt), rows, tuple(sorted(zones)), foreign)


def _rewrite(table: LakeTable) -> list[SpoiltFile]:
    base = table.snapshot()
    spoilt = spoilt_files(base)
    if spoilt:
        fresh = [
            table.stage_arrow(_rows(base, each.file), f"healed-{uuid4().hex}", dict(each.file.partition))
            for each in spoilt
        ]
        table.compact(base, add=fresh, remove=[each.file for each in spoilt])
    return spoilt


def _rows(base: Snapshot, file: LakeFile) -> pa.Table:
    """The rows of a file in all columns of its table; those that it was written before are null."""
    path = _path(base.table, file)
    rows = pq.read_table(path, filesystem=base.table.storage.filesystem, partitioning=None)
    for field in base.table.spec.arrow_schema():
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(base.table.spec.column_names)


def _forget_rules(table: LakeTable) -> None:
    base = table.snapshot()
    if base.progress.code:
        table.commit(base, replace(base.progress, code=UNKNOWN_RULES))


def _path(table: LakeTable, file: LakeFile) -> str:
    return table.storage.path(f"{table.spec.name}/{file.path}")
