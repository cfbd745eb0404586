"""Whether the tables of a source can be read: it answers, lets us in, has the columns, is fresh. Nothing is loaded."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow.compute as pc
import sqlalchemy as sa

from event_assets.company.connecting import (
    CompanyError,
    Environment,
    engine_of,
    files_of,
    headers_of,
    name_of,
    rows_of_files,
)
from event_assets.lake.storage import Storage
from event_assets.rules.company import (
    CompanySource,
    CompanyTable,
    FilesSource,
    FilesTable,
    RestSource,
    RestTable,
    SqlSource,
    SqlTable,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ANSWER_SECONDS = 20.0


@dataclass(frozen=True)
class TableCheck:
    """What was found of a table at its source.

    `rows` and `newest` (the greatest cursor; of files without one, when the last was written) are None where they are
    not known; `fault` says what is wrong, and is empty where nothing is.
    """

    source: str
    table: str
    reachable: bool = False
    permitted: bool = False
    rows: int | None = None
    newest: dt.datetime | None = None
    fresh: bool | None = None
    fault: str = ""

    @property
    def ok(self) -> bool:
        return not self.fault

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return asdict(self) | {"newest": self.newest.isoformat() if self.newest else None, "ok": self.ok}


def check_source(
    source: CompanySource, storage: Storage, environment: Environment = os.environ, now: dt.datetime | None = None
) -> list[TableCheck]:
    """One check a table, in the order of the file."""
    moment = now or dt.datetime.now(dt.UTC)
    found = list(_found(source, storage, environment))
    return [_with_freshness(check, table, moment) for check, table in zip(found, source.tables, strict=True)]


def _with_freshness(check: TableCheck, table: CompanyTable, now: dt.datetime) -> TableCheck:
    if table.freshness is None or not check.ok:
        return check
    is_fresh = check.newest is not None and now - check.newest <= table.freshness
    newest = f"is of {check.newest:%Y-%m-%d %H:%M} UTC" if check.newest else "is not there"
    fault = "" if is_fresh else f"the newest row {newest}; it may be {table.fresh_within} old"
    return replace(check, fresh=is_fresh, fault=fault)


def _found(source: CompanySource, storage: Storage, environment: Environment) -> Iterator[TableCheck]:
    match source:
        case SqlSource():
            yield from _of_database(source, environment)
        case FilesSource():
            for files in source.tables:
                yield _of_files(source, files, storage)
        case RestSource():
            for path in source.tables:
                yield _of_api(source, path, environment)


def _of_database(source: SqlSource, environment: Environment) -> Iterator[TableCheck]:
    try:
        with engine_of(source, environment).connect() as connection:
            found = [_of_table(source, table, connection) for table in source.tables]
    except (CompanyError, sa.exc.SQLAlchemyError) as fault:
        found = [TableCheck(source.name, table.name, fault=_words(fault)) for table in source.tables]
    yield from found


def _of_table(source: SqlSource, table: SqlTable, connection: Connection) -> TableCheck:
    check = TableCheck(source.name, table.name, reachable=True)
    name = name_of(table)
    try:
        there = sa.Table(name, sa.MetaData(schema=source.schema_), autoload_with=connection)
        absent = [column for column in (*table.key, *table.wanted, table.cursor, table.deleted, *table.only) if column]
        absent = [column for column in absent if column not in there.columns]
        if absent:
            return replace(check, permitted=True, fault=f"{name} has no column {absent[0]}")
        newest = sa.func.max(there.c[table.cursor]) if table.cursor else sa.null()
        count, last = connection.execute(sa.select(sa.func.count(), newest).select_from(there)).one()
    except sa.exc.NoSuchTableError:
        return replace(check, fault=f"there is no table {name}, or we may not see it")
    except sa.exc.DBAPIError as fault:
        connection.rollback()
        return replace(check, fault=_words(fault))
    return replace(check, permitted=True, rows=int(count), newest=_moment(last))


def _of_files(source: FilesSource, table: FilesTable, storage: Storage) -> TableCheck:
    check = TableCheck(source.name, table.name)
    try:
        written = max(info.mtime for info in files_of(source, table, storage) if info.mtime is not None)
        check = replace(check, reachable=True, newest=written)
        rows = next(rows_of_files(source, table, storage))
    except (CompanyError, OSError) as fault:
        return replace(check, fault=_words(fault))
    absent = [column for column in (*table.key, *table.wanted, table.cursor) if column]
    absent = [column for column in absent if column not in rows.column_names]
    if absent:
        return replace(check, permitted=True, fault=f"{table.files} has no column {absent[0]}")
    newest = _moment(pc.max(rows[table.cursor]).as_py()) if table.cursor else written
    return replace(check, permitted=True, rows=rows.num_rows, newest=newest)


def _of_api(source: RestSource, table: RestTable, environment: Environment) -> TableCheck:
    check = TableCheck(source.name, table.name)
    url = f"{source.url.rstrip('/')}/{table.path.lstrip('/')}"
    try:
        headers = headers_of(source, environment)
        answer = httpx.get(url, headers=headers, params=dict(table.parameters), timeout=ANSWER_SECONDS)
    except (CompanyError, httpx.HTTPError) as fault:
        return replace(check, fault=_words(fault))
    check = replace(check, reachable=True, permitted=answer.status_code not in (401, 403))
    if not answer.is_success:
        return replace(check, fault=f"{url} answers {answer.status_code} {answer.reason_phrase}")
    return check


def _moment(value: Any) -> dt.datetime | None:
    """A cursor's value as a moment, where it is one; without a zone it is UTC."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    return None


def _words(fault: Exception) -> str:
    """The first line of what it says: a driver's next ones have the statement in them."""
    said = str(getattr(fault, "orig", None) or fault).strip().splitlines()
    return said[0] if said else type(fault).__name__
