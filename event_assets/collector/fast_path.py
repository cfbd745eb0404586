"""The fast path of validation: sees cheaply that most events keep the contract, a whole batch at once.

It must never let pass what the decoder refuses; a property test holds the two together. About those that it is not sure
of the decoder decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from event_assets.collector.protocols.protocol import Lines
from event_assets.contract.consent import tells_advertisers
from event_assets.contract.decoder import Limits
from event_assets.contract.doubts import Doubts, has_nul, is_utf8, nobodys, rows_with
from event_assets.contract.event import OBJECTS, Device, Event
from event_assets.contract.ndjson import decode_joined, decode_lines
from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan

_COMMAS = (b"},", b"}, ")
"""What stands between two events of an array, as most programs write it."""


class SureDevice(Protocol):
    """The device of a sure event; its `user_agent` is UNSET where the text does not name it."""

    user_agent: str | UnsetType


class SureEvent(Protocol):
    """An event that keeps the contract and names nothing that is the collector's to set, save its device."""

    event_id: str
    anonymous_id: str | None
    user_id: str | None
    device: SureDevice | UnsetType


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of a request. The text of each is `head`, its piece and a closing brace.

    A row in `doubtful` may hold anything, its event too; where its text is no object, `texts` has it.
    """

    events: Sequence[SureEvent]
    head: bytes
    pieces: Sequence[bytes]
    doubtful: frozenset[int]
    texts: Sequence[bytes] | None = None

    def __len__(self) -> int:
        return len(self.events)

    def text(self, row: int) -> bytes:
        """The text of an event as it came."""
        return self.texts[row] if self.texts is not None else self.head + self.pieces[row] + b"}"


class FastPath:
    """Knows an event that surely keeps the contract when it sees one."""

    def __init__(self, plan: TrackingPlan, limits: Limits, placeholders: Placeholders = Placeholders()) -> None:
        model = _sure_event()
        self._decoder = msgspec.json.Decoder(model)
        self._no_event: SureEvent = model("", "", "web")
        self._doubts = Doubts(limits, placeholders)
        self._planned = frozenset(plan.events)
        self._taken = frozenset(name for name, event in plan.events.items() if event.mode != "reject")
        self._takes_unknown = plan.settings.unknown_events != "reject"

    def of_array(self, array: bytes, most: int) -> Batch | None:
        """The events of a JSON array on one line; None unless it is surely one, of at most so many events, that all
        have the contract's types."""
        head = array[1 : array.find(b":") + 1]
        if not (head.startswith(b"{") and array.endswith(b"}]")) or has_nul(array) or not is_utf8(array):
            return None
        inner = array[1 + len(head) : -len(b"}]")]
        pieces = next((cut for comma in _COMMAS if len(cut := inner.split(comma + head)) > 1), [inner])
        if len(pieces) > most:
            return None
        # No line break is in the array, so those that are put in stand as `decode_joined` wants them.
        between = b"}\n" + head
        text = between.join([b"", *pieces[:-1], pieces[-1] + b"}"])  # one copy: the first break is not looked at
        events = decode_joined(self._decoder, memoryview(text)[between.index(head) :], len(pieces))
        if events is None:
            return None
        small = self._doubts.small - len(head) - 1
        is_small = max(map(len, pieces)) <= small
        large = [] if is_small else [row for row, piece in enumerate(pieces) if len(piece) > small]
        return Batch(events, head, pieces, frozenset((*large, *self._doubtful(events))))

    def of_joined(self, lines: Lines) -> Batch:
        """The events of texts that are one already."""
        text = lines.text
        pieces = text[: -len(b"}\n")].split(b"}\n")
        is_sure = max(map(len, pieces)) < self._doubts.small and not has_nul(text) and is_utf8(text)
        events = decode_joined(self._decoder, text, lines.count) if is_sure else None
        if events is None:
            return self.of_lines(list(lines))
        return Batch(events, b"", pieces, frozenset(self._doubtful(events)))

    def of_lines(self, lines: Sequence[bytes]) -> Batch:
        """The events of texts, one each."""
        if any(b"\n" in line for line in lines):
            lines = [_on_one_line(line) for line in lines]
        doubtful = set(self._doubts.about_lines(lines))
        found = decode_lines(self._decoder, lines)
        doubtful.update(row for row, event in enumerate(found) if event is None)
        events = [self._no_event if event is None else event for event in found]
        doubtful.update(self._doubtful(events))
        return Batch(events, b"", [line[:-1] for line in lines], frozenset(doubtful), lines)

    def _doubtful(self, events: Sequence[Any]) -> Iterator[int]:
        """Rows of which the decoder may say something else than the types did, or which somebody refused."""
        yield from rows_with([event.event for event in events], self._takes)
        anonymous, user = [event.anonymous_id for event in events], [event.user_id for event in events]
        session, view = [event.session_id for event in events], [event.page_view_id for event in events]
        group = [event.group_id for event in events]
        yield from nobodys(anonymous, user)
        yield from self._doubts.about_ids(anonymous, user, session, view, group)
        objects = (  # attributes by their names in the code cost a fifth of a lookup by name
            [event.properties for event in events],
            [event.traits for event in events],
            [event.traits_once for event in events],
            [event.context for event in events],
        )
        for texts in objects:
            if texts.count(UNSET) < len(texts):
                yield from self._doubts.about_objects([(row, raw) for row, raw in enumerate(texts) if raw is not UNSET])
        yield from [
            row
            for row, event in enumerate(events)
            if ((consent := event.consent) is not None and (consent.analytics is False or tells_advertisers(event)))
            # The first and the last day may have no date in UTC.
            or ((at := event.occurred_at) is not None and not 1 < at.year < 9999)
            or ((at := event.sent_at) is not None and not 1 < at.year < 9999)
        ]

    def _takes(self, name: str) -> bool:
        return name in self._taken or (self._takes_unknown and name not in self._planned and name.isprintable())


def _on_one_line(text: bytes) -> bytes:
    """The text without its line breaks if it is JSON, which has them only between its tokens; else as it is."""
    if b"\n" not in text:
        return text
    try:
        msgspec.json.decode(text, type=dict[str, Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return text
    return text.replace(b"\n", b" ")


def _sure_event() -> Any:
    """The event's model, narrowed: it does not know what is the collector's to set, and takes no null for a device."""
    device = _narrowed(Device, {"user_agent": str})
    changed = {"device": device, **dict.fromkeys(OBJECTS, Raw)}
    return _narrowed(Event, changed, without=("received_at", "derived_at", "ip"))


def _narrowed(model: type[Struct], changed: dict[str, Any], without: tuple[str, ...] = ()) -> Any:
    fields: list[Any] = []
    for field in msgspec.structs.fields(model):
        if field.name in changed:
            fields.append((field.name, changed[field.name] | UnsetType, UNSET))
        elif field.name not in without:
            fields.append((field.name, field.type) if field.required else (field.name, field.type, field.default))
    return msgspec.defstruct(model.__name__, fields, gc=False, forbid_unknown_fields=True)
