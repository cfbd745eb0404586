"""The verdict on each event of a request, and the bytes of those that are to be written. Pure: no clock, no stream."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Self

import msgspec

from event_assets.collector import bodies
from event_assets.collector.fast_path import Batch, FastPath
from event_assets.collector.limits import CollectorLimits
from event_assets.collector.protocols.protocol import Lines
from event_assets.collector.stamp import Stamp
from event_assets.collector.verdicts import Verdict, Verdicts
from event_assets.contract.consent import DROPPED, Refusal, is_dropped, is_refused, written
from event_assets.contract.decoder import EventDecoder, Limits, Rejection
from event_assets.contract.event import Event
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.times import is_future
from event_assets.settings import Settings
from event_assets.streams import EventLines


class Validated(NamedTuple):
    """The verdicts of a request in its order, what is to be written, and for each event its key there, if any."""

    verdicts: Verdicts
    lines: list[EventLines]
    keys: Sequence[str | None]


class Validator:
    """Decides about events by the contract, the tracking plan and the consent that they carry."""

    def __init__(
        self,
        plan: TrackingPlan,
        limits: Limits,
        consent_refused: Refusal,
        placeholders: Placeholders = Placeholders(),
    ) -> None:
        self.fast_path = FastPath(plan, limits, placeholders)
        self._decoder = EventDecoder(plan, limits, placeholders=placeholders)
        self._refused = consent_refused

    @classmethod
    def of(cls, settings: Settings, limits: Limits) -> Self:
        """By the rules that the settings name."""
        plan = TrackingPlan.load(settings.plan)
        return cls(plan, limits, settings.consent_refused, Placeholders(settings.placeholders))

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
        set_aside: Callable[[bytes, Stamp], tuple[str, bytes]] | None = None,
        one_key: str | None = None,
    ) -> Validated:
        """Verdicts on a request's events, that hold once the stream has taken the lines.

        `set_aside`: the key and the line that are written of a rejected event; without it, nothing is. `one_key`: the
        key of all lines, in whose order they are then.
        """
        verdicts = Verdicts([event.event_id for event in batch.events])
        keys: list[str | None] = [one_key or event.anonymous_id or event.user_id for event in batch.events]
        pieces, doubtful = list(batch.pieces), set(range(len(batch)) if stamp.opts_out else batch.doubtful)
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
            verdict, line = self._decode(text, stamp)
            if line is None and set_aside is not None:
                line = set_aside(text, stamp)
            keys[row] = None if line is None else one_key or line[0]
            if line is not None:
                whole[row] = line[1]
            verdicts.put(row, verdict, len(text))
        if whole:
            return Validated(verdicts, list(_one_by_one(batch.head, pieces, stamp.tail, keys, whole)), keys)
        return Validated(verdicts, _together(batch.head, pieces, stamp.tail, keys), keys)

    def _decode(self, text: bytes, stamp: Stamp) -> tuple[Verdict, tuple[str, bytes] | None]:
        decoded = self._decoder.decode(text, at_edge=True)
        if isinstance(decoded, Rejection):
            return Verdict(decoded.event_id, "rejected", decoded.reason, decoded.detail), None
        event = decoded.event
        if stamp.dates and _is_ahead(event, stamp.received_at):
            return Verdict(event.event_id, "rejected", "future", _AHEAD), None
        accepted = Verdict(event.event_id, "accepted")
        if not is_refused(event):
            return accepted, (event.anonymous_id or event.user_id or event.event_id, stamp.rewritten(text, event))
        kept = stamp.stripped(event)
        key = kept.anonymous_id or kept.user_id or kept.event_id
        if is_dropped(event, self._refused):
            return Verdict(event.event_id, "dropped", "consent_refused"), (key, DROPPED)
        return accepted, (key, msgspec.json.encode(written(kept)))


def _together(head: bytes, pieces: Sequence[bytes], tail: bytes, keys: Sequence[str | None]) -> list[EventLines]:
    """The lines of each key in one text: most requests have few keys."""
    of_key: dict[str, list[bytes]] = {}
    for key, piece in zip(keys, pieces, strict=True):
        if key in of_key:
            of_key[key].append(piece)
        elif key is not None:
            of_key[key] = [piece]
    between = tail + b"\n" + head
    return [EventLines(key, head + between.join(of_one) + tail, len(of_one)) for key, of_one in of_key.items()]


def _one_by_one(
    head: bytes, pieces: Sequence[bytes], tail: bytes, keys: Sequence[str | None], whole: dict[int, bytes]
) -> Iterator[EventLines]:
    """The lines each by itself, where some are `whole`."""
    for row, (key, piece) in enumerate(zip(keys, pieces, strict=True)):
        if key is not None:
            yield EventLines(key, whole[row] if row in whole else head + piece + tail, 1)


_AHEAD = "received_at or derived_at lies more than 24 hours ahead"


def _is_ahead(event: Event, now: dt.datetime) -> bool:
    return any(given is not None and is_future(given, now) for given in (event.received_at, event.derived_at))
