"""What a dialect must know; everything else of the warehouse's SQL is the same everywhere.

Redshift speaks PostgreSQL's protocol and, for what is used here, its SQL: only types, physical layout, locks and the
way files come in differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

from psycopg import Connection, sql

from event_assets.contract.tables.schema import Column, ColumnType
from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.warehouse.fitting import Fitted
from event_assets.warehouse.relation import Relation

Session = Connection[tuple[Any, ...]]


class SourceFile(Protocol):
    """A Parquet file of the lake. `url` is an absolute path or `s3://bucket/key`, `partition` its folder's values."""

    @property
    def url(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def partition(self) -> Mapping[str, str]: ...


Mode = Literal["replace", "append"]


class Copied(NamedTuple):
    """What copying in did. `changed_values` counts text values that the warehouse cannot hold as they are."""

    rows: int
    changed_values: int = 0


class Dialect(Protocol):
    """PostgreSQL or Redshift."""

    name: str
    views_grow: bool
    """Whether a view that stands can have columns added at its end."""
    view_barrier: sql.SQL
    """What follows the name of a view in CREATE VIEW so that conditions asked of it see its rows alone."""
    role_word: sql.SQL
    """What stands before the name of a role that something is granted to."""
    role_admin: sql.SQL
    """What lets a role that is in another put others there."""

    def connect(self, url: str) -> AbstractContextManager[Session]:
        """A connection in autocommit mode; transactions are opened explicitly. Sessions are in UTC."""

    def type_of(self, column: Column) -> sql.SQL:
        """The column's type."""

    def column_suffix(self, relation: Relation, column: Column) -> sql.Composable:
        """What follows the type in CREATE TABLE: the encoding."""

    def table_suffix(self, relation: Relation) -> sql.Composable:
        """What follows the columns in CREATE TABLE: distribution and sort order."""

    def indexes(self, schema: str, relation: Relation) -> Mapping[str, sql.Composed]:
        """The indexes of a relation by name, each IF NOT EXISTS."""

    def digest(self, text: sql.Composable) -> sql.Composed:
        """At least 128 bits of a text's SHA-256, as text; null of null."""

    def lock_schema(self, schema: str) -> Sequence[sql.Composed]:
        """What keeps two processes from making the same tables at once."""

    def lock(self, schema: str, name: str) -> sql.Composed:
        """Waits until no other transaction holds the same lock, and holds it to the transaction's end."""

    def total(self, value: sql.Composable, type_: ColumnType) -> sql.Composed:
        """The sum of a value of that type over the rows; 0 where there are none."""

    def stage_columns(self, table: WarehouseTable, mode: Mode) -> tuple[Column, ...]:
        """The columns of the staging table, in its order. Where rows are appended straight, what they are found and
        counted by is enough."""

    def stage_type_of(self, column: Column) -> sql.SQL:
        """The column's type in the staging table."""

    def from_stage(self, column: Column, stage: str) -> sql.Composed:
        """The staged column as the target takes it."""

    def copy_in(
        self,
        session: Session,
        stage: str,
        columns: tuple[Column, ...],
        table: WarehouseTable,
        files: Sequence[SourceFile],
    ) -> Copied:
        """Copies these columns of the files, which are all columns of a staging table, into it, inside the session's
        transaction."""

    def append(
        self,
        session: Session,
        target: sql.Identifier,
        table: WarehouseTable,
        files: Sequence[SourceFile],
        loaded_at: dt.datetime,
    ) -> Copied | None:
        """Copies the files straight into the table, each row loaded at this time; None where rows come only from the
        staging table."""

    def fitted(self, table: WarehouseTable, files: Sequence[SourceFile]) -> AbstractContextManager[Fitted | None]:
        """The files with copies in the place of those whose texts the warehouse cannot hold, gone at the block's end;
        None where it can hold all."""
