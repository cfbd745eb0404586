"""The warehouse as the pages read it: by a role that can only read, each statement with a limit to its time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

_CACHED, _CACHE_SECONDS = 2_000, 30.0
_STATEMENT_SECONDS = 30
_AT_ONCE = 4
_ALONE = "-c max_parallel_workers_per_gather=0"
"""A page asks several questions at once, which share the processors: workers beside each would take them from who
draws the page, and from other pages."""
Row = tuple[Any, ...]
Text = sql.SQL | sql.Composed


class Answer(NamedTuple):
    """What a statement gave: names, rows, and whether there were more."""

    columns: tuple[str, ...]
    rows: list[Row]
    is_cut: bool


class Database:
    """One schema of the warehouse, for reading: a few questions at once, however many places of pages ask, so that
    they do not take the whole database. Connections stay, and are made again where they broke."""

    def __init__(self, url: str, schema: str, statement_seconds: int = _STATEMENT_SECONDS) -> None:
        self.schema = schema
        self._url = url
        self._options = f"-c timezone=UTC -c statement_timeout={statement_seconds}s -c default_transaction_read_only=on"
        self._alone = f"{self._options} {_ALONE}" if urlsplit(url).scheme.startswith("postgres") else self._options
        self._turns = threading.BoundedSemaphore(_AT_ONCE)
        self._idle: list[psycopg.Connection[Row]] = []
        self._cache: OrderedDict[tuple[str, Row], tuple[float, list[Row]]] = OrderedDict()
        self._asking: dict[tuple[str, Row], threading.Event] = {}
        self._lock = threading.Lock()

    def rows(self, text: Text, values: Sequence[Any] = (), *, fresh: bool = False) -> list[Row]:
        """The rows of a statement; of a table that is not there yet, none. The same again within half a minute is not
        asked again, but where it must be `fresh`: such an answer is not kept, and no other for longer, so that nobody
        who was erased stays in memory."""
        key = (text.as_string(), tuple(values))
        while True:
            with self._lock:
                known = self._cache.get(key)
                asking = self._asking.get(key)
                if known is not None and not fresh and time.monotonic() - known[0] < _CACHE_SECONDS:
                    return known[1]
                if asking is None or fresh:
                    mine = self._asking[key] = threading.Event()
                    break
            asking.wait()  # the numbers of a page ask the same at the same time: one asks, the others take its answer
        try:
            rows = self._fetch_known(text, values)
            if not fresh:
                self._keep(key, rows)
        finally:
            with self._lock:
                if self._asking.get(key) is mine:
                    del self._asking[key]
            mine.set()
        return rows

    def _keep(self, key: tuple[str, Row], rows: list[Row]) -> None:
        with self._lock:
            if not self._cache:
                self._forget_later()
            self._cache[key] = (time.monotonic(), rows)
            self._cache.move_to_end(key)
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)

    def _forget_later(self) -> None:
        timer = threading.Timer(_CACHE_SECONDS, self._forget)
        timer.daemon = True
        timer.start()

    def _forget(self) -> None:
        """Forgets what is too old to be told, whether or not anybody asks again."""
        with self._lock:
            while self._cache and time.monotonic() - next(iter(self._cache.values()))[0] >= _CACHE_SECONDS:
                self._cache.popitem(last=False)
            if self._cache:
                self._forget_later()

    def _fetch_known(self, text: Text, values: Sequence[Any]) -> list[Row]:
        try:
            return self._fetch(text, values)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedColumn):
            return []

    def run(self, text: str, most: int) -> Answer:
        """What somebody typed: one statement that reads, its first rows. Raises `psycopg.Error`."""
        with self._connect(self._options) as connection, connection.transaction():
            connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(self.schema)))
            with connection.cursor(name="typed") as cursor:
                cursor.execute(text.rstrip().rstrip(";").encode())
                rows = cursor.fetchmany(most + 1)
                columns = tuple(column.name for column in cursor.description or ())
        return Answer(columns, rows[:most], len(rows) > most)

    def _fetch(self, text: Text, values: Sequence[Any]) -> list[Row]:
        with self._turns:
            connection = self._idle.pop() if self._idle else self._connect(self._alone)
            try:
                return connection.execute(text, values).fetchall()
            except psycopg.OperationalError:
                if not connection.closed:
                    raise
                self._idle.clear()  # what broke one broke all
                connection = self._connect(self._alone)
                return connection.execute(text, values).fetchall()
            finally:
                if not connection.closed:
                    self._idle.append(connection)

    def _connect(self, options: str) -> psycopg.Connection[Row]:
        return psycopg.connect(self._url, autocommit=True, application_name="event-assets dashboards", options=options)
