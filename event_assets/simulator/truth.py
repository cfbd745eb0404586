"""The truth: an SQLite file of everything that was sent, what the ingest API said to it, and what must become of it.

It is written by the sender alone and shares nothing with the pipeline, so that the pipeline can be held against it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from event_assets.contract.consent import RECORD_OF_REFUSAL, id_instead
from event_assets.permissions import make_private_folder
from event_assets.settings import Settings
from event_assets.simulator.anomalies import Anomaly
from event_assets.simulator.generate import TimedEvent

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, seed INTEGER NOT NULL, people INTEGER NOT NULL, hours REAL NOT NULL,
    started_at REAL NOT NULL, ended_at REAL
);
CREATE TABLE IF NOT EXISTS submissions (
    run_id TEXT NOT NULL,
    path TEXT NOT NULL,               -- api, or stream: put there by hand
    event_id TEXT, event TEXT, platform TEXT,
    anonymous_id TEXT, user_id TEXT, session_id TEXT, page_view_id TEXT,
    occurred_at REAL,                 -- epoch seconds by a true clock
    clock_error REAL NOT NULL,        -- seconds by which the client's clock was ahead
    says_sent_at INTEGER NOT NULL,
    revenue REAL,
    refused INTEGER NOT NULL,         -- the person refused analytics
    fault TEXT,
    fate TEXT NOT NULL,               -- clean, rejected (at the edge), quarantined
    fate_reason TEXT,
    verdict TEXT NOT NULL,            -- accepted, rejected, dropped (consent), unsent; put (by hand on the stream)
    verdict_reason TEXT,
    sent_at REAL, acknowledged_at REAL,
    maybe_taken INTEGER NOT NULL,     -- earlier requests with it without a verdict: each may have left one more copy
    shard_id TEXT, sequence_number TEXT, line INTEGER
);
CREATE TABLE IF NOT EXISTS anomalies (
    run_id TEXT NOT NULL, kind TEXT NOT NULL,
    begins_at REAL NOT NULL, ends_at REAL NOT NULL,   -- epoch seconds by a true clock; the end is not part of it
    strength REAL NOT NULL,
    what TEXT NOT NULL,                               -- in words
    metric TEXT NOT NULL                              -- the event whose number shows it
);
CREATE INDEX IF NOT EXISTS submissions_by_event_id ON submissions (event_id);
"""

Verdict = Literal["accepted", "rejected", "dropped", "unsent", "put"]


class Receipt(NamedTuple):
    """What became of one submission. Times are epoch seconds."""

    event: TimedEvent
    path: Literal["api", "stream"]
    verdict: Verdict
    reason: str | None = None
    sent_at: float | None = None
    acknowledged_at: float | None = None
    maybe_taken: int = 0
    shard_id: str | None = None
    sequence_number: str | None = None
    line: int | None = None


class TruthLedger:
    """The truth of all simulations of one home folder. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        make_private_folder(path.parent)
        self.path = path
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._connection.create_function("written_id", 5, _written_id, deterministic=True)

    @classmethod
    def of(cls, settings: Settings) -> TruthLedger:
        """The truth under the settings' home folder."""
        return cls(settings.home / "truth.db")

    def begin(self, run_id: str, seed: int, people: int, hours: float, started_at: float) -> None:
        """Notes that a simulation began."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, NULL)", (run_id, seed, people, hours, started_at)
            )

    def plant(self, run_id: str, anomalies: Iterable[Anomaly]) -> None:
        """Writes down which anomalies a simulation has."""
        rows = [(run_id, a.kind, a.begins, a.ends, a.strength, a.what, a.metric) for a in anomalies]
        with self._lock:
            self._connection.executemany("INSERT INTO anomalies VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def end(self, run_id: str, ended_at: float) -> None:
        """Notes that a simulation ended."""
        with self._lock:
            self._connection.execute("UPDATE runs SET ended_at = ? WHERE run_id = ?", (ended_at, run_id))

    def record(self, run_id: str, receipts: Iterable[Receipt]) -> None:
        """Writes down what became of some submissions."""
        rows = [_row(run_id, receipt) for receipt in receipts]
        with self._lock:
            self._connection.execute("BEGIN")
            self._connection.executemany(f"INSERT INTO submissions VALUES ({', '.join('?' * 25)})", rows)
            self._connection.execute("COMMIT")

    def query(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._lock:
            return self._connection.execute(sql, tuple(parameters)).fetchall()

    def acknowledgements(self, run_id: str | None = None) -> Iterator[tuple[str, float]]:
        """Each event that must reach the warehouse, by the id that it has there, with the epoch second of its first
        acknowledgement."""
        sql = """
            SELECT written_id(event, event_id, anonymous_id, user_id, refused) AS id, min(acknowledged_at)
            FROM submissions
            WHERE fate = 'clean' AND verdict IN ('accepted', 'put') AND (?1 IS NULL OR run_id = ?1)
            GROUP BY id
        """
        yield from self.query(sql, (run_id,))

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def __enter__(self) -> TruthLedger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _written_id(event: str, event_id: str, anonymous_id: str | None, user_id: str | None, refused: bool) -> str:
    """The id under which the platform writes an event: another one where its person refused analytics."""
    return id_instead(event_id, anonymous_id, user_id) if refused and event != RECORD_OF_REFUSAL else event_id


def _row(run_id: str, receipt: Receipt) -> tuple[Any, ...]:
    event = receipt.event
    return (
        run_id,
        receipt.path,
        event.event_id,
        event.event,
        event.platform,
        event.anonymous_id,
        event.user_id,
        event.session_id,
        event.page_view_id,
        event.occurred_at,
        event.clock_error,
        event.says_sent_at,
        event.revenue,
        event.refused,
        event.fault,
        event.fate,
        event.reason,
        receipt.verdict,
        receipt.reason,
        receipt.sent_at,
        receipt.acknowledged_at,
        receipt.maybe_taken,
        receipt.shard_id,
        receipt.sequence_number,
        receipt.line,
    )
