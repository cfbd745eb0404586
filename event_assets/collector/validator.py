"""The verdict on each event of a request, and the bytes of those that are to be written. Pure: no clock, no stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Self

import msgspec

from event_assets.collector.fast_path import FastPath
from event_assets.collector.stamp import Stamp
from event_assets.contract.consent import DROPPED, Refusal, is_dropped, is_refused, written
from event_assets.contract.decoder import EventDecoder, Limits, Rejection
from event_assets.contract.event import Event
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.times import is_future
from event_assets.settings import Settings

Status = Literal["accepted", "rejected", "dropped", "retry"]
EventLine = tuple[str, bytes]
"""One event to write: the key that decides its shard, and its text."""


class Verdict(msgspec.Struct, omit_defaults=True, gc=False):
    """What became of one event.

    `accepted`: it is on the stream. `rejected`: it never will be, for this reason. `dropped`: consent was refused; that
    there was an event is on the stream, so that it counts, and nothing of it. `retry`: the stream did not take it, send
    it again under the same `event_id`.
    """

    event_id: str | None
    status: Status
    reason: str | None = None
    detail: str | None = None


class Validated(NamedTuple):
    """The verdicts of a request in its order, and for each line to write the position of its verdict."""

    verdicts: list[Verdict]
    lines: list[EventLine]
    positions: list[int]


class Validator:
    """Decides about events by the contract, the tracking plan and the consent that they carry."""

    def __init__(
        self,
        plan: TrackingPlan,
        limits: Limits,
        consent_refused: Refusal,
        placeholders: Placeholders = Placeholders(),
    ) -> None:
        self._fast_path = FastPath(plan, limits, placeholders)
        self._decoder = EventDecoder(plan, limits, placeholders=placeholders)
        self._refused = consent_refused

    @classmethod
    def of(cls, settings: Settings, limits: Limits) -> Self:
        """By the rules that the settings name."""
        plan = TrackingPlan.load(settings.plan)
        return cls(plan, limits, settings.consent_refused, Placeholders(settings.placeholders))

    def validate(
        self,
        events: Sequence[bytes],
        stamp: Stamp,
        array: bytes | None = None,
        set_aside: Callable[[bytes, Stamp], EventLine] | None = None,
    ) -> Validated:
        """Verdicts on a request's events, that hold once the stream has taken the lines.

        `array`: the JSON array whose elements the events are, if they are. `set_aside`: what is written of a rejected
        event; without it, nothing is.
        """
        verdicts: list[Verdict] = []
        lines: list[EventLine] = []
        positions: list[int] = []
        sure_events = self._fast_path.events_of(events, array)
        for position, (text, sure) in enumerate(zip(events, sure_events, strict=True)):
            if sure is not None and ((consent := sure.consent) is None or consent.analytics is not False):
                data = stamp.spliced(text, sure)
                if data is not None:
                    verdicts.append(Verdict(sure.event_id, "accepted"))
                    lines.append((sure.anonymous_id or sure.user_id or sure.event_id, data))
                    positions.append(position)
                    continue
            verdict, line = self._decode(text, stamp)
            if line is None and set_aside is not None:
                line = set_aside(text, stamp)
            verdicts.append(verdict)
            if line is not None:
                lines.append(line)
                positions.append(position)
        return Validated(verdicts, lines, positions)

    def _decode(self, text: bytes, stamp: Stamp) -> tuple[Verdict, EventLine | None]:
        decoded = self._decoder.decode(text, at_edge=True)
        if isinstance(decoded, Rejection):
            return Verdict(decoded.event_id, "rejected", decoded.reason, decoded.detail), None
        event = decoded.event
        if stamp.trusted and _is_ahead(event, stamp.received_at):
            return Verdict(event.event_id, "rejected", "future", _AHEAD), None
        accepted = Verdict(event.event_id, "accepted")
        if not is_refused(event):
            return accepted, (event.anonymous_id or event.user_id or event.event_id, stamp.rewritten(text, event))
        kept = stamp.stripped(event)
        key = kept.anonymous_id or kept.user_id or kept.event_id[:_SHARED_KEY]
        if is_dropped(event, self._refused):
            return Verdict(event.event_id, "dropped", "consent_refused"), (key, DROPPED)
        return accepted, (key, msgspec.json.encode(written(kept)))


_SHARED_KEY = len("stripped-00")
"""Stripped events share 256 keys: one a key would be a record each, and one key for all of them one shard's."""
_AHEAD = "received_at or derived_at lies more than 24 hours ahead"


def _is_ahead(event: Event, now: dt.datetime) -> bool:
    return any(given is not None and is_future(given, now) for given in (event.received_at, event.derived_at))
