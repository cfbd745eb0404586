"""Touches, conversions, paths and credits: what they must be, and the lines that say whether they are."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from event_assets.settings import Settings
from event_assets.verification.evidence import Evidence
from event_assets.verification.history import Event, History, conversions, date_of, microseconds
from event_assets.verification.report import Expectation, Key, Values, differing, equal

_DAY = 86_400_000_000
_MODELS = ("first", "last", "linear", "position", "time_decay", "data_driven")
_LONGEST_PATH = 1_000


class Touch(NamedTuple):
    """A session of a person; whether it counts as a touch in paths. `source` is its source, medium, campaign, channel
    group; `last` that of the last session that was not direct."""

    at: int
    session_id: str
    person: str
    has_page_view: bool
    counts: bool
    source: tuple[str | None, ...]
    last: tuple[str | None, ...]

    @property
    def channel_group(self) -> str:
        """The channel group that is credited."""
        return self.source[-1] or "Unassigned"


class Path(NamedTuple):
    """What led to a conversion, or nowhere: then there is no event. `steps` are channel groups with when each was
    touched, equal neighbours once."""

    person: str
    event_id: str
    at: int
    touches: int
    steps: tuple[tuple[str, int], ...]
    conversions: int
    revenue: float
    site_date: str | None = None

    @property
    def channels(self) -> tuple[str, ...]:
        """The channel groups in order."""
        return tuple(channel for channel, _ in self.steps)


def source_lines(evidence: Evidence, history: History, settings: Settings) -> Iterator[Expectation]:
    """Lines about touches, conversions, conversion_paths, attribution and channel_performance."""
    touches = _touches(evidence, history, settings)
    yield from _about_touches(evidence, touches)
    converted = [event for event in conversions(history, settings) if event.person and not event.is_bot]
    yield from _about_conversions(evidence, converted)
    paths = list(_paths(touches, converted, settings))
    yield from _about_paths(evidence, paths)
    yield from _about_credits(evidence, _credits(paths, settings))


def _touches(evidence: Evidence, history: History, settings: Settings) -> list[Touch]:
    viewed = dict(evidence.rows("SELECT session_id, start_at FROM lake_page_views WHERE index_in_session = 1"))
    rows = evidence.rows(
        """
        SELECT session_id, anonymous_id, user_id, start_at, page_views, entry_url, platform, source, medium, campaign,
               channel_group FROM lake_sessions WHERE NOT is_bot
        """
    )
    touches: list[Touch] = []
    for session_id, device, user, start, views, url, platform, *source in rows:
        person = history.people.of(device, user)
        at = microseconds(viewed.get(session_id, start))
        has_page_view = session_id in viewed or views > 0 or url is not None
        if person is not None:
            counts = has_page_view or platform != "server"
            touches.append(Touch(at, session_id, person, has_page_view, counts, tuple(source), tuple(source)))
    touches.sort()
    return _with_last_source(touches, settings.source_days * _DAY)


def _with_last_source(touches: Sequence[Touch], lasts: int) -> list[Touch]:
    last: dict[str, Touch] = {}
    made = []
    for touch in touches:
        if touch.source[-1] not in (None, "Direct", "Internal"):
            last[touch.person] = touch
        known = last.get(touch.person)
        made.append(touch._replace(last=known.source) if known and touch.at - known.at <= lasts else touch)
    return made


def _about_touches(evidence: Evidence, touches: Sequence[Touch]) -> Iterator[Expectation]:
    found = evidence.rows(
        """
        SELECT session_id, person_id, at, has_page_view, is_touch, source, medium, campaign, channel_group,
               last_source, last_medium, last_campaign, last_channel_group FROM lake_touches
        """
    )
    yield equal("touches", "sessions of people", len(touches), len(found))
    expected: dict[Key, Values] = {
        (touch.session_id,): (touch.person, touch.at, touch.has_page_view, touch.counts, *touch.source, *touch.last)
        for touch in touches
    }
    rows = (((row[0],), (row[1], microseconds(row[2]), *row[3:])) for row in found)
    yield differing("touches", "sessions that came from elsewhere", expected, rows)


def _about_conversions(evidence: Evidence, conversions: Sequence[Event]) -> Iterator[Expectation]:
    found = evidence.rows(
        "SELECT event_id, event, at, person_id, anonymous_id, user_id, revenue, event_date, "
        "site_date FROM lake_conversions"
    )
    yield equal("conversions", "conversion events", len(conversions), len(found))
    revenue = sum(event.revenue for event in conversions)
    yield equal("conversions", "revenue", float(revenue), float(sum(row[6] for row in found)))
    expected: dict[Key, Values] = {
        (event.event_id,): (
            *(event.event, event.at, event.person, event.anonymous_id, event.user_id),
            *(event.revenue, event.date, event.site_date),
        )
        for event in conversions
    }
    rows = (((row[0],), (row[1], microseconds(row[2]), *row[3:])) for row in found)
    yield differing("conversions", "conversions that say something else", expected, rows)


def _paths(touches: Sequence[Touch], conversions: Sequence[Event], settings: Settings) -> Iterator[Path]:
    by_person: dict[str, list[Touch]] = defaultdict(list)
    for touch in touches:
        if touch.counts:
            by_person[touch.person].append(touch)
    look_back = settings.attribution_lookback_days * _DAY
    for event in conversions:
        assert event.person is not None
        steps = _steps(by_person[event.person], event.at, look_back)
        yield Path(event.person, event.event_id, event.at, *steps, 1, event.revenue, event.site_date)
    for person in by_person.keys() - {event.person for event in conversions}:
        end = max(touch.at for touch in by_person[person])
        yield Path(person, "", end, *_steps(by_person[person], end, look_back), 0, 0.0)


def _steps(touches: Sequence[Touch], end: int, look_back: int) -> tuple[int, tuple[tuple[str, int], ...]]:
    reached = [touch for touch in touches if end - look_back <= touch.at <= end]
    neighbours = groupby(reached[-_LONGEST_PATH:], lambda touch: touch.channel_group)
    return len(reached), tuple((channel, next(same).at) for channel, same in neighbours)


def _about_paths(evidence: Evidence, paths: Sequence[Path]) -> Iterator[Expectation]:
    found = evidence.rows(
        """
        SELECT person_id, event_id, event_date, at, touches, path, touched_before, conversions, revenue,
               site_date
        FROM lake_conversion_paths
        """
    )
    converted = sum(path.conversions for path in paths)
    yield equal("conversion_paths", "conversions", converted, sum(row[7] for row in found))
    expected: dict[Key, Values] = {
        (path.person, path.event_id): (
            *(date_of(path.at), path.at, path.touches, " > ".join(path.channels) if path.steps else None),
            [path.at - at for _, at in path.steps],
            *(path.conversions, path.revenue, path.site_date),
        )
        for path in paths
    }
    rows = (
        (row[:2], (row[2], microseconds(row[3]), row[4], row[5], json.loads(row[6] or "[]"), *row[7:])) for row in found
    )
    yield differing("conversion_paths", "paths that went otherwise", expected, rows)


Credits = dict[tuple[str, str, str], tuple[float, float]]
"""Conversions and revenue by date, model and channel group."""


def _credits(paths: Sequence[Path], settings: Settings) -> Credits:
    all_of, converted = Counter(path.channels for path in paths), Counter[tuple[str, ...]]()
    for path in paths:
        converted[path.channels] += path.conversions
    chance = {channels: converted[channels] / count for channels, count in all_of.items()}
    credits: Credits = defaultdict(lambda: (0.0, 0.0))
    for path in paths:
        if not path.conversions or not path.steps:
            continue
        for model in _MODELS:
            is_driven = model == "data_driven"
            shares = _data_driven(path.channels, chance) if is_driven else _shares(model, path, settings)
            for channel, share in zip(path.channels, shares, strict=True):
                assert path.site_date is not None
                conversions, revenue = credits[path.site_date, model, channel]
                credits[path.site_date, model, channel] = (conversions + share, revenue + share * path.revenue)
    return {key: credit for key, credit in credits.items() if credit[0] > 0}


def _shares(model: str, path: Path, settings: Settings) -> list[float]:
    many, ends = len(path.steps), settings.attribution_ends_percent / 100
    if model == "first":
        return [1.0] + [0.0] * (many - 1)
    if model == "position" and many > 2:
        return [ends, *[(1 - 2 * ends) / (many - 2)] * (many - 2), ends]
    if model == "time_decay":
        ages = [(path.steps[-1][1] - at) / _DAY for _, at in path.steps]
        return _to_one([2 ** (-age / settings.attribution_half_life_days) for age in ages])
    return [0.0] * (many - 1) + [1.0] if model == "last" else [1 / many] * many


def _data_driven(channels: tuple[str, ...], chance: dict[tuple[str, ...], float]) -> list[float]:
    places = range(len(channels))
    lost = [max(chance[channels] - chance.get(channels[:i] + channels[i + 1 :], 0.0), 0.0) for i in places]
    return _to_one(lost) if any(lost) else [0.0] * (len(channels) - 1) + [1.0]


def _to_one(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


def _about_credits(evidence: Evidence, credits: Credits) -> Iterator[Expectation]:
    found = evidence.rows("SELECT model, channel_group, conversions, revenue FROM lake_attribution")
    for model in _MODELS:
        for place, what in ((0, "conversions"), (1, "revenue")):
            expected = sum(credit[place] for key, credit in credits.items() if key[1] == model)
            credited = sum(row[2 + place] for row in found if row[0] == model)
            yield equal("attribution", f"{what} that {model} credits", float(expected), float(credited))
    whole: dict[Key, Values] = {}
    for (_, model, channel), credit in credits.items():
        before = whole.get((model, channel), (0.0, 0.0))
        whole[model, channel] = (before[0] + credit[0], before[1] + credit[1])
    rows: list[tuple[Key, Values]] = [(row[:2], row[2:]) for row in found]
    yield differing("attribution", "channel groups with another credit", whole, rows)
    yield from _about_performance(evidence, credits)


def _about_performance(evidence: Evidence, credits: Credits) -> Iterator[Expectation]:
    """A row that is there for its spend alone is credited with nothing."""
    component = "channel_performance"
    found = evidence.rows(
        """
        SELECT event_date, model, channel_group, conversions, revenue, spend, roas, cpa FROM lake_channel_performance
        """
    )
    for place, what in ((0, "conversions"), (1, "revenue")):
        expected = sum(credit[place] for credit in credits.values())
        yield equal(component, f"{what} of all models", float(expected), float(sum(row[3 + place] for row in found)))
    rows: list[tuple[Key, Values]] = [(row[:3], row[3:5]) for row in found if row[3] or row[4]]
    yield differing(component, "channel groups with another credit on a day", dict(credits), rows)
    yield equal(component, "returns and costs that do not follow from it", 0, sum(map(_is_miscounted, found)))


def _is_miscounted(row: tuple[Any, ...]) -> bool:
    conversions, revenue, spend, roas, cpa = row[3:]
    return_on_spend = revenue / spend if spend is not None and spend > 0 else None
    cost = spend / conversions if spend is not None and conversions > 0 else None
    return any(
        (one is None) != (other is None) or (one is not None and abs(one - other) > 1e-6 * max(1.0, abs(one)))
        for one, other in ((return_on_spend, roas), (cost, cpa))
    )
