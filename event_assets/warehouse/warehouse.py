"""The warehouse itself: its tables are made, partitions are loaded into it, and it tells what is loaded.

A load is one transaction: readers see the partition as it was or as it is, and a process that dies leaves it as it was.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self, TypeVar

import psycopg
from psycopg import sql

from event_assets.contract.tables.schema import Column
from event_assets.contract.tables.views import VIEWS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.settings import Settings
from event_assets.warehouse import ddl, dml, migrations, views
from event_assets.warehouse.dialect import Copied, Dialect, Mode, Session, SourceFile
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.loads import (
    OF_ANOTHER,
    LoadExpectation,
    LoadMismatch,
    LoadReport,
    PartitionDate,
    Standing,
    Totals,
    differences,
    partitions_of,
    standing_of,
)
from event_assets.warehouse.migrations import MIGRATED, MIGRATIONS, Migration
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.redshift import RedshiftDialect
from event_assets.warehouse.relation import LOADS, Relation, match_columns, relation_of

_VALUES_PER_STATEMENT = 1000
_Item = TypeVar("_Item")


class Warehouse:
    """One schema of one database. Connects for each call; nothing is kept open between calls."""

    def __init__(
        self,
        dialect: Dialect,
        url: str,
        schema: str = "analytics",
        tables: Sequence[WarehouseTable] = WAREHOUSE_TABLES,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        event_days: int | None = None,
    ) -> None:
        """`event_days` are the last days that tables whose rows are events have; None: all."""
        self.dialect = dialect
        self.schema = schema
        self.tables = tuple(tables)
        self.event_days = event_days
        self.url = url
        self._clock = clock

    @classmethod
    def from_settings(cls, settings: Settings, url: str) -> Self:
        """The warehouse of these settings, at `url` (the embedded PostgreSQL's, where the settings name none)."""
        files = LakeFiles(settings.aws_region, settings.s3_endpoint_url)
        if settings.warehouse == "redshift":
            dialect: Dialect = RedshiftDialect.from_settings(settings, files)
        else:
            dialect = PostgresDialect(files)
        return cls(dialect, url, settings.warehouse_schema, event_days=settings.warehouse_event_days)

    @contextmanager
    def connect(self) -> Iterator[Session]:
        """A connection in autocommit mode, for reading; times are in UTC."""
        with self.dialect.connect(self.url) as session:
            yield session

    def ensure(self) -> None:
        """Migrates what is there, and makes what is missing of schema, tables, columns and comments. Drops nothing
        but a view that gains columns where the dialect cannot add any."""
        relations = [LOADS, MIGRATED, *map(relation_of, self.tables)]
        with self.connect() as session:
            missing = (*self._missing(session, relations), *self._missing_views(session))
            if not missing and not self._to_migrate(session):
                return
            with session.transaction():
                for lock in self.dialect.lock_schema(self.schema):
                    session.execute(lock)
                session.execute(ddl.create_schema(self.schema))
                to_migrate = self._to_migrate(session)
                for migration in to_migrate:
                    for statement in list(migration.statements(self.schema, self._standing_relations(session))):
                        session.execute(statement)
                for still_missing in (self._missing(session, relations), self._missing_views(session)):
                    for statement in list(still_missing):
                        session.execute(statement)
                for migration in to_migrate:
                    values = (migration.version, migration.description, self._clock())
                    session.execute(migrations.record(self.schema), values)

    def load_partition(
        self,
        table: WarehouseTable,
        dates: Sequence[dt.date] | None,
        files: Sequence[SourceFile],
        expected: LoadExpectation | Callable[[], LoadExpectation],
        mode: Mode,
        lake_version: int,
        through: int | None = None,
        lake_table: str | None = None,
        grown: LoadExpectation | None = None,
        gone: Sequence[SourceFile] = (),
    ) -> LoadReport:
        """Loads partitions of a table in one transaction, so that they hold what the lake holds at `lake_version` of
        the Delta table whose id is `lake_table`.

        `dates` are the partitions, None a table that is one whole. `replace` puts the rows of `files` in the place of
        all rows of the dates; `append` adds the rows of new files, and puts those whose key is there already in the
        place of the old ones; rows that the values of `match_columns` in the files of `gone` find go. Loading the same
        again changes nothing: a row keeps its `loaded_at` while its key stays in the dates that are loaded together.
        `expected` is what the whole of each partition must hold then; where rows are appended, `grown` may say it
        without the others having to be read: the rows of each partition, and the sums of those of `files`. `through` is
        the lake version up to which every date of the table is loaded after it; it is kept as the version of None.

        Texts that the warehouse's columns cannot hold are shortened; the lake has them whole.

        Raises `LoadMismatch` when it would not; then, as on any other error, nothing has changed.
        """

        def load(sources: Sequence[SourceFile]) -> LoadReport:
            came, went = sources[: len(files)], sources[len(files) :]
            return self._load(table, dates, came, expected, mode, (lake_version, lake_table), through, grown, went)

        try:
            return load([*files, *gone])
        except (psycopg.DataError, psycopg.InternalError):
            with self.dialect.fitted(table, [*files, *gone]) as fitted:
                if fitted is None:
                    raise
                return load(fitted.files)._replace(shortened=fitted.texts)

    def _load(
        self,
        table: WarehouseTable,
        dates: Sequence[dt.date] | None,
        files: Sequence[SourceFile],
        expected: LoadExpectation | Callable[[], LoadExpectation],
        mode: Mode,
        made_of: tuple[int, str | None],
        through: int | None,
        grown: LoadExpectation | None,
        gone: Sequence[SourceFile],
    ) -> LoadReport:
        partitions = partitions_of(table, dates)
        began = time.monotonic()
        with self.connect() as session, session.transaction():
            session.execute(self.dialect.lock(self.schema, table.name))
            staged = self._stage(session, dml.STAGE, self.dialect.stage_columns(table, mode), table, files)
            self.put_dates(session, partitions)
            if gone:
                self._stage(session, dml.GONE, tuple(map(table.lake.column, match_columns(table))), table, gone)
                session.execute(dml.add_staged_to_gone(table))
            coming = self.standing(session, table, partitions, of=sql.Identifier(dml.STAGE))
            outside = staged.rows - sum(standing.totals.rows for standing in coming.values())
            if outside:
                raise LoadMismatch(table.name, [f"{outside} rows of the files are outside the dates"])
            deleted, copied = self._swap(session, table, mode, files, staged, dml.found_by(table, mode, bool(gone)))
            standing = self._grown(session, table, coming, deleted)
            if grown is None or mode == "replace" or any(differences(table, grown, standing)):
                standing = self.standing(session, table, partitions)
                faults = list(differences(table, expected() if callable(expected) else expected, standing))
                if faults:
                    raise LoadMismatch(table.name, faults)
            rows = {date: totals.rows for date, (totals, _) in standing.items()}
            self.record(session, table, rows, made_of)
            if through is not None:
                self.record(session, table, {None: 0}, (through, made_of[1]))
        return LoadReport(
            table=table.name,
            mode=mode,
            dates=len(partitions),
            lake_version=made_of[0],
            rows=sum(rows.values()),
            staged=staged.rows,
            deleted=sum(deleted.values()),
            inserted=copied.rows,
            replaced_nuls=max(staged.changed_values, copied.changed_values),
            files=len(files),
            bytes=sum(file.size for file in files),
            seconds=time.monotonic() - began,
        )

    def remove_dates(self, table: WarehouseTable, dates: Sequence[dt.date]) -> int:
        """Removes the rows of dates that the warehouse is not to have, and the record that they were loaded, in one
        transaction. Gives the count of rows. Doing it again changes nothing."""
        with self.connect() as session, session.transaction():
            session.execute(self.dialect.lock(self.schema, table.name))
            self.put_dates(session, dates)
            removed = session.execute(dml.delete_rows(self.schema, table, dml.DATES)).rowcount
            for some in chunks(dates):
                session.execute(dml.forget_loads(self.schema, len(some)), (table.name, *some))
        return removed

    def loaded_versions(self, table: WarehouseTable, lake_table: str | None = None) -> dict[PartitionDate, int]:
        """The lake version that each loaded partition is from, by the warehouse's own record.

        Where `lake_table` is the id of the lake's table as it is now, what is from another table of the same name has
        the version `OF_ANOTHER`.
        """
        with self.connect() as session:
            loads = self.loads(session, table)
        return {
            date: OF_ANOTHER if lake_table and of_table and of_table != lake_table else version
            for date, version, of_table, _ in loads
        }

    def counts_and_sums(self, table: WarehouseTable, dates: Sequence[dt.date] | None) -> dict[PartitionDate, Totals]:
        """Rows and sums that stand now, for every date that is asked for; dates None: a table that is one whole."""
        partitions = partitions_of(table, dates)
        with self.connect() as session:
            self.put_dates(session, partitions)
            return {date: totals for date, (totals, _) in self.standing(session, table, partitions).items()}

    def _standing_relations(self, session: Session) -> ddl.Standing:
        has: dict[str, dict[str, str | None]] = {}
        for relation, column, comment in session.execute(ddl.CATALOG, (self.schema, self.schema)):
            has.setdefault(relation, {})[column] = comment
        return has

    def _to_migrate(self, session: Session) -> list[Migration]:
        if MIGRATED.name not in self._standing_relations(session):
            return list(MIGRATIONS)
        done = {version for (version,) in session.execute(migrations.done(self.schema))}
        return [migration for migration in MIGRATIONS if migration.version not in done]

    def _missing(self, session: Session, relations: Sequence[Relation]) -> Iterator[sql.Composed]:
        has = self._standing_relations(session)
        for wanted in relations:
            yield from ddl.missing(self.dialect, self.schema, wanted, has)

    def _missing_views(self, session: Session) -> Iterator[sql.Composed]:
        """Of the views whose tables are this warehouse's."""
        columns: dict[str, dict[str, str | None]] = {}
        comments: dict[str, str | None] = {}
        for view, column, comment, about in session.execute(views.CATALOG, (self.schema,)):
            columns.setdefault(view, {})[column] = comment
            comments[view] = about
        standing = {name: views.StandingView(comments[name], columns[name]) for name in columns}
        tables = {table.name for table in self.tables}
        ours = [view for view in VIEWS if {view.table.name, *(each.table.name for each in view.joined)} <= tables]
        yield from views.missing_views(self.dialect, self.schema, ours, standing)

    def put_dates(self, session: Session, partitions: Sequence[PartitionDate]) -> None:
        """Names the dates that the statements of this session are about."""
        session.execute(dml.create_dates())
        for dates in chunks([date for date in partitions if date is not None]):
            session.execute(dml.add_dates(len(dates)), dates)

    def _stage(
        self,
        session: Session,
        stage: str,
        columns: tuple[Column, ...],
        table: WarehouseTable,
        files: Sequence[SourceFile],
    ) -> Copied:
        session.execute(dml.create_stage(self.dialect, stage, columns))
        return self.dialect.copy_in(session, stage, columns, table, files)

    def _swap(
        self,
        session: Session,
        table: WarehouseTable,
        mode: Mode,
        files: Sequence[SourceFile],
        staged: Copied,
        found_in: str,
    ) -> tuple[Counter[PartitionDate], Copied]:
        """Puts what comes in the place of what goes. Gives what was deleted, by date, and what came."""
        kept = session.execute(dml.keep_arrivals(self.schema, table, found_in)).rowcount
        deleted: Counter[PartitionDate] = Counter()
        if kept:
            deleted.update(dict(session.execute(dml.count_rows(self.schema, table, found_in)).fetchall()))
            session.execute(dml.delete_rows(self.schema, table, found_in))
        now, target = self._clock(), sql.Identifier(self.schema, table.name)
        copied = self.dialect.append(session, target, table, files, now) if mode == "append" else None
        if copied is None:
            inserted = session.execute(dml.insert_rows(self.dialect, self.schema, table), (now,)).rowcount
            copied = Copied(inserted)
        elif kept:
            session.execute(dml.restore_arrivals(self.schema, table))
        if copied.rows != staged.rows:
            raise LoadMismatch(table.name, [f"{copied.rows} rows came of {staged.rows} that were staged"])
        return deleted, copied

    def _grown(
        self,
        session: Session,
        table: WarehouseTable,
        coming: Mapping[PartitionDate, Standing],
        deleted: Mapping[PartitionDate, int],
    ) -> dict[PartitionDate, Standing]:
        """Of each partition the rows, by those that it had by its record, those that went and those that came, and the
        sums of what came."""
        had = {date: rows for date, _, _, rows in self.loads(session, table)}
        return {
            date: each._replace(
                totals=each.totals._replace(rows=had.get(date, 0) - deleted.get(date, 0) + each.totals.rows)
            )
            for date, each in coming.items()
        }

    def standing(
        self,
        session: Session,
        table: WarehouseTable,
        partitions: Sequence[PartitionDate],
        of: sql.Identifier | None = None,
    ) -> dict[PartitionDate, Standing]:
        none = Standing(Totals(0, dict.fromkeys(table.sums, 0)), {})
        standing = dict.fromkeys(partitions, none)
        for date, *figures in session.execute(
            dml.totals(self.dialect, of or sql.Identifier(self.schema, table.name), table)
        ):
            standing[date] = standing_of(table, figures)
        return standing

    def record(
        self, session: Session, table: WarehouseTable, rows: dict[PartitionDate, int], made_of: tuple[int, str | None]
    ) -> None:
        known = {date: rest for date, *rest in self.loads(session, table)}
        new = [date for date, count in rows.items() if known.get(date) != [*made_of, count]]
        now = self._clock()
        for dates in chunks(new):
            bound = [date for date in dates if date is not None]
            session.execute(dml.forget_loads(self.schema, len(bound)), (table.name, *bound))
            values = [value for date in dates for value in (table.name, date, *made_of, rows[date], now)]
            session.execute(dml.record_loads(self.schema, len(dates)), values)

    def loads(self, session: Session, table: WarehouseTable) -> list[tuple[PartitionDate, int, str | None, int]]:
        return session.execute(dml.loads_of(self.schema), (table.name,)).fetchall()


def chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for first in range(0, len(items), _VALUES_PER_STATEMENT):
        yield items[first : first + _VALUES_PER_STATEMENT]
