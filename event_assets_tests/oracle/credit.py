"""Which channels conversions are credited to, by six models."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from event_assets_tests.oracle.people import People
from event_assets_tests.oracle.visits import Session, conversions_of

_DAY = 86_400_000
_LOOK_BACK = 30 * _DAY


class Touch(NamedTuple):
    """A session's first view; its beginning, where there is none."""

    at: int
    channel_group: str


class Path(NamedTuple):
    """The touches up to a conversion, or of somebody who never converted."""

    at: int
    touches: tuple[Touch, ...]
    converted: bool
    revenue: float

    @property
    def names(self) -> tuple[str, ...]:
        """The channel groups in order."""
        return tuple(touch.channel_group for touch in self.touches)


def attribution_rows(
    sessions: list[Session], views: list[dict[str, Any]], people: People
) -> Iterator[dict[str, object]]:
    """`attribution`. A page view that came twice is one: `views` are the rows of `page_views`."""
    first_views = {row["session_id"]: row["start_at"] for row in views if row["index_in_session"] == 1}
    paths = list(_paths(sessions, first_views, people))
    all_of = Counter(path.names for path in paths)
    converted = Counter(path.names for path in paths if path.converted)
    conversions: dict[tuple[str, str], float] = defaultdict(float)
    revenue: dict[tuple[str, str], float] = defaultdict(float)
    for path in (path for path in paths if path.converted and path.touches):
        for model, shares in _shares(path, all_of, converted):
            for touch, share in zip(path.touches, shares, strict=True):
                conversions[model, touch.channel_group] += share
                revenue[model, touch.channel_group] += share * path.revenue
    for (model, channel_group), share in conversions.items():
        if share:
            yield {
                "model": model,
                "channel_group": channel_group,
                "conversions": round(share, 6),
                "revenue": round(revenue[model, channel_group], 6),
            }


def _paths(sessions: list[Session], first_views: dict[str, int], people: People) -> Iterator[Path]:
    touches: dict[str, list[Touch]] = defaultdict(list)
    for session in sessions:
        is_visit = session.page_views or session.landing.url or session.landing.platform != "server"
        if is_visit and not session.is_bot:
            at = first_views.get(session.session_id, session.start)
            touch = Touch(at, session.landing.source.channel_group)
            touches[people.of(session.anonymous_id, session.user_id)].append(touch)
    buyers = set()
    for event in conversions_of(people.events):
        if not event.agent.is_bot:
            buyer = people.of(event.anonymous_id, event.user_id)
            buyers.add(buyer)
            yield Path(event.derived, _up_to(event.derived, touches[buyer]), True, event.revenue)
    for person, own in touches.items():
        if person not in buyers:
            last = max(own).at
            yield Path(last, _up_to(last, own), False, 0.0)


def _up_to(at: int, touches: list[Touch]) -> tuple[Touch, ...]:
    """Those in the look-back; equal neighbours are one."""
    known = sorted(touch for touch in touches if at - _LOOK_BACK <= touch.at <= at)
    return tuple(next(same) for _, same in groupby(known, lambda touch: touch.channel_group))


def _shares(
    path: Path, all_of: Counter[tuple[str, ...]], converted: Counter[tuple[str, ...]]
) -> Iterator[tuple[str, list[float]]]:
    many = len(path.touches)
    yield "first", [float(place == 0) for place in range(many)]
    yield "last", [float(place == many - 1) for place in range(many)]
    yield "linear", [1 / many] * many
    ends = {1: [1.0], 2: [0.5, 0.5]}
    yield "position", ends.get(many) or [0.4, *[0.2 / (many - 2)] * (many - 2), 0.4]
    yield "time_decay", _normalised([0.5 ** ((path.at - touch.at) / _DAY / 7) for touch in path.touches])

    def chance(names: tuple[str, ...]) -> float:
        return converted[names] / all_of[names] if all_of[names] else 0.0

    names = path.names
    lost = [max(chance(names) - chance(names[:place] + names[place + 1 :]), 0.0) for place in range(many)]
    yield "data_driven", _normalised(lost) if many > 1 and any(lost) else [0.0] * (many - 1) + [1.0]


def _normalised(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]
