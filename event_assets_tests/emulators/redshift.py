"""PostgreSQL behind what of Redshift's protocol and SQL differs from it, for tests: a proxy on the loopback interface.

It says what Redshift says of itself (version 8.0.2, the encoding `UNICODE`), takes no prepared statements, drops what
Redshift has in CREATE TABLE and PostgreSQL has not, and does COPY of Parquet files by `spectrum.py`'s rules. It judges
no SQL beyond that: statements are held against Redshift's grammar by test_redshift.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import urlsplit

from pyarrow import fs

from event_assets_tests.emulators.spectrum import LAKE_FILES, Reads, Refused, StageColumn, rows_of

_SAID = {b"server_version": b"8.0.2", b"client_encoding": b"UNICODE"}
_DROPPED = re.compile(
    r"\s+ENCODE\s+(?:raw|az64|zstd)\b|\s+DISTSTYLE\s+(?:AUTO|KEY\s+DISTKEY\s+\([^)]*\))|\s+COMPOUND\s+SORTKEY\s+\([^)]*\)"
)
_LACKING = re.compile(
    r"^\s*(?:SAVEPOINT|DEALLOCATE|LISTEN|CREATE\s+(?:UNIQUE\s+)?INDEX)\b|\bON CONFLICT\b|\bRETURNING\b"
)
_VARBYTE = re.compile(r"\bvarbyte\(\d+\)")


class _Stream(Protocol):
    """One side of a connection."""

    def read(self, size: int, /) -> bytes: ...
    def write(self, data: bytes, /) -> int: ...
    def flush(self) -> None: ...


_ANSWER_WANTED = {3, 5, 10, 11}
"""Requests of authentication that the client answers."""


class RedshiftProxy:
    """Takes connections for as long as it is open; `copied` are the COPY statements that it did."""

    def __init__(self, postgres_url: str, filesystem: fs.FileSystem, reads: Reads) -> None:
        target = urlsplit(postgres_url)
        self._target = (target.hostname or "127.0.0.1", target.port or 5432)
        self.filesystem, self.reads = filesystem, reads
        self.copied: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        address = target._replace(netloc=f"{target.netloc.rpartition('@')[0]}@127.0.0.1:{self.port}", query="")
        self.url = f"{address.geturl()}?sslmode=disable"
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def close(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):  # it is closed
            self._listening.shutdown(socket.SHUT_RDWR)  # whoever waits for one goes on
        self._listening.close()

    def _take(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server, contextlib.suppress(ConnectionError, EOFError):
            for each in (client, server):  # small packets one way and the other: none waits for an acknowledgement
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Conversation(self, client.makefile("rwb"), server.makefile("rwb")).hold()


class _Conversation:
    """One connection: startup, then a statement at a time, as the simple protocol has it."""

    def __init__(self, proxy: RedshiftProxy, client: _Stream, server: _Stream) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._said = dict(_SAID)

    def hold(self) -> None:
        size = _read(self._client, 4)
        startup = _read(self._client, struct.unpack("!i", size)[0] - 4)
        if b"client_encoding\0" in startup:  # whoever names one gets its name back
            self._said.pop(b"client_encoding", None)
        _write(self._server, size + startup)
        self._relay()
        while True:
            kind, body = _message(self._client)
            if kind == b"X":
                _write(self._server, _framed(kind, body))
                return
            if kind != b"Q":
                self._fail("Redshift is spoken to by the simple protocol alone: nothing is prepared")
                continue
            statement = body[:-1].decode()
            if _LACKING.search(statement):
                self._fail(f"Redshift has no such statement: {statement}")
            elif statement.lstrip().startswith("COPY") and "PARQUET" in statement:
                self._copy(statement)
            else:
                plain = _VARBYTE.sub("bytea", _DROPPED.sub("", statement))
                self._ask(plain)
                self._relay()

    def _copy(self, statement: str) -> None:
        try:
            columns = self._columns(statement.split('"')[1])
            rows = list(rows_of(statement, columns, self._proxy.filesystem, self._proxy.reads))
        except Refused as refused:
            self._fail(str(refused))
            return
        self._proxy.copied.append(statement)
        self._ask(f'COPY "{statement.split(chr(34))[1]}" FROM STDIN')
        kind, body = _message(self._server)
        if kind != b"G":
            _write(self._client, _framed(kind, body))
            self._relay()
            return
        for row in rows:
            self._server.write(_framed(b"d", row + b"\n"))
        _write(self._server, _framed(b"c", b""))
        self._relay()

    def _columns(self, table: str) -> list[StageColumn]:
        self._ask(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = '\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        found, fault = [], b""
        while True:
            kind, body = _message(self._server)
            if kind == b"D":
                first = struct.unpack_from("!i", body, 2)[0]
                found.append(StageColumn(body[6 : 6 + first].decode(), body[10 + first :].decode()))
            if kind == b"E":
                fault = body
            if kind == b"Z" and fault:
                raise Refused(fault.decode("utf-8", "replace"))
            if kind == b"Z":
                return found

    def _fail(self, why: str) -> None:
        """An error of the server, so that the transaction is one that failed."""
        escaped = why.replace("'", "''")
        self._ask(f"DO $fail$ BEGIN RAISE EXCEPTION USING MESSAGE = '{escaped}', ERRCODE = 'XX000'; END $fail$")
        self._relay()

    def _ask(self, statement: str) -> None:
        _write(self._server, _framed(b"Q", statement.encode() + b"\0"))

    def _relay(self) -> None:
        """What the server says until it is ready for the next statement."""
        while True:
            kind, body = _message(self._server)
            if kind == b"S":
                name, value, _ = body.split(b"\0")
                body = name + b"\0" + self._said.get(name, value) + b"\0"
            self._client.write(_framed(kind, body))
            if kind == b"R" and struct.unpack_from("!i", body)[0] in _ANSWER_WANTED:
                self._client.flush()
                _write(self._server, _framed(*_message(self._client)))
            if kind == b"Z" or (kind == b"E" and body.startswith(b"SFATAL")):
                self._client.flush()
                return


def _framed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _message(stream: _Stream) -> tuple[bytes, bytes]:
    head = _read(stream, 5)
    return head[:1], _read(stream, struct.unpack("!i", head[1:])[0] - 4)


def _read(stream: _Stream, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _write(stream: _Stream, data: bytes) -> None:
    stream.write(data)
    stream.flush()


@contextlib.contextmanager
def redshift(postgres_url: str, s3_url: str, reads: Reads = LAKE_FILES) -> Iterator[RedshiftProxy]:
    """A running proxy before a database of PostgreSQL, which copies from this S3."""
    at = urlsplit(s3_url)
    s3 = fs.S3FileSystem(
        endpoint_override=at.netloc, scheme=at.scheme, region="us-east-1", access_key="testing", secret_key="testing"
    )
    proxy = RedshiftProxy(postgres_url, s3, reads)
    with contextlib.closing(proxy):
        yield proxy
