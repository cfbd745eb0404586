"""The events that count, with whose they are: what all numbers about people and products follow from.

Which events there are, their ids, names, times and revenue are the truth's. What the truth does not say of an event
(page, device, whether it came from a robot, traits) is taken from the lake, and so are events of other senders; one
that is not there is a robot's, where its device has others of a robot. A time that agrees with the truth is the lake's,
to the microsecond, so that no event falls on the other side of a boundary.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from event_assets.contract.placeholders import Placeholders
from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.settings import Settings
from event_assets.verification.clocks import Clocks
from event_assets.verification.evidence import Evidence
from event_assets.verification.expected import SHARED_ABOVE
from event_assets.verification.refusals import LONGEST_SECONDS

CLOCK_SECONDS = 5.0
"""How far `derived_at` may be from the true moment: what a request takes on a busy machine."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = 1_000_000
_PROPERTIES = "properties."
_IDS = ("event_id", "event", "anonymous_id", "user_id", "session_id", "page_view_id", "platform")


@dataclass(frozen=True)
class Event:
    """One event. Times are microseconds since 1970; `shown` is what its site's clock said. `fields` are the lake's
    columns of it."""

    event_id: str
    event: str
    anonymous_id: str | None
    user_id: str | None
    session_id: str | None
    page_view_id: str | None
    platform: str
    at: int
    received: int
    revenue: float
    fields: Mapping[str, Any]
    person: str | None
    shown: int = 0
    segments: frozenset[str] = frozenset()
    """Those that the person is in now, where an analysis asks for them."""

    @property
    def is_bot(self) -> bool:
        """It came from a robot."""
        return bool(self.fields.get("is_bot"))

    @property
    def date(self) -> str:
        """UTC date on which it happened."""
        return date_of(self.at)

    @property
    def site_date(self) -> str:
        """Date on which it happened by its site's clock."""
        return date_of(self.shown)

    def text(self, name: str) -> str | None:
        """A field as text: the column of that name, else the property; `properties.x` is always a property."""
        if name in self.fields:
            value = self.fields[name]
            if value is None or isinstance(value, str):
                return value
            return json.dumps(bool(value) if ENRICHED_EVENTS.column(name).type == "boolean" else value)
        value = self.properties
        for part in re.split(r"(?<!\\)\.", name.removeprefix(_PROPERTIES)):
            part = part.replace("\\.", ".")
            value = value.get(part) if isinstance(value, dict) else None
        return value if value is None or isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    @property
    def properties(self) -> Any:
        """Its properties; none where they are no JSON."""
        try:
            return json.loads(self.fields.get("properties") or "{}")
        except ValueError:
            return {}


@dataclass(frozen=True)
class History:
    """All events that count, in the order in which they happened."""

    events: tuple[Event, ...]
    people: People

    @cached_property
    def human(self) -> tuple[Event, ...]:
        """Those that did not come from a robot."""
        return tuple(event for event in self.events if not event.is_bot)


def conversions(history: History, settings: Settings) -> list[Event]:
    """The conversions that count: of events that tell of the same one, the first; a robot's where there is no other."""
    events = [event for event in history.events if event.event in settings.conversion_events]
    found: list[Event] = []
    told: set[tuple[str, str]] = set()
    none = Placeholders(settings.placeholders)
    for event in sorted(events, key=lambda event: (event.is_bot, event.at, event.event_id)):
        which = _conversion_id(event, settings.conversion_ids.get(event.event), none)
        if which is None or (event.event, which) not in told:
            found.append(event)
        if which is not None:
            told.add((event.event, which))
    return found


def _conversion_id(event: Event, name: str | None, none: Placeholders) -> str | None:
    which = None if name is None else event.text(_PROPERTIES + name)
    which = None if which is None else which.strip(" ")
    return None if which is None or which in none else which


class People:
    """Whose a device, a user id, an event is."""

    def __init__(self, evidence: Evidence, meetings: Iterable[tuple[str | None, str | None]]) -> None:
        rows = evidence.rows("SELECT id_type, id, person_id FROM lake_identities")
        self._person: dict[tuple[str, str], str] = {(kind, id_): person for kind, id_, person in rows}
        self._users: dict[str, set[str]] = defaultdict(set)
        for device, user in meetings:
            if device is not None and user is not None:
                self._users[device].add(user)

    def of(self, device: str | None, user: str | None) -> str | None:
        """The device's person; on a shared device, and without one, the user's."""
        is_shared = device is not None and len(self._users.get(device, ())) > SHARED_ABOVE
        if device is not None and (user is None or not is_shared):
            return self._person.get(("anonymous", device), device)
        return None if user is None else self._person.get(("user", user), user)


def read_history(evidence: Evidence) -> History:
    """The history by the truth, completed from the lake."""
    names = evidence.event_fields
    rows = evidence.rows(f"SELECT {', '.join(names)} FROM lake_enriched_events")
    found = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    known = evidence.rows(
        """
        SELECT event_id, event, anonymous_id, user_id, session_id, page_view_id, platform, happened_at,
               acknowledged_at, revenue, maybe_taken, stripped FROM counted
        """
    )
    submitted = {event_id for (event_id,) in evidence.rows("SELECT DISTINCT event_id FROM submissions")}
    strangers = [fields for event_id, fields in found.items() if event_id not in submitted]
    meetings = [(row[2], row[3]) for row in known] + [(row["anonymous_id"], row["user_id"]) for row in strangers]
    people = People(evidence, meetings)
    robots = {row["anonymous_id"] for row in found.values() if row["is_bot"]}
    lost = [{"is_bot": row[2] in robots} for row in known]
    events = [
        _known(row, found.get(row[0], fields), people, evidence.clocks) for row, fields in zip(known, lost, strict=True)
    ]
    events += [_strange(fields, people, evidence.clocks) for fields in strangers]
    return History(tuple(sorted(events, key=lambda event: (event.at, event.event_id))), people)


def _known(row: tuple[Any, ...], fields: dict[str, Any], people: People, clocks: Clocks) -> Event:
    *ids, happened_at, acknowledged_at, revenue, is_unsure, stripped = row
    there = fields.get("derived_at")
    earliest = happened_at - CLOCK_SECONDS - stripped * LONGEST_SECONDS
    agrees = there is not None and (is_unsure or earliest <= there <= happened_at + CLOCK_SECONDS)
    received = fields.get("received_at") or acknowledged_at or happened_at
    amount = fields.get("revenue_reporting") if revenue is None else revenue
    return _event(ids, (there if agrees else happened_at, received), amount, fields, people, clocks)


def _strange(fields: dict[str, Any], people: People, clocks: Clocks) -> Event:
    ids = [fields[name] for name in _IDS]
    times = (fields["derived_at"], fields["received_at"])
    return _event(ids, times, fields["revenue_reporting"], fields, people, clocks)


def _event(
    ids: list[Any], times: tuple[Any, Any], amount: Any, fields: dict[str, Any], people: People, clocks: Clocks
) -> Event:
    at, received = (microseconds(time or 0) for time in times)
    return Event(
        **dict(zip(_IDS, ids, strict=True)),
        at=at,
        received=received,
        shown=clocks.shown(at, fields.get("app_id")),
        revenue=float(amount or 0),
        fields=fields,
        person=people.of(ids[2], ids[3]),
    )


def microseconds(seconds: float) -> int:
    """Since 1970, of seconds since 1970."""
    return round(seconds * _SECOND)


def date_of(at: int) -> str:
    """UTC date of microseconds since 1970."""
    return str((_EPOCH + dt.timedelta(microseconds=at)).date())
