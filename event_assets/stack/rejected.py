"""What was set aside: by reason and protocol, and the latest of it with its bytes. Read from the lake alone."""

from __future__ import annotations

import datetime as dt
import heapq
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from event_assets.collector.protocols.protocol import OWN_PROTOCOL
from event_assets.collector.protocols.router import PROTOCOLS
from event_assets.contract.tables.events import QUARANTINED_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.settings import Settings

_COLUMNS = ("arrived_at", "reason", "detail", "event_id", "event", "data")
_AGO = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """One event that was set aside: when it arrived (UTC), why, in which protocol it came, and its bytes."""

    arrived_at: dt.datetime
    reason: str
    protocol: str
    event: str | None
    event_id: str | None
    detail: str
    data: bytes

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return asdict(self) | {"arrived_at": _text(self.arrived_at), "data": self.data.decode("utf-8", "replace")}


@dataclass(slots=True)
class RejectedKind:
    """Events that were set aside for one reason and came in one protocol: how many, their bytes, first and last."""

    reason: str
    protocol: str
    first_at: dt.datetime
    last_at: dt.datetime
    events: int = 0
    bytes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {
            "reason": self.reason,
            "protocol": self.protocol,
            "events": self.events,
            "bytes": self.bytes,
            "first_at": _text(self.first_at),
            "last_at": _text(self.last_at),
        }


@dataclass(frozen=True, slots=True)
class Rejected:
    """What was set aside: every kind, most events first, and the latest events."""

    kinds: list[RejectedKind]
    latest: list[RejectedEvent]


def read_rejected(
    settings: Settings, since: dt.datetime, reason: str | None = None, protocol: str | None = None, latest: int = 10
) -> Rejected:
    """What the lake has set aside of what arrived since then, of one reason or protocol if they are given."""
    kinds: dict[tuple[str, str], RejectedKind] = {}
    last: list[tuple[dt.datetime, int, RejectedEvent]] = []
    for number, event in enumerate(_rejected(settings, since)):
        if reason not in (None, event.reason) or protocol not in (None, event.protocol):
            continue
        at = event.arrived_at
        kind = kinds.setdefault((event.reason, event.protocol), RejectedKind(event.reason, event.protocol, at, at))
        kind.first_at, kind.last_at = min(kind.first_at, at), max(kind.last_at, at)
        kind.events, kind.bytes = kind.events + 1, kind.bytes + len(event.data)
        (heapq.heappushpop if len(last) >= latest else heapq.heappush)(last, (at, number, event))
    by_count = sorted(kinds.values(), key=lambda kind: (-kind.events, kind.reason, kind.protocol))
    return Rejected(by_count, [event for _, _, event in sorted(last, reverse=True)] if latest else [])


def since_of(text: str, now: dt.datetime) -> dt.datetime:
    """The instant that `24h`, `7d`, `2026-11-22` or an ISO time says, in UTC. Raises `ValueError`."""
    if found := _AGO.fullmatch(text):
        return now - dt.timedelta(**{_UNITS[found[2]]: int(found[1])})
    at = dt.datetime.fromisoformat(text)
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)


def _rejected(settings: Settings, since: dt.datetime) -> Iterator[RejectedEvent]:
    table = Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url)).table(QUARANTINED_EVENTS.name)
    if not table.exists():
        return
    snapshot = table.snapshot()
    for file in snapshot.of_dates(date for date in snapshot.dates() if date >= since.date().isoformat()):
        for row in snapshot.arrow([file], _COLUMNS).to_pylist():
            if row["arrived_at"] >= since:
                yield RejectedEvent(protocol=protocol_said(row["data"]), **row)


class _Said(msgspec.Struct):
    protocol: Any = None


_object = msgspec.json.Decoder(_Said)
_array = msgspec.json.Decoder(list[Any])


def protocol_said(data: bytes) -> str:
    """What the collector wrote of an event's protocol beside it, or before what is no object."""
    try:
        said = _array.decode(data)[0] if data.startswith(b"[") else _object.decode(data).protocol
    except (ValueError, RecursionError, IndexError):
        return next((name for name in PROTOCOLS if data.startswith(b'{"protocol":"' + name.encode())), OWN_PROTOCOL)
    return said if said in PROTOCOLS else OWN_PROTOCOL


def _text(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
