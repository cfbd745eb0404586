"""The verdict on each event of a request, and the bytes of those that are to be written. Pure: no clock, no stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Self

import msgspec

from event_assets.collector import bodies
from event_assets.collector.fast_path import Batch, FastPath
from event_assets.collector.limits import CollectorLimits
from event_assets.collector.privacy import sealing_of
from event_assets.collector.protocols.protocol import Lines
from event_assets.collector.stamp import Stamp
from event_assets.collector.verdicts import Verdict, Verdicts
from event_assets.contract.consent import DROPPED, Refusal, is_dropped, is_refused, written
from event_assets.contract.decoder import Decoded, EventDecoder, Limits, Rejection
from event_assets.contract.event import Event
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.sealed_plan import SealedPlan
from event_assets.contract.times import is_future
from event_assets.enrichment.sealing import Sealing
from event_assets.settings import Settings
from event_assets.streams import EventLines

Sealed = Callable[[bytes, str | None], bytes]
"""Makes of a text, and its protocol if it has one, the line in its place, where it may not be written as it is."""
SetAside = Callable[[bytes, Stamp, Sealed | None], tuple[str, bytes]]
"""The key and the line that are written of a rejected event."""


class Validated(NamedTuple):
    """The verdicts of a request in its order, what is to be written, and for each event its key there, if any."""

    verdicts: Verdicts
    lines: EventLines
    keys: Sequence[str | None]


class Validator:
    """Decides about events by the contract, the tracking plan and the consent that they carry."""

    def __init__(
        self,
        plan: TrackingPlan,
        limits: Limits,
        consent_refused: Refusal,
        placeholders: Placeholders = Placeholders(),
        sealing: Sealing | None = None,
    ) -> None:
        self.fast_path = FastPath(plan, limits, placeholders)
        pseudonyms = sealing.pseudonyms if sealing else None
        hidden = pseudonyms.fields if pseudonyms else ()
        self._decoder = EventDecoder(plan, limits, hidden, placeholders, pseudonyms)
        self._sealed_plan = SealedPlan(plan, pseudonyms) if pseudonyms else None
        self._refused = consent_refused
        self._sealing = sealing
        self._most_bytes = limits.event_bytes

    @classmethod
    def of(cls, settings: Settings, limits: Limits) -> Self:
        """By the rules that the settings name."""
        plan = TrackingPlan.load(settings.plan)
        return cls(plan, limits, settings.consent_refused, Placeholders(settings.placeholders), sealing_of(settings))

    def batch_of(self, body: bytes, limits: CollectorLimits, lines: bool = False) -> Batch:
        """The events of a body, that are yet to be validated; what `lines` says, and what is refused, see `split`."""
        array = None if lines else bodies.array_of(body)
        batch = None if array is None else self.fast_path.of_array(array, limits.events)
        return batch or self.fast_path.of_lines(bodies.split(body, limits, lines=lines))

    def batch_of_others(self, events: Lines | Sequence[bytes]) -> Batch:
        """The same of events that a protocol made."""
        if isinstance(events, Lines):
            return self.fast_path.of_joined(events)
        return self.fast_path.of_lines(events)

    def validate(
        self,
        batch: Batch,
        stamp: Stamp,
        set_aside: SetAside | None = None,
        one_key: str | None = None,
    ) -> Validated:
        """Verdicts on a request's events, that hold once the stream has taken the lines.

        `set_aside`: what is written of a rejected event; without it, nothing is. `one_key`: the key of all lines, in
        whose order they are then.
        """
        verdicts = Verdicts([event.event_id for event in batch.events])
        keys: list[str | None] = [event.anonymous_id or event.user_id for event in batch.events]
        if one_key is not None:
            keys = [one_key] * len(keys)
        rewrites_all = stamp.opts_out or self._sealing is not None
        pieces, doubtful = list(batch.pieces), set(range(len(batch)) if rewrites_all else batch.doubtful)
        for row in stamp.needs_agent(batch.events):
            if row not in doubtful:
                piece = stamp.with_agent(pieces[row], batch.events[row])
                if piece is None:
                    doubtful.add(row)
                else:
                    pieces[row] = piece
        whole: dict[int, bytes] = {}
        for row in doubtful:
            text = batch.text(row)
            verdict, line = self._judge(text, stamp, set_aside)
            keys[row] = None if line is None else one_key or line[0]
            if line is not None:
                whole[row] = line[1]
            verdicts.put(row, verdict, len(text))
        return Validated(verdicts, _lines(keys, pieces, batch.head, stamp.tail, whole), keys)

    def aside(self, text: bytes) -> bytes:
        """A text that another process refused, as it may be written."""
        if self._sealing is None or text == DROPPED:
            return text
        decoded = self._decoder.decode(text)
        return self._sealing.set_aside(decoded, text) if isinstance(decoded, Rejection) else self._sealing.event(text)

    def _judge(self, text: bytes, stamp: Stamp, set_aside: SetAside | None) -> tuple[Verdict, tuple[str, bytes] | None]:
        """The verdict on an event, with the key and the line that are written of it, if any."""
        decoded = self._decoder.decode(text, at_edge=True)
        if isinstance(decoded, Decoded) and stamp.dates and _is_ahead(decoded.event, stamp.received_at):
            decoded = Rejection("future", _AHEAD, decoded.event.event_id, decoded.event.event)
        if isinstance(decoded, Decoded):
            verdict, line = self._taken(text, decoded, stamp)
            if self._sealing is None or len(line[1]) <= self._most_bytes:
                return verdict, line
            decoded = _grown(decoded.event, len(line[1]), self._most_bytes)
        verdict = Verdict(decoded.event_id, "rejected", decoded.reason, decoded.detail)
        if set_aside is None:
            return verdict, None
        return verdict, set_aside(text, stamp, partial(self._sealing.set_aside, decoded) if self._sealing else None)

    def _taken(self, text: bytes, decoded: Decoded, stamp: Stamp) -> tuple[Verdict, tuple[str, bytes]]:
        event = decoded.event
        accepted = Verdict(event.event_id, "accepted")
        if not is_refused(event):
            key = event.anonymous_id or event.user_id or event.event_id
            return accepted, self._written(key, stamp.rewritten(text, event), decoded.violations, event.event_id)
        kept = stamp.stripped(event)
        if is_dropped(event, self._refused):
            return Verdict(event.event_id, "dropped", "consent_refused"), (kept.event_id, DROPPED)
        line, who = msgspec.json.encode(written(kept)), kept.anonymous_id or kept.user_id
        return accepted, self._written(who, line) if who else (kept.event_id, line)

    def _written(self, key: str, line: bytes, violations: str | None = None, event_id: str = "") -> tuple[str, bytes]:
        """The key and the line as they are written: with pseudonyms, and with what the plan says of the values of which
        they are."""
        if self._sealing is None or self._sealed_plan is None:
            return key, line
        line = self._sealing.event(line)
        if violations is not None and self._violations(line) != violations:
            line = self._sealed_plan.with_said(line, event_id, violations)
        return self._sealing.id(key), line

    def _violations(self, line: bytes) -> str | None:
        decoded = self._decoder.decode(line, at_edge=True)
        return decoded.violations if isinstance(decoded, Decoded) else decoded.detail


def _lines(
    keys: Sequence[str | None], pieces: Sequence[bytes], head: bytes, tail: bytes, whole: dict[int, bytes]
) -> EventLines:
    """What is to be written: of each event that has a key its piece between head and tail, or what is `whole`."""
    written = [(row, key) for row, key in enumerate(keys) if key is not None]
    if not whole and len(written) == len(keys):
        return EventLines([key for _, key in written], pieces, head, tail)
    texts = [whole[row] if row in whole else head + pieces[row] + tail for row, _ in written]
    return EventLines([key for _, key in written], texts)


def _grown(event: Event, size: int, most: int) -> Rejection:
    detail = f"with pseudonyms the event has {size} bytes; {most} are allowed"
    return Rejection("too_large", detail, event.event_id, event.event)


_AHEAD = "received_at or derived_at lies more than 24 hours ahead"


def _is_ahead(event: Event, now: dt.datetime) -> bool:
    return any(given is not None and is_future(given, now) for given in (event.received_at, event.derived_at))
