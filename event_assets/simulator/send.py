"""The simulated SDKs: send batches to the ingest API over HTTP and write each verdict into the truth.

Retries keep the event ids, as every SDK must. What is sent and when is decided in `generate` and `run`.
"""

from __future__ import annotations

import gzip
import http.client
import json
import queue
import random
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from event_assets.simulator.batches import Batch
from event_assets.simulator.generate import TimedEvent
from event_assets.simulator.seeds import rfc3339
from event_assets.simulator.truth import Receipt

_REFUSED = frozenset({401, 403, 404, 405})
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 5.0


class SendError(RuntimeError):
    """The ingest API refuses everything: a wrong key, a wrong address. The message says what it answered."""


class _Answer(NamedTuple):
    status: int
    body: bytes
    retry_after: float | None


class TrafficSender:
    """Some threads, each with a connection of its own; an install always has the same thread, so its order is kept.

    `patience` is for how many seconds a batch is tried again before its events are noted as `unsent`.
    """

    def __init__(
        self,
        endpoint: str,
        write_key: str,
        record: Callable[[list[Receipt]], None],
        threads: int = 4,
        patience: float = 60.0,
    ) -> None:
        self.retries = 0
        self._write_key = write_key
        self._record = record
        self._patience = patience
        self._url = urlsplit(endpoint.rstrip("/") + "/v1/events")
        self._error: BaseException | None = None
        self._queues: list[queue.Queue[Batch | None]] = [queue.Queue(maxsize=200) for _ in range(threads)]
        self._threads = [threading.Thread(target=self._work, args=(q,), daemon=True) for q in self._queues]
        for thread in self._threads:
            thread.start()

    def send(self, batch: Batch) -> None:
        """Sends a batch soon; waits while too many are waiting. Raises `SendError` once the API refuses everything."""
        if self._error is not None:
            raise self._error
        self._queues[zlib.crc32(batch.install.encode()) % len(self._queues)].put(batch)

    def finish(self) -> None:
        """Waits until everything is answered. Raises what `send` would."""
        for waiting in self._queues:
            waiting.put(None)
        for thread in self._threads:
            thread.join()
        if self._error is not None:
            raise self._error

    def _work(self, waiting: queue.Queue[Batch | None]) -> None:
        connection = self._connect()
        while (batch := waiting.get()) is not None:
            if self._error is not None:
                continue
            try:
                self._deliver(connection, batch)
            except Exception as error:
                self._error = error
        connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        return kind(self._url.hostname or "127.0.0.1", self._url.port, timeout=30)

    def _deliver(self, connection: http.client.HTTPConnection, batch: Batch) -> None:
        deadline = time.monotonic() + self._patience
        lost = [event for event in batch.events if event.fault == "silent_loss"]
        pending = [event for event in batch.events if event.fault != "silent_loss"]
        if lost:
            now = time.time()
            self._record([Receipt(event, "api", "accepted", None, now, now) for event in lost])
        attempt = maybe_taken = 0
        while pending:
            sent_at = time.time()
            answer = self._post(connection, pending, sent_at)
            receipts, pending = _receipts(answer, pending, sent_at, maybe_taken)
            self._record(receipts)
            if not pending:
                return
            maybe_taken += answer is None or answer.status == 503
            attempt += 1
            self.retries += 1
            if time.monotonic() > deadline:
                self._record([Receipt(event, "api", "unsent", "gave_up", maybe_taken=maybe_taken) for event in pending])
                return
            time.sleep(_wait(attempt, answer))

    def _post(self, connection: http.client.HTTPConnection, events: list[TimedEvent], sent_at: float) -> _Answer | None:
        """The API's answer; None if there was none, so that nobody knows whether it took the events."""
        says = rfc3339(sent_at + events[0].clock_error)
        body = gzip.compress(b"\n".join(event.line(says) for event in events), compresslevel=1)
        headers = {
            "Authorization": f"Bearer {self._write_key}",
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "User-Agent": events[0].user_agent,
            "X-Forwarded-For": events[0].ip,
        }
        try:
            connection.request("POST", self._url.path, body, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        retry_after = response.headers.get("Retry-After", "")
        return _Answer(response.status, answer, float(retry_after) if retry_after.isdecimal() else None)


def _receipts(
    answer: _Answer | None, events: list[TimedEvent], sent_at: float, maybe_taken: int
) -> tuple[list[Receipt], list[TimedEvent]]:
    """The final verdicts on these events, and the events that are to be sent again."""
    if answer is None:
        return [], events
    if answer.status in _REFUSED:
        raise SendError(f"the ingest API answered {answer.status}: {answer.body[:300].decode(errors='replace')}")
    results = _results(answer)
    if len(results) != len(events):
        if answer.status in _RETRIED:
            return [], events
        reason = f"http_{answer.status}"
        return [Receipt(e, "api", "rejected", reason, sent_at, None, maybe_taken) for e in events], []
    now = time.time()
    receipts, again = [], []
    for event, result in zip(events, results, strict=True):
        verdict, why = result["status"], result.get("reason")
        if verdict == "retry":
            again.append(event)
        else:
            acknowledged_at = now if verdict == "accepted" else None
            receipts.append(Receipt(event, "api", verdict, why, sent_at, acknowledged_at, maybe_taken))
    return receipts, again


def _results(answer: _Answer) -> list[dict[str, Any]]:
    try:
        results = json.loads(answer.body)["results"]
    except (ValueError, KeyError, TypeError):
        return []
    return results if isinstance(results, list) else []


def _wait(attempt: int, answer: _Answer | None) -> float:
    """Full jitter over an exponential ceiling, never less than the server asks for."""
    jitter = random.uniform(0, min(_LONGEST_WAIT, 0.05 * 2**attempt))
    return jitter + (answer.retry_after or 0.0) if answer else jitter
