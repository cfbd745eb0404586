"""Request bodies made once and filled with fresh ids in no time, so that the load costs the sender little.

The events are the simulator's, without faults. Each filling is the same visits by other visitors.
"""

from __future__ import annotations

import datetime as dt
import json
from itertools import islice

from event_assets.simulator.batches import batches
from event_assets.simulator.generate import generate, people_for
from event_assets.simulator.rates import FaultRates

BATCH = 50
"""Events in one request."""
_NUMBER = b"@" * 10
"""Stands in every id where the number of the request comes, as ten hexadecimal digits."""
_SENT_AT = b"#" * 24
_IDS = ("event_id", "anonymous_id", "user_id", "session_id", "page_view_id")


def make_bodies(count: int, now: dt.datetime, seed: int = 7) -> list[bytes]:
    """So many bodies of `BATCH` events that happened in the hour before `now` (aware)."""
    start = now - dt.timedelta(hours=1)
    none = FaultRates.none()
    people = people_for(count * BATCH, seed, start, 1.0, none)
    happened = (event for event in generate(seed, people, start, 1.0, none) if event.occurred_at < now.timestamp())
    by_install = (event for batch in batches(happened) for event in batch.events)
    lines = [_open(event.line(_SENT_AT.decode())) for event in islice(by_install, count * BATCH)]
    chunks = [lines[first : first + BATCH] for first in range(0, len(lines) - BATCH + 1, BATCH)]
    return [b"[" + b",".join(chunk) + b"]" for chunk in chunks]


def fill(body: bytes, number: int, sent_at: bytes) -> bytes:
    """The body with its numbers: no other number gives an id of it. `sent_at` is RFC 3339 with milliseconds, in UTC."""
    return body.replace(_NUMBER, b"%010x" % number).replace(_SENT_AT, sent_at)


def _open(line: bytes) -> bytes:
    event = json.loads(line)
    ids = {event[name] for name in _IDS if event.get(name)} | {event.get("properties", {}).get("previous_id")}
    for known in sorted(ids - {None}):
        line = line.replace(known.encode(), known[: -len(_NUMBER)].encode() + _NUMBER)
    return line
