"""The verdict on each event of a request, and the bytes of those that are to be written. Pure: no clock, no stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from event_assets.collector.privacy import consent_outcome
from event_assets.collector.stamp import Stamp
from event_assets.contract.decoder import EventDecoder, Rejection
from event_assets.contract.times import is_future

Status = Literal["accepted", "rejected", "dropped", "retry"]


class Verdict(msgspec.Struct, omit_defaults=True, gc=False):
    """What became of one event.

    `accepted`: it is on the stream. `rejected`: it never will be, for this reason. `dropped`: consent was refused, it
    was not written. `retry`: the stream did not take it, send it again under the same `event_id`.
    """

    event_id: str | None
    status: Status
    reason: str | None = None
    detail: str | None = None


class Line(NamedTuple):
    """One event to write, with the key that decides its shard."""

    partition_key: str
    data: bytes


class Judged(NamedTuple):
    """The verdicts of a request in its order, and for each line to write the position of its verdict."""

    verdicts: list[Verdict]
    lines: list[Line]
    positions: list[int]


class Judge:
    """Decides about events by the contract, the tracking plan and the consent that they carry."""

    def __init__(self, decoder: EventDecoder, consent_refused: Literal["drop", "strip"]) -> None:
        self._decoder = decoder
        self._refused: Literal["drop", "strip"] = consent_refused

    def judge(self, events: Sequence[bytes], stamp: Stamp, now: dt.datetime, trusted: bool) -> Judged:
        """Verdicts that hold once the stream has taken the lines."""
        verdicts: list[Verdict] = []
        lines: list[Line] = []
        positions: list[int] = []
        for position, text in enumerate(events):
            decoded = self._decoder.decode(text, at_edge=True)
            if isinstance(decoded, Rejection):
                verdicts.append(Verdict(decoded.event_id, "rejected", decoded.reason, decoded.detail))
                continue
            event = decoded.event
            if trusted and _in_future(event.received_at, event.derived_at, now):
                detail = "received_at or derived_at lies more than 24 hours ahead"
                verdicts.append(Verdict(event.event_id, "rejected", "future", detail))
                continue
            outcome = consent_outcome(event, self._refused)
            if outcome == "drop":
                verdicts.append(Verdict(event.event_id, "dropped", "consent_refused"))
                continue
            verdicts.append(Verdict(event.event_id, "accepted"))
            positions.append(position)
            strip = outcome == "strip"
            known_by = event.anonymous_id or (None if strip else event.user_id)
            lines.append(Line(known_by or event.event_id, stamp.apply(text, event, strip)))
        return Judged(verdicts, lines, positions)


def _in_future(received_at: dt.datetime | None, derived_at: dt.datetime | None, now: dt.datetime) -> bool:
    return any(given is not None and is_future(given, now) for given in (received_at, derived_at))
