"""Devices, people, and the sessions that are theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from event_assets_tests.oracle.events import Event, as_json
from event_assets_tests.oracle.visits import Session, conversions_of

Id = tuple[str, str]
"""anonymous or user, and the id."""
_SHARED_ABOVE = 5


class People:
    """Who is who: people are what `identify` and `alias` join."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.users_of: dict[str, set[str]] = defaultdict(set)
        self.last_user: dict[str, str] = {}
        for event in sorted(events, key=lambda event: (event.received, event.place)):
            if event.anonymous_id and event.user_id:
                self.users_of[event.anonymous_id].add(event.user_id)
                self.last_user[event.anonymous_id] = event.user_id
        self.members = self._components()
        self.person = {(kind, id_): min(group)[1] for group in self.members for _, id_, kind in group}

    def _components(self) -> list[set[tuple[int, str, str]]]:
        """Groups of (first seen, id, type)."""
        seen: dict[Id, int] = {}
        for event in self.events:
            for id_ in _ids(event):
                seen[id_] = min(seen.get(id_, event.derived), event.derived)
        group = {id_: {(at, id_[1], id_[0])} for id_, at in seen.items()}
        for event in self.events:
            both = _ids(event)
            joins = event.event in ("identify", "alias") and len(both) == 2
            if joins and len(self.users_of[event.anonymous_id]) <= _SHARED_ABOVE:
                merged = group[both[0]] | group[both[1]]
                for _, text, kind in merged:
                    group[kind, text] = merged
        return list({id(members): members for members in group.values()}.values())

    def of(self, anonymous_id: str | None, user_id: str | None) -> str:
        """The person behind an event or a session: the device's; on a shared one, and without one, the user's."""
        is_own = anonymous_id and len(self.users_of[anonymous_id]) <= _SHARED_ABOVE
        return self.person["user", user_id] if user_id and not is_own else self.person["anonymous", anonymous_id or ""]

    def stitched(self, session: Session) -> str | None:
        """The device's last user at any time, else the device itself."""
        device = session.anonymous_id
        return None if device is None else self.last_user.get(device, device)


def _ids(event: Event) -> list[Id]:
    found = (("anonymous", event.anonymous_id), ("user", event.user_id))
    return [(kind, id_) for kind, id_ in found if id_]


def session_rows(sessions: Iterable[Session], people: People) -> Iterator[dict[str, Any]]:
    """`sessions`."""
    for session in sessions:
        came = session.landing.source
        yield {
            "session_id": session.session_id,
            "anonymous_id": session.anonymous_id,
            "user_id": session.user_id,
            "stitched_user_id": people.stitched(session),
            "person_id": people.of(session.anonymous_id, session.user_id),
            "start_at": session.start,
            "end_at": session.end,
            "page_views": session.page_views,
            "events": len(session.events),
            "engaged_seconds": session.engaged_seconds,
            "absolute_seconds": session.end // 1000 - session.start // 1000,
            "is_engaged": session.is_engaged,
            "is_bounce": session.page_views == 1 and not session.is_engaged,
            "entry_url": session.landing.url,
            "exit_url": session.exit.url,
            "source": came.source,
            "medium": came.medium,
            "campaign": came.campaign,
            "channel_group": came.channel_group,
            "conversions": len(session.conversions),
            "revenue": round(sum(event.revenue for event in session.conversions), 6),
        }


def visitor_rows(sessions: list[Session], people: People) -> Iterator[dict[str, Any]]:
    """`visitors`."""
    for device, events in _grouped(people.events, lambda event: event.anonymous_id):
        own = [session for session in sessions if session.anonymous_id == device]
        yield {
            "anonymous_id": device,
            "user_id": people.last_user.get(device),
            "stitched_user_id": people.last_user.get(device, device),
            "first_seen_at": min(event.derived for event in events),
            "last_seen_at": max(event.derived for event in events),
            "sessions": len(own),
            "page_views": sum(session.page_views for session in own),
            "engaged_seconds": sum(session.engaged_seconds for session in own),
            "is_bot": all(event.agent.is_bot for event in events),
        }


def user_rows(sessions: list[Session], people: People) -> Iterator[dict[str, Any]]:
    """`users`."""
    counted = {event.event_id for event in conversions_of(people.events)}
    by_person = dict(_grouped(people.events, lambda event: people.of(event.anonymous_id, event.user_id)))
    for members in people.members:
        person = min(members)[1]
        # An id may be named only by events of somebody else: seen, without an event of its own.
        events = by_person.get(person, [])
        ids = {(kind, id_) for _, id_, kind in members}
        seen = [event.derived for event in people.events if ids & {*_ids(event)}]
        yield {
            "person_id": person,
            "user_ids": as_json(id_ for _, id_, kind in members if kind == "user"),
            "anonymous_ids": as_json(id_ for _, id_, kind in members if kind == "anonymous"),
            "first_seen_at": min(seen),
            "last_seen_at": max(seen),
            "sessions": sum(people.of(session.anonymous_id, session.user_id) == person for session in sessions),
            "events": len(events),
            "revenue": round(sum(event.revenue for event in events if event.event_id in counted), 6),
            "is_bot": bool(events) and all(event.agent.is_bot for event in events),
        }


def group_rows(people: People) -> Iterator[dict[str, Any]]:
    """`groups`."""
    for group, events in _grouped(people.events, lambda event: event.group_id):
        yield {
            "group_id": group,
            "first_seen_at": min(event.derived for event in events),
            "last_seen_at": max(event.derived for event in events),
            "events": len(events),
            "members": len({people.of(event.anonymous_id, event.user_id) for event in events}),
        }


def member_rows(people: People) -> Iterator[dict[str, Any]]:
    """`group_members`."""
    for group, events in _grouped(people.events, lambda event: event.group_id):
        for person, own in _grouped(events, lambda event: people.of(event.anonymous_id, event.user_id)):
            yield {
                "group_id": group,
                "person_id": person,
                "first_seen_at": min(event.derived for event in own),
                "last_seen_at": max(event.derived for event in own),
                "events": len(own),
            }


def _grouped(events: Iterable[Event], key: Callable[[Event], str | None]) -> Iterator[tuple[str, list[Event]]]:
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        name = key(event)
        if name:
            groups[name].append(event)
    yield from groups.items()
