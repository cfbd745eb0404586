"""The online table in PostgreSQL: a schema of its own, whose tables are made beside and then take the others' place."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from event_assets.online.table import Found, Ids, Members, OnlineError, Stay

_SCHEMA = "event_assets_online"
_SECONDS = 5
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('event_assets_online'))"
_MAKE = f"""
CREATE SCHEMA IF NOT EXISTS {_SCHEMA};
CREATE TABLE {_SCHEMA}.new_members (person_id text, segment text, since date);
CREATE TABLE {_SCHEMA}.new_ids (id text, id_type text, person_id text);
CREATE TABLE {_SCHEMA}.new_made (version text, at timestamptz);
CREATE TEMPORARY TABLE all_ids (id_type text, id text, person_id text) ON COMMIT DROP
"""
_FILL = f"""
CREATE INDEX ON {_SCHEMA}.new_members (person_id) INCLUDE (segment, since);
INSERT INTO {_SCHEMA}.new_ids SELECT id, id_type, person_id FROM all_ids
  WHERE person_id IN (SELECT person_id FROM {_SCHEMA}.new_members);
CREATE INDEX ON {_SCHEMA}.new_ids (id) INCLUDE (id_type, person_id);
ANALYZE {_SCHEMA}.new_members, {_SCHEMA}.new_ids
"""
_FIND = f"""
SELECT asked.id, members.segment, members.since
FROM (SELECT DISTINCT ON (id) id, person_id FROM {_SCHEMA}.ids WHERE id = ANY(%s) ORDER BY id, id_type DESC) AS asked
JOIN {_SCHEMA}.members USING (person_id)
ORDER BY asked.id, members.segment
"""


class PostgresTable:
    """A connection a thread, made again where it broke."""

    waits = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._local = threading.local()

    def version(self) -> str:
        try:
            return str(self._rows(f"SELECT version FROM {_SCHEMA}.made", ())[0][0])
        except OnlineError:
            return ""

    def replace(self, members: Members, ids: Ids, version: str, made_at: dt.datetime) -> int:
        with psycopg.connect(self._url, application_name="event-assets online") as connection:
            connection.execute(_LOCK)
            for statement in _MAKE.split(";"):
                connection.execute(statement)
            _copy(connection, f"{_SCHEMA}.new_members", members)
            _copy(connection, "all_ids", ids)
            for statement in _FILL.split(";\n"):
                connection.execute(statement)
            connection.execute(f"INSERT INTO {_SCHEMA}.new_made VALUES (%s, %s)", (version, made_at))
            for name in ("ids", "members", "made"):  # in the order in which who asks takes them, or both would wait
                connection.execute(f"DROP TABLE IF EXISTS {_SCHEMA}.{name}")
                connection.execute(f"ALTER TABLE {_SCHEMA}.new_{name} RENAME TO {name}")
            [(count,)] = connection.execute(f"SELECT count(*) FROM {_SCHEMA}.ids").fetchall()
        return int(count)

    def find(self, ids: Sequence[str]) -> Found:
        asked = [id_ for id_ in ids if "\0" not in id_]
        stays: dict[str, list[Stay]] = {id_: [] for id_ in ids}
        for id_, segment, since in self._rows(_FIND, (asked,)):
            stays[id_].append(Stay(segment, since))
        [(made_at,)] = self._rows(f"SELECT at FROM {_SCHEMA}.made", ())
        return Found(stays, made_at.astimezone(dt.UTC))

    def close(self) -> None:
        connection: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            for attempt in (1, 2):
                connection: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
                if connection is None or connection.closed:
                    connection = self._local.connection = self._connect()
                try:
                    return connection.execute(statement.encode(), values).fetchall()
                except psycopg.OperationalError:
                    if not connection.closed or attempt == 2:
                        raise
            raise AssertionError
        except psycopg.Error as error:
            raise OnlineError(f"the table of segments cannot be read: {type(error).__name__}") from None

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
