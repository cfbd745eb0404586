"""A warehouse put to the proof: every table made and loaded from the lake, in a schema of its own that is dropped then.

For a real cluster, where tests cannot look. What it finds is a report without addresses, roles and rows, so that it
can be sent to whoever is asked for help.
"""

from __future__ import annotations

import platform
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pyarrow.compute as pc
from psycopg import sql

from event_assets import __version__
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.storage import Storage
from event_assets.pipeline.load import load_step, wanted
from event_assets.pipeline.window import Window
from event_assets.settings import Settings
from event_assets.warehouse.warehouse import Warehouse

_ADDRESS = re.compile(r"""\d{1,3}(?:\.\d{1,3}){3}|(?<=["(])[0-9a-f:]*:[0-9a-f:]+(?=[")])""")


class Proof(NamedTuple):
    """One thing that was tried. `found` is what was seen; `fault` why it did not work, None where it did."""

    what: str
    found: str
    seconds: float
    fault: str | None = None


class ValuesDiffer(Exception):
    """The warehouse has other values than the lake in these columns, though as many rows."""


def prove_warehouse(settings: Settings, url: str) -> Iterator[Proof]:
    """Tries everything that a load does: connects, makes all tables and views, makes them again, loads each table from
    the lake, puts it in its own place again, and compares the values. Of tables with days it takes the newest, of
    others all rows."""
    schema = f"event_assets_proof_{uuid.uuid4().hex[:8]}"
    warehouse = Warehouse.from_settings(settings.model_copy(update={"warehouse_schema": schema}), url)
    lake = Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))
    told = partial(_told, _to_hide(settings, url))
    first = _tried("connection", partial(_server, warehouse), told)
    yield first
    if first.fault is not None:
        return
    try:
        made = _tried("tables and views", partial(_made, warehouse), told)
        yield made
        if made.fault is not None:
            return
        for table in WAREHOUSE_TABLES:
            if not lake.table(table.lake.name).exists() or not (loading := _Loading(lake, warehouse, table)).has_rows:
                yield Proof(f"load {table.name}", "nothing to load", 0.0)
                continue
            yield _tried(f"load {table.name}", loading.load, told)
            yield _tried(f"load {table.name} again", partial(loading.load, again=True), told)
            yield _tried(f"compare {table.name}", loading.compare, told)
    finally:
        with warehouse.connect() as session:
            session.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


def _tried(what: str, attempt: Callable[[], str], told: Callable[[Exception], str]) -> Proof:
    began = time.perf_counter()
    try:
        return Proof(what, attempt(), round(time.perf_counter() - began, 3))
    except Exception as error:  # whatever it is, it is what the report is for
        return Proof(what, "", round(time.perf_counter() - began, 3), told(error))


def _to_hide(settings: Settings, url: str) -> dict[str, str]:
    """What a report does not say, and what it says instead; the longest first, since one may be part of another."""
    at, lake = urlsplit(url), urlsplit(settings.lake)
    hidden: dict[str | None, str] = {
        settings.lake: "<lake>",
        lake.netloc: "<bucket>",
        settings.s3_endpoint_url: "<endpoint>",
        settings.warehouse_iam_role: "<role>",
        at.hostname: "<host>",
        at.username: "<user>",
        at.password: "<password>",
        at.path.strip("/"): "<database>",
    }
    return {name: hidden[name] for name in sorted((name for name in hidden if name), key=len, reverse=True)}


def _told(hidden: dict[str, str], error: Exception) -> str:
    """What went wrong, without names. A server's details and hints are left out: they quote rows."""
    said = str(error)
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        said = f"{error.sqlstate}: {error.diag.message_primary}"
    for name, instead in hidden.items():
        said = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", instead, said)
    return f"{type(error).__name__}: {_ADDRESS.sub('<address>', said).strip()}"


def _server(warehouse: Warehouse) -> str:
    with warehouse.connect() as session:
        row = session.execute(sql.SQL("SELECT version()")).fetchone()
        told = {name: session.info.parameter_status(name) for name in ("client_encoding", "TimeZone", "server_version")}
    seen = "; ".join(f"{name} {value}" for name, value in told.items())
    ours = f"event-assets {__version__}, psycopg {psycopg.__version__}, Python {platform.python_version()}"
    return f"{row[0] if row else ''}; {seen}; {ours}"


def _made(warehouse: Warehouse) -> str:
    warehouse.ensure()
    warehouse.ensure()  # finds nothing to do
    return f"{len(warehouse.tables)} tables"


class _Loading:
    """One table's way from the lake: the newest day that is to be in the warehouse, of a table with days, else all."""

    def __init__(self, lake: Lake, warehouse: Warehouse, table: WarehouseTable) -> None:
        self._lake, self._warehouse, self._table = lake, warehouse, table
        snapshot = lake.table(table.lake.name).snapshot()
        days = filter(wanted(snapshot, warehouse, table), snapshot.dates()) if table.partition_by else ()
        self._day = max(days, default="")
        self._version = snapshot.version
        self.has_rows = bool(self._files(snapshot))

    def _files(self, snapshot: Snapshot) -> Sequence[LakeFile]:
        return snapshot.of_dates([self._day]) if self._table.partition_by else snapshot.files

    def load(self, again: bool = False) -> str:
        days = [self._day] if self._table.partition_by else []
        loaded = load_step(self._lake, self._warehouse, self._table, Window.of_days(days), rebuild=again)
        self._version = loaded.lake_version
        inserted = sum(report.inserted for report in loaded.reports)
        shortened = sum(report.shortened for report in loaded.reports)
        files = sum(report.files for report in loaded.reports)
        return f"{inserted} rows of {files} files" + (f", {shortened} texts shortened" if shortened else "")

    def compare(self) -> str:
        """Of every column how many values there are, and of times the first and the last: COPY of Parquet can take a
        time for another one without a word."""
        snapshot = self._lake.table(self._table.lake.name).at(self._version)
        rows = snapshot.arrow(self._files(snapshot), self._table.columns)
        here: dict[str, Any] = {}
        asked: list[sql.Composable] = []
        for column in self._table.specs():
            values, name = rows[column.name], sql.Identifier(column.name)
            here[column.name] = len(values) - values.null_count
            asked.append(sql.SQL("count({})").format(name))
            if column.type == "timestamp":
                limits = pc.min_max(values).as_py()
                here |= {f"first {column.name}": limits["min"], f"last {column.name}": limits["max"]}
                asked.append(sql.SQL("min({}), max({})").format(name, name))
        table = sql.Identifier(self._warehouse.schema, self._table.name)
        with self._warehouse.connect() as session:
            found = session.execute(sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(asked), table)).fetchone()
        assert found is not None
        differ = [name for (name, value), there in zip(here.items(), found, strict=True) if value != there]
        if differ:
            raise ValuesDiffer(f"{', '.join(differ)} ({len(rows)} rows)")
        return f"{len(here)} counts and limits are the lake's"
