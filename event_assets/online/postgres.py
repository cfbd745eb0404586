"""An online table in PostgreSQL: a schema of its own, whose tables are made beside and then take the others' place."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from event_assets.online.table import Fact, Facts, Found, Ids, OnlineError

_SECONDS = 5
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('{schema}'))"
_MAKE = """
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE {schema}.new_members (person_id text, segment text, since text);
CREATE TABLE {schema}.new_ids (id text, id_type text, person_id text);
CREATE TABLE {schema}.new_made (version text, at timestamptz);
CREATE TEMPORARY TABLE all_ids (id_type text, id text, person_id text) ON COMMIT DROP
"""
_FILL = """
CREATE INDEX ON {schema}.new_members (person_id) INCLUDE (segment, since);
INSERT INTO {schema}.new_ids SELECT id, id_type, person_id FROM all_ids
  WHERE person_id IN (SELECT person_id FROM {schema}.new_members);
CREATE INDEX ON {schema}.new_ids (id) INCLUDE (id_type, person_id);
ANALYZE {schema}.new_members, {schema}.new_ids
"""
_FIND = """
SELECT asked.id, members.segment, members.since
FROM (SELECT DISTINCT ON (id) id, person_id FROM {schema}.ids WHERE id = ANY(%s) ORDER BY id, id_type DESC) AS asked
JOIN {schema}.members USING (person_id)
ORDER BY asked.id, members.segment
"""


class PostgresTable:
    """A connection a thread, made again where it broke."""

    waits = True

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self._schema = schema
        self._local = threading.local()

    def version(self) -> str:
        try:
            return str(self._rows("SELECT version FROM {schema}.made", ())[0][0])
        except OnlineError:
            return ""

    def replace(self, facts: Facts, ids: Ids, version: str, made_at: dt.datetime) -> int:
        with psycopg.connect(self._url, application_name="event-assets online") as connection:
            connection.execute(self._said(_LOCK))
            for statement in _MAKE.split(";"):
                connection.execute(self._said(statement))
            _copy(connection, f"{self._schema}.new_members", facts)
            _copy(connection, "all_ids", ids)
            for statement in _FILL.split(";\n"):
                connection.execute(self._said(statement))
            connection.execute(self._said("INSERT INTO {schema}.new_made VALUES (%s, %s)"), (version, made_at))
            for name in ("ids", "members", "made"):  # in the order in which who asks takes them, or both would wait
                connection.execute(self._said(f"DROP TABLE IF EXISTS {{schema}}.{name}"))
                connection.execute(self._said(f"ALTER TABLE {{schema}}.new_{name} RENAME TO {name}"))
            [(count,)] = connection.execute(self._said("SELECT count(*) FROM {schema}.ids")).fetchall()
        return int(count)

    def find(self, ids: Sequence[str]) -> Found:
        asked = [id_ for id_ in ids if "\0" not in id_]
        found: dict[str, list[Fact]] = {id_: [] for id_ in ids}
        for id_, name, value in self._rows(_FIND, (asked,)):
            found[id_].append(Fact(name, str(value)))
        [(made_at,)] = self._rows("SELECT at FROM {schema}.made", ())
        return Found(found, made_at.astimezone(dt.UTC))

    def close(self) -> None:
        connection: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _said(self, statement: str) -> bytes:
        """The statement, about the schema of this table."""
        return statement.replace("{schema}", self._schema).encode()

    def _rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            for attempt in (1, 2):
                connection: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
                if connection is None or connection.closed:
                    connection = self._local.connection = self._connect()
                try:
                    return connection.execute(self._said(statement), values).fetchall()
                except psycopg.OperationalError:
                    if not connection.closed or attempt == 2:
                        raise
            raise AssertionError
        except psycopg.Error as error:
            raise OnlineError(f"the online table cannot be read: {type(error).__name__}") from None

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self._url,
            autocommit=True,
            application_name="event-assets online",
            connect_timeout=_SECONDS,
            options=f"-c statement_timeout={_SECONDS}s -c default_transaction_read_only=on",
        )


def _copy(connection: psycopg.Connection[Any], table: str, batches: Iterable[Sequence[tuple[Any, ...]]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for batch in batches:
            for row in batch:
                copy.write_row([value.replace("\0", "") if isinstance(value, str) else value for value in row])
