"""Page views and sessions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from event_assets_tests.oracle.events import Event

_GAP, _LONGEST, _CUT = 30 * 60_000, 24 * 3_600_000, 3 * 86_400_000
_SLOT = 10_000
CONVERSION = "purchase"


def told_of(event: Event) -> str | None:
    """Which order a purchase tells of."""
    order = (event.properties or {}).get("order_id")
    return None if order in (None, "", "null") else str(order).strip()


def conversions_of(events: Iterable[Event]) -> list[Event]:
    """The purchases that count: each order once, by the first that tells of it; a robot's counts after all others."""
    orders: set[str] = set()
    found = []
    for event in sorted(events, key=lambda event: (event.agent.is_bot, event.derived, event.event_id)):
        order = told_of(event)
        if event.event == CONVERSION and order not in orders:
            found.append(event)
            orders |= {order} if order is not None else set()
    return found


@dataclass(frozen=True)
class Session:
    """Events that belong together, in order; those after a cut are beside them."""

    session_id: str
    events: list[Event]
    after_cut: list[Event]
    counted: Set[str] = frozenset()

    @property
    def first_received(self) -> Event:
        """The earliest received."""
        return min(self.events, key=lambda event: (event.received, event.place))

    @property
    def anonymous_id(self) -> str | None:
        """The device."""
        device: str | None = self.first_received.anonymous_id
        return device

    @property
    def user_id(self) -> str | None:
        """The first user id seen."""
        return next((event.user_id for event in self.events if event.user_id), None)

    @property
    def views(self) -> list[Event]:
        """Its views of pages and screens, each once, in order."""
        first: dict[str, Event] = {}
        for event in self.events:
            if event.event in ("page_view", "screen_view"):
                first.setdefault(view_id(event), event)
        return list(first.values())

    @property
    def pings(self) -> list[Event]:
        """Its heartbeats."""
        return [event for event in self.events if event.event == "page_ping" and event.page_view_id]

    @property
    def landing(self) -> Event:
        """What it began with: the first page view, else the first screen view, else the first event."""
        return self._seen[0]

    @property
    def exit(self) -> Event:
        """What it ended with, likewise."""
        return self._seen[-1]

    @property
    def _seen(self) -> list[Event]:
        pages = [event for event in self.events if event.event == "page_view"]
        return pages or self.views or self.events

    @property
    def start(self) -> int:
        """When it began."""
        seen = ("page_view", "page_ping", "screen_view")
        first = next((event for event in self.events if event.event in seen), None)
        begins = self.events[0].derived
        return begins - 5_000 if first is not None and first.event == "page_ping" else begins

    @property
    def end(self) -> int:
        """Its last event."""
        return max(event.derived for event in self.events)

    @property
    def conversions(self) -> list[Event]:
        """What counts as one."""
        return [event for event in self.events if event.event_id in self.counted]

    @property
    def page_views(self) -> int:
        """Distinct views, those of which only pings came included."""
        return len({view_id(event) for event in [*self.views, *self.pings]})

    @property
    def engaged_seconds(self) -> int:
        """From its pings."""
        slots = {(ping.page_view_id, ping.occurred // _SLOT) for ping in self.pings}
        pinged = {ping.page_view_id for ping in self.pings}
        return 10 * (len(slots) - len(pinged)) + 5 * len(pinged)

    @property
    def is_engaged(self) -> bool:
        """Two views, 20 engaged seconds or a conversion."""
        return self.page_views >= 2 or self.engaged_seconds >= 20 or bool(self.conversions)

    @property
    def is_bot(self) -> bool:
        """A robot's."""
        return any(event.agent.is_bot for event in self.events)


def view_id(event: Event) -> str:
    """A page view is told by its id, where it has one; a screen view by its event. A ping is of a page view."""
    own: str = event.event_id
    return own if event.event == "screen_view" else event.page_view_id or own


def sessions_of(events: Sequence[Event]) -> list[Session]:
    """The sessions, and cut ones where they were cut."""
    counted = {event.event_id for event in conversions_of(events)}
    return [replace(session, counted=counted) for session in (*_by_client(events), *_computed(events))]


def _by_client(events: Iterable[Event]) -> Iterator[Session]:
    by_id: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.session_id:
            by_id[event.session_id].append(event)
    for session_id, members in by_id.items():
        end = min(members, key=lambda event: (event.received, event.place)).derived + _CUT
        kept = sorted((event for event in members if event.derived <= end), key=lambda event: event.order)
        yield Session(session_id, kept, [event for event in members if event.derived > end])


def _computed(events: Iterable[Event]) -> Iterator[Session]:
    def key(event: Event) -> tuple[str, str]:
        return ("anonymous", event.anonymous_id) if event.anonymous_id else ("user", event.user_id)

    free = [event for event in events if not event.session_id]
    for (_, id_), members in groupby(sorted(free, key=lambda event: (key(event), event.derived, event.event_id)), key):
        session: list[Event] = []
        for event in members:
            if session and (
                event.derived - session[-1].derived > _GAP or event.derived - session[0].derived > _LONGEST
            ):
                yield _named(id_, session)
                session = []
            session.append(event)
        yield _named(id_, session)


def _named(id_: str, events: list[Event]) -> Session:
    session = Session("", sorted(events, key=lambda event: event.order), [])
    return Session(f"{id_}@{session.start}", session.events, [])


def page_view_rows(sessions: Iterable[Session]) -> Iterator[dict[str, Any]]:
    """`page_views`: each view in the session of its earliest event."""
    owner: dict[str, tuple[Event, Session]] = {}
    for session in sessions:
        for view in session.views:
            known = owner.get(view_id(view))
            if known is None or view.order < known[0].order:
                owner[view_id(view)] = view, session
    for view, session in owner.values():
        own = [known for known, of in owner.values() if of is session]
        own.sort(key=lambda event: event.order)
        pings = [ping for ping in session.pings if ping.page_view_id == view_id(view)]
        slots = {ping.occurred // _SLOT for ping in pings}
        end = max([view.derived, *(ping.derived for ping in pings)])  # nothing ends before it begins
        yield {
            "page_view_id": view_id(view),
            "kind": "screen" if view.event == "screen_view" else "page",
            "screen_name": (view.screen or {}).get("name"),
            "event_id": view.event_id,
            "session_id": session.session_id,
            "anonymous_id": session.anonymous_id,
            "user_id": view.user_id,
            "start_at": view.derived,
            "end_at": end,
            "engaged_seconds": 10 * (len(slots) - 1) + 5 if pings else 0,
            "absolute_seconds": end // 1000 - view.derived // 1000,
            "scroll_percent": _scroll_percent(view, pings),
            "index_in_session": own.index(view) + 1,
            "views_in_session": len(own),
            "url": view.url,
            "channel_group": view.source.channel_group,
        }


def _scroll_percent(view: Event, pings: list[Event]) -> int | None:
    """The doc's formula; of the sizes the largest, as with the scroll."""
    pings = [ping for ping in pings if ping.document]
    document = max((ping.document["height"] for ping in pings), default=None)
    if document is None:
        return None
    viewport = max(ping.viewport["height"] for ping in pings)
    scroll = max(ping.scroll["y_max"] for ping in pings)
    return int(100 * min(min(max(scroll, 0), document) + viewport, document) / document + 0.5)


def issue_rows(events: Iterable[Event]) -> Iterator[dict[str, Any]]:
    """`session_issues`: the cut ones."""
    for session in _by_client(events):
        if session.after_cut:
            yield {"session_id": session.session_id, "reason": "too_long"}
