"""Records that reach the stream another way than through the ingest API, some of them unreadable.

Each says line by line what must become of it. Putting them on a stream is in `run`.
"""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from event_assets.simulator.faults import Fate
from event_assets.simulator.generate import TimedEvent, generate
from event_assets.simulator.rates import FaultRates
from event_assets.simulator.seeds import rfc3339, seeded


class Stray(NamedTuple):
    """One record: its bytes, and what must become of each of its lines in order."""

    kind: str
    partition_key: str
    data: bytes
    lines: tuple[TimedEvent, ...]


def strays(seed: int, now: dt.datetime) -> list[Stray]:
    """One record of each kind, made of events that happened in the minutes before `now` (aware)."""
    good = _good_events(seed, now)
    at = now.timestamp()
    unpaid = {"event": "purchase", "properties": {"order_id": "o_1"}}
    future = {"received_at": rfc3339(at), "derived_at": rfc3339(at + 3 * 86_400)}
    kinds = (
        _record("malformed_line", [next(good), _bad(next(good), "malformed_json", b'{"event_id":"x", "e'), next(good)]),
        _record("truncated_gzip", [_bad(next(good), "bad_encoding")], cut=20),
        _record("invalid_utf8", [_bad(next(good), "invalid_utf8", _latin1(next(good)))]),
        _record("not_an_object", [_bad(next(good), "not_an_object", b"[1,2,3]")]),
        _record("wrong_type", [next(good), _changed(next(good), "wrong_type", page="https://www.plotto.example/")]),
        _record("missing_field", [_changed(next(good), "missing_field", platform=None)]),
        _record("invalid_value", [_changed(next(good), "invalid_value", platform="toaster")]),
        _record("oversized", [_changed(next(good), "too_large", properties={"blob": _noise(seed)}), next(good)]),
        _record("deep", [_changed(next(good), "too_deep", properties=_deep(40))]),
        _record("plan", [_changed(next(good), "plan_violation", **unpaid)]),
        _record("future", [_changed(next(good), "future", **future)]),
        _record("plain_ndjson", [_untimed(next(good)) for _ in range(4)], plain=True),
        _record("bare_object", [next(good)], plain=True),
    )  # fmt: skip
    return list(kinds)


def _good_events(seed: int, now: dt.datetime) -> Iterator[TimedEvent]:
    start = now - dt.timedelta(minutes=15)
    made = generate(seeded(seed, "strays").getrandbits(32), 3_000, start, 0.25, FaultRates.none())
    allowed = (e for e in made if e.platform == "web" and not e.refused and e.occurred_at < now.timestamp())
    for event in islice(allowed, 100):
        times = b',"sent_at":"%b","received_at":"%b"}' % ((rfc3339(now.timestamp()).encode(),) * 2)
        yield replace(event, body=event.body[:-1] + times)


def _record(kind: str, lines: list[TimedEvent], *, cut: int = 0, plain: bool = False) -> Stray:
    data = b"\n".join(line.body for line in lines)
    if not plain:
        data = gzip.compress(data, mtime=0)
    named = tuple(replace(line, fault=f"stray_{kind}") for line in lines)
    return Stray(kind, lines[0].install, data[: len(data) - cut], named)


def _bad(event: TimedEvent, reason: str, body: bytes | None = None) -> TimedEvent:
    fate: Fate = "quarantined"
    return replace(event, fate=fate, reason=reason, body=event.body if body is None else body)


def _changed(good: TimedEvent, reason: str, /, **fields: Any) -> TimedEvent:
    body = msgspec.json.decode(good.body) | fields
    kept = {name: value for name, value in body.items() if value is not None}
    return _bad(good, reason, msgspec.json.encode(kept))


def _untimed(good: TimedEvent) -> TimedEvent:
    """Without `sent_at` and `received_at` it happened when the stream took it."""
    body = msgspec.json.decode(good.body)
    kept = {name: value for name, value in body.items() if name not in ("sent_at", "received_at")}
    return replace(good, body=msgspec.json.encode(kept), says_sent_at=False)


def _latin1(event: TimedEvent) -> bytes:
    return event.body.replace(b'"platform"', b'"note":"caf\xe9 \xff","platform"', 1)


def _noise(seed: int) -> str:
    return seeded(seed, "noise").randbytes(35_000).hex()


def _deep(levels: int) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for _ in range(levels):
        nested = {"in": nested}
    return nested
