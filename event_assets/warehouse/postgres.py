"""PostgreSQL: its types, indexes and locks, and how Parquet files get into it over the wire.

Rows that are appended go straight into their table, once: staged is only what tells which of them are there already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import psycopg
import pyarrow as pa
from psycopg import sql

from event_assets.contract.tables.schema import Column, ColumnType
from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.warehouse.binary_copy import HEADER, TRAILER, encode, replace_nul
from event_assets.warehouse.dialect import Copied, Mode, Session, SourceFile
from event_assets.warehouse.fitting import Fitted
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.relation import LOADED_AT, Relation, match_columns, names

_TYPES: dict[ColumnType, str] = {
    "string": "text",
    "int": "integer",
    "long": "bigint",
    "double": "double precision",
    "boolean": "boolean",
    "timestamp": "timestamp with time zone",
    "date": "date",
    "binary": "bytea",
}
_OPTIONS = "-c timezone=UTC -c temp_buffers=64MB"
"""The second holds what most loads stage in memory; it is taken only where there is something to hold."""
_T = TypeVar("_T")
_LOCKS = 0x6576_656E
"""First key of our advisory locks, so that they meet nobody else's."""


class PostgresDialect:
    """PostgreSQL 14 or later. Files are read here and sent as one binary COPY."""

    name = "postgres"
    views_grow = True
    view_barrier = sql.SQL(" WITH (security_barrier = true)")
    role_word = sql.SQL("")
    role_admin = sql.SQL(" WITH ADMIN OPTION")

    def __init__(self, files: LakeFiles) -> None:
        self._files = files

    def connect(self, url: str) -> Session:
        return psycopg.connect(url, autocommit=True, application_name="event-assets", options=_OPTIONS)

    def type_of(self, column: Column) -> sql.SQL:
        return sql.SQL(_TYPES[column.type])

    def column_suffix(self, relation: Relation, column: Column) -> sql.Composable:
        return sql.SQL("")

    def table_suffix(self, relation: Relation) -> sql.Composable:
        return sql.SQL("")

    def indexes(self, schema: str, relation: Relation) -> Mapping[str, sql.Composed]:
        """None is unique: a row that moved to another date stands twice until its old date is loaded too."""
        statement = sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({})")
        table = sql.Identifier(schema, relation.name)
        columns = {"rows": relation.index, **{name: (name,) for name in relation.more_indexes}}
        named = {f"{relation.name}_{suffix}": of for suffix, of in columns.items()}
        return {name: statement.format(sql.Identifier(name), table, names(of)) for name, of in named.items()}

    def digest(self, text: sql.Composable) -> sql.Composed:
        # 132 bits of it, in base 64: half of what all of it in hexadecimal digits costs a count of distinct ones.
        return sql.SQL("left(encode(sha256(convert_to({}, 'UTF8')), 'base64'), 22)").format(text)

    def lock_schema(self, schema: str) -> Sequence[sql.Composed]:
        # CREATE … IF NOT EXISTS fails when two sessions run it at the same time.
        return [self.lock(schema, "")]

    def lock(self, schema: str, name: str) -> sql.Composed:
        return sql.SQL("SELECT pg_advisory_xact_lock({}, hashtext({}))").format(
            sql.Literal(_LOCKS), sql.Literal(f"{schema}.{name}")
        )

    def total(self, value: sql.Composable, type_: ColumnType) -> sql.Composed:
        # Numeric, because the sum of two finite doubles may be out of range, which PostgreSQL makes an error of.
        cast = sql.SQL("::numeric") if type_ == "double" else sql.SQL("")
        return sql.SQL("coalesce(sum({}{}), 0)").format(value, cast)

    def stage_columns(self, table: WarehouseTable, mode: Mode) -> tuple[Column, ...]:
        if mode == "replace":
            return table.specs()
        return tuple(map(table.lake.column, dict.fromkeys((*match_columns(table), *table.sums))))

    def stage_type_of(self, column: Column) -> sql.SQL:
        return self.type_of(column)

    def from_stage(self, column: Column, stage: str) -> sql.Composed:
        return names((column,), of=stage)

    def fitted(self, table: WarehouseTable, files: Sequence[SourceFile]) -> AbstractContextManager[Fitted | None]:
        return nullcontext(None)  # a text may have 1 GB

    def copy_in(
        self,
        session: Session,
        stage: str,
        columns: tuple[Column, ...],
        table: WarehouseTable,
        files: Sequence[SourceFile],
    ) -> Copied:
        copied = self._copy(session, sql.Identifier(stage), columns, table, files)
        # A table that was made just now has no statistics, and is not analysed by itself before it is gone.
        found_by = names(match_columns(table))
        session.execute(sql.SQL("ANALYZE {} ({})").format(sql.Identifier(stage), found_by))
        return copied

    def append(
        self,
        session: Session,
        target: sql.Identifier,
        table: WarehouseTable,
        files: Sequence[SourceFile],
        loaded_at: dt.datetime,
    ) -> Copied:
        return self._copy(session, target, table.specs(), table, files, loaded_at)

    def _copy(
        self,
        session: Session,
        into: sql.Identifier,
        columns: tuple[Column, ...],
        table: WarehouseTable,
        files: Sequence[SourceFile],
        loaded_at: dt.datetime | None = None,
    ) -> Copied:
        lake, changed = table.lake.arrow_schema(), 0
        schema = pa.schema([lake.field(column.name).with_nullable(True) for column in columns])
        more = (LOADED_AT,) if loaded_at else ()
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(into, names((*columns, *more)))
        with session.cursor() as cursor:
            with cursor.copy(statement) as copy:
                copy.write(HEADER)
                for piece, here in _ahead(self._pieces(files, schema, loaded_at)):
                    copy.write(piece)
                    changed += here
                copy.write(TRAILER)
            return Copied(cursor.rowcount, changed)

    def _pieces(
        self, files: Sequence[SourceFile], schema: pa.Schema, loaded_at: dt.datetime | None
    ) -> Iterator[tuple[memoryview, int]]:
        """What is sent, each piece with how many of its values were changed."""
        time = pa.scalar(loaded_at, pa.timestamp("us", tz="UTC"))
        for read in self._files.batches(files, schema):
            batch, changed = replace_nul(read)
            if loaded_at:
                batch = batch.append_column(LOADED_AT.name, pa.repeat(time, batch.num_rows))
            for piece in encode(batch):
                yield piece, changed
                changed = 0


def _ahead(pieces: Iterator[_T]) -> Iterator[_T]:
    """The same, each made while the one before is on its way."""
    with ThreadPoolExecutor(1, "encoding") as beside:
        coming = beside.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = beside.submit(next, pieces, None)
            yield piece
