"""Where imported events go: straight onto the stream, or through the ingest API. Both speak as a trusted source.

A trusted source may say when an event was received and when it happened. Consent and IP privacy hold all the same.
"""

from __future__ import annotations

import datetime as dt
import gzip
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec

from event_assets.collector.keys import TRUSTS
from event_assets.collector.privacy import ip_rule
from event_assets.collector.stamp import Stamp
from event_assets.collector.validator import Sealed, Validated, Validator
from event_assets.collector.verdicts import Verdict
from event_assets.contract.consent import DROPPED, may_refuse
from event_assets.contract.decoder import Limits
from event_assets.contract.erasure import erased_lines
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules, read_tombstones
from event_assets.settings import Settings
from event_assets.streams import EventLines, EventStream, StreamWriter

REQUEST_EVENTS = 500
REQUEST_BYTES = 4_000_000
_ASIDE_KEY = "import"
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SHOWN = 5
"""Lines that a preview shows."""


class SinkError(RuntimeError):
    """The sink does not take events now. What was reported as written stays written."""


@dataclass
class Written:
    """What became of some lines. `aside`: broken lines by reason, kept for quarantine. `dropped`: of people who
    refused, by the setting; broken lines of theirs always; and of people who were erased, from before that."""

    accepted: int = 0
    dropped: int = 0
    aside: Counter[str] = field(default_factory=Counter)

    def add(self, other: Written) -> None:
        """Counts another result in."""
        self.accepted += other.accepted
        self.dropped += other.dropped
        self.aside.update(other.aside)


class Sink(Protocol):
    """Takes lines of the contract, broken ones too."""

    def write(self, lines: Sequence[bytes]) -> Written:
        """Writes the lines; they are durable when it returns. Raises `SinkError`."""


class Aside(Protocol):
    """Takes the lines that the ingest API refuses, byte for byte."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Writes the lines; they are durable when it returns. Raises `SinkError`."""


class StreamSink:
    """Validates events as the ingest API would and puts them on the stream; broken lines too, as they are.

    `in_order`: all lines under one key, so that the stream has them in the order of the file, and not device by device.
    `protocol` is written beside what was set aside of a file of another SDK's events.
    """

    def __init__(
        self,
        settings: Settings,
        stream: EventStream,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        limits: Limits = Limits(),
        *,
        in_order: bool = False,
        protocol: str | None = None,
    ) -> None:
        self._judge = _Judge(settings, clock, limits, protocol)
        self._key = _ASIDE_KEY if in_order else None
        self._writer = StreamWriter(stream)
        self._storage = Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url)
        self._erasure = ErasureRules.of(settings)
        self._clock = clock

    def write(self, lines: Sequence[bytes]) -> Written:
        """See `Sink.write`. Raises `WrongPrivacyKey`."""
        given = len(lines)
        lines = self._of_others(lines)
        validated = self._judge.validated(lines, self._key)
        written = Written(len(validated.verdicts) - len(validated.verdicts.others), given - len(lines))
        for row, verdict in validated.verdicts.others.items():
            if _is_dropped(verdict, lines[row]):
                written.dropped += 1
            else:
                written.aside[verdict.reason or ""] += 1
        _put(self._writer, validated.lines)
        return written

    def _of_others(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """The lines that are not of people who were erased."""
        erased, now, none = read_tombstones(self._storage, self._erasure), self._clock(), self._erasure.placeholders
        if not erased:
            return lines
        # What a file brings is history: a line that tells no time is of before.
        gone = {place for place, _ in erased_lines(lines, now, erased.is_erased, none, _LONG_AGO)}
        return [line for place, line in enumerate(lines) if place not in gone]


class Preview:
    """Judges events as `StreamSink` does, and writes nothing. Keeps the `first` that would be accepted and the first
    that would be `quarantined`, each with its reason."""

    def __init__(self, settings: Settings, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self._judge = _Judge(settings, clock, Limits())
        self.first: list[bytes] = []
        self.quarantined: list[tuple[str, bytes]] = []

    def write(self, lines: Sequence[bytes]) -> Written:
        """What would become of the lines."""
        verdicts = self._judge.validated(lines, None).verdicts
        written = Written(accepted=len(verdicts) - len(verdicts.others))
        for row, line in enumerate(lines if len(self.first) < _SHOWN else ()):
            if row not in verdicts.others and len(self.first) < _SHOWN:
                self.first.append(line)
        for row, verdict in verdicts.others.items():
            if _is_dropped(verdict, lines[row]):
                written.dropped += 1
                continue
            written.aside[verdict.reason or ""] += 1
            if len(self.quarantined) < _SHOWN:
                self.quarantined.append((f"{verdict.reason}: {verdict.detail}", lines[row]))
        return written

    def shown(self) -> dict[str, Any]:
        """What it keeps, for programs."""
        quarantined = [{"reason": why, "line": line.decode("utf-8", "replace")} for why, line in self.quarantined]
        return {"first": [msgspec.json.decode(line) for line in self.first], "quarantined": quarantined}


class _Judge:
    """Says of events what the ingest API would say to a trusted source."""

    def __init__(
        self, settings: Settings, clock: Callable[[], dt.datetime], limits: Limits, protocol: str | None = None
    ) -> None:
        self._protocol = protocol
        self._validator = Validator.of(settings, limits)
        self._keep_of_ip = ip_rule(settings)
        self._clock = clock

    def validated(self, lines: Sequence[bytes], key: str | None) -> Validated:
        """The verdicts, and what is to be written; all of it under a key, if one is given."""
        stamp = Stamp(self._clock(), "", None, TRUSTS, self._keep_of_ip)
        return self._validator.validate(self._validator.fast_path.of_lines(lines), stamp, self.set_aside, key)

    def set_aside(self, line: bytes, stamp: Stamp, sealed: Sealed | None = None) -> tuple[str, bytes]:
        """What is written of a line that is no event: itself, unless it may be of somebody who refused; by `sealed`
        with pseudonyms."""
        if may_refuse(line):
            return _ASIDE_KEY, DROPPED
        if sealed is not None:
            return _ASIDE_KEY, sealed(line, self._protocol)
        return _ASIDE_KEY, line if self._protocol is None else _with_protocol(line, self._protocol)


def _is_dropped(verdict: Verdict, line: bytes) -> bool:
    """Whether nothing is kept of a line that was not accepted."""
    return verdict.status == "dropped" or may_refuse(line)


def _with_protocol(line: bytes, protocol: str) -> bytes:
    """The bytes of a line, where they are an object's with its protocol as the first member, else behind it."""
    name = msgspec.json.encode(protocol)
    if line.startswith(b"{"):
        return b'{"protocol":%b%b%b' % (name, b"" if line[1:].lstrip().startswith(b"}") else b",", line[1:])
    return b"[%b,%b]" % (name, msgspec.json.encode(line.decode("utf-8", "replace")))


class StreamAside:
    """Puts refused lines on the stream, so that they end in quarantine; with pseudonyms, where the settings say so."""

    def __init__(self, stream: EventStream, settings: Settings) -> None:
        self._writer = StreamWriter(stream)
        self._validator = Validator.of(settings, Limits())

    def write(self, lines: Sequence[bytes]) -> None:
        """See `Aside.write`."""
        texts = [*map(self._validator.aside, lines)]
        _put(self._writer, EventLines([_ASIDE_KEY] * len(texts), texts))


class FileAside:
    """Appends refused lines to a file, for where only the ingest API can be reached."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, lines: Sequence[bytes]) -> None:
        """See `Aside.write`."""
        with self.path.open("ab") as file:
            file.writelines(line + b"\n" for line in lines)


def _put(writer: StreamWriter, lines: EventLines) -> None:
    errors = writer.write_events([lines])
    if errors:
        failed = sum(key in errors for key in lines.keys)
        said = next(iter(errors.values()))
        raise SinkError(f"the stream did not take {failed} of {len(lines.keys)} events: {said}")


class ApiSink:
    """Sends events to the ingest API at `endpoint` (`http://host:port`) with a trusted key; refused ones go `aside`."""

    def __init__(self, endpoint: str, write_key: str, aside: Aside, patience_seconds: float = 120.0) -> None:
        self._url = endpoint.rstrip("/") + "/v1/events"
        self._aside = aside
        self._patience = patience_seconds
        self._client = httpx.Client(
            headers={
                "Authorization": f"Bearer {write_key}",
                "Content-Type": "application/x-ndjson",
                "Content-Encoding": "gzip",
            },
            timeout=60,
        )

    def write(self, lines: Sequence[bytes]) -> Written:
        """See `Sink.write`."""
        written = Written()
        for request in _requests(lines):
            written.add(self._send(request))
        return written

    def close(self) -> None:
        """Lets go of the connection."""
        self._client.close()

    def _send(self, lines: list[bytes]) -> Written:
        written = Written()
        deadline = time.monotonic() + self._patience
        attempt = 0
        while lines:
            answer = self._post(lines)
            results = _results(answer, len(lines))
            if results:
                lines = self._settle(lines, results, written)
            elif answer is not None and answer.status_code == 413:
                return self._split(lines)
            elif answer is not None and answer.status_code < 500 and answer.status_code not in (408, 429):
                raise SinkError(f"the ingest API answered {answer.status_code}: {answer.text[:300]}")
            if not lines:
                break
            if time.monotonic() > deadline:
                raise SinkError(f"the ingest API did not take {len(lines)} events within {self._patience:.0f} s")
            attempt += 1
            time.sleep(_wait(attempt, answer))
        return written

    def _settle(self, lines: list[bytes], results: list[dict[str, Any]], written: Written) -> list[bytes]:
        """Counts the verdicts, sets refused lines aside; gives the lines that are to be sent again."""
        refused, again = [], []
        for line, result in zip(lines, results, strict=True):
            if result["status"] == "accepted":
                written.accepted += 1
            elif result["status"] == "dropped":
                written.dropped += 1
            elif result["status"] == "retry":
                again.append(line)
            elif may_refuse(line):
                written.dropped += 1
                refused.append(DROPPED)
            else:
                written.aside[result.get("reason") or ""] += 1
                refused.append(line)
        if refused:
            self._aside.write(refused)
        return again

    def _split(self, lines: list[bytes]) -> Written:
        """Halves a request that is too large; a single event that is too large is refused."""
        if len(lines) == 1 and may_refuse(lines[0]):
            self._aside.write([DROPPED])
            return Written(dropped=1)
        if len(lines) == 1:
            self._aside.write(lines)
            return Written(aside=Counter({"too_large": 1}))
        middle = len(lines) // 2
        written = self._send(lines[:middle])
        written.add(self._send(lines[middle:]))
        return written

    def _post(self, lines: list[bytes]) -> httpx.Response | None:
        try:
            return self._client.post(self._url, content=gzip.compress(b"\n".join(lines), compresslevel=1))
        except httpx.TransportError:
            return None


def _requests(lines: Sequence[bytes]) -> list[list[bytes]]:
    requests: list[list[bytes]] = []
    size = REQUEST_BYTES
    for line in lines:
        size += len(line) + 1
        if size > REQUEST_BYTES or len(requests[-1]) == REQUEST_EVENTS:
            requests.append([])
            size = len(line) + 1
        requests[-1].append(line)
    return requests


def _results(answer: httpx.Response | None, expected: int) -> list[dict[str, Any]]:
    if answer is None:
        return []
    try:
        results = msgspec.json.decode(answer.content)["results"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return []
    return results if len(results) == expected else []


def _wait(attempt: int, answer: httpx.Response | None) -> float:
    """Full jitter over an exponential ceiling, never less than the server asks for."""
    asked = answer.headers.get("retry-after", "") if answer is not None else ""
    return random.uniform(0, min(5.0, 0.1 * 2**attempt)) + (float(asked) if asked.isdecimal() else 0.0)
