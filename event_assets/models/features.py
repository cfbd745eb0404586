"""What features are of a person on a day, by what each day added to them: the one function of it, that batches,
training sets and the answers to requests share.

What a day adds is told in transforms/features/person_features.py. All of it is exact, so that no order and no split of
what was added gives other values: sums of money are counted in millionths.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec

from event_assets.rules.feature import Feature

Value = int | float | str
Values = dict[str, Value | None]
Part = Mapping[str, Any]
"""What a day adds, by feature: a count; a sum as the text of a decimal; a text and when that was, in microseconds
(`{"t": …, "v": …}`); a trait as it is at the end of the day, null where it was taken back."""

_EPOCH = dt.date(1970, 1, 1)
_MILLIONTHS = 6
_NOTHING = f"{0:.{_MILLIONTHS}f}"
_MOST_TEXT = 256


class Span(NamedTuple):
    """From one day until another (None: for ever) what held, and what its first day added."""

    from_day: int
    to_day: int | None
    held: dict[str, Value]
    of_day: dict[str, Any]


def day_of(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return (date - _EPOCH).days


def date_of(day: int) -> dt.date:
    """The date that is so many days after 1970-01-01."""
    return _EPOCH + dt.timedelta(days=day)


def together(features: Mapping[str, Feature], parts: Iterable[Part]) -> dict[str, Any]:
    """What several parts of one day add."""
    whole: dict[str, Any] = {}
    for part in parts:
        for name, added in part.items():
            feature = features.get(name)
            if feature is None or (added is None and feature.kind != "trait"):
                continue
            before = whole.get(name)
            whole[name] = _joined(feature.kind, before, added)
    return {name: whole[name] for name in sorted(whole) if whole[name] not in (0, _NOTHING)}


def _joined(kind: str, before: Any, added: Any) -> Any:
    if kind == "sum":
        return f"{Decimal(before or 0) + Decimal(added):.{_MILLIONTHS}f}"
    if before is None:
        return added
    if kind in ("first", "first_touch"):
        return min(before, added, key=_moment)
    if kind == "latest":
        return max(before, added, key=_moment)
    return added if kind == "trait" else before + added


def _moment(said: Mapping[str, Any]) -> tuple[int, str]:
    return said["t"], said.get("v") or ""


class PersonDays:
    """One person, by what each day added to their features."""

    def __init__(self, features: Mapping[str, Feature], parts: Mapping[int, Part]) -> None:
        """`parts` by day (days since 1970-01-01), each as `together` gives it."""
        self._features = features
        self._parts = dict(sorted(parts.items()))
        self._added: dict[str, list[tuple[int, Any]]] = {name: [] for name in features}
        for day, part in self._parts.items():
            for name, added in part.items():
                if name in self._added:
                    self._added[name].append((day, added))
        self._series = {name: _SERIES[feature.kind](feature, self._added[name]) for name, feature in features.items()}

    def at(self, day: int) -> Values:
        """The features at the end of a day, if nothing else happens until then; None where there is none. Of a person
        of whom nothing is known all are None."""
        if not self._parts or day < next(iter(self._parts)):
            return dict.fromkeys(self._features)
        held = {name: series(day) for name, series in self._series.items()}
        return {name: _since(self._features[name], value, day) for name, value in held.items()}

    def spans(self) -> Iterator[Span]:
        """The times in which nothing changed, in order."""
        held: dict[str, Value] | None = None
        rows: list[tuple[int, dict[str, Value]]] = []
        for day in sorted(self._changes()):
            now = {name: value for name, series in self._series.items() if (value := series(day)) is not None}
            if now != held or self._parts.get(day):
                rows.append((day, now))
                held = now
        for place, (day, now) in enumerate(rows):
            until = rows[place + 1][0] if place + 1 < len(rows) else None
            yield Span(day, until, now, dict(self._parts.get(day, {})))

    def _changes(self) -> set[int]:
        """The days on which a feature may change."""
        days = set(self._parts)
        for name, feature in self._features.items():
            if feature.window is not None:
                periods = (1, 2) if feature.kind == "lifecycle" else (1,)
                days.update(day + feature.window * each for day, _ in self._added[name] for each in periods)
        return days


def at_instant(
    features: Mapping[str, Feature], parts: Mapping[int, Part], day: int, so_far: Mapping[str, int]
) -> Values:
    """The features of a person at an instant of a day: of all days before it, and of the events of that day `so_far`,
    as their names with how many of each.

    What needs more to be known of an event than its name (a sum, a text, a trait, a session) is as at the end of the
    day before. Of a person of whom nothing is known all are None.
    """
    before = {each: part for each, part in parts.items() if each < day}
    if any(count > 0 for count in so_far.values()):
        before[day] = part_of_counts(features, so_far)
    return PersonDays(features, before).at(day)


def part_of_counts(features: Mapping[str, Feature], counts: Mapping[str, int]) -> dict[str, int]:
    """What events of these names, so many of each, add to the features that need no more to be known of an event."""
    told = [(event, count) for event, count in counts.items() if count > 0]
    added = {}
    for name, feature in features.items():
        if feature.is_by_name and (count := sum([count for event, count in told if feature.adds(event)])):
            added[name] = count
    return added


def trait_parts(features: Mapping[str, Feature], said: Iterable[tuple[int, int | None, str, str]]) -> dict[int, Part]:
    """By day what traits were at its end, of rows of user_traits: since when, until when (microseconds), the trait, its
    value as JSON."""
    changes: list[tuple[int, int, str, str | None]] = []
    for since, until, trait, value in said:
        changes.append((since, 1, trait, value))
        if until is not None:
            changes.append((until, 0, trait, None))
    parts: dict[int, dict[str, Any]] = {}
    wanted = [(name, feature) for name, feature in features.items() if feature.kind == "trait"]
    for micros, _, trait, now in sorted(changes, key=lambda change: change[:2]):
        for name, feature in wanted:
            if feature.path[0] == trait:
                parts.setdefault(micros // 86_400_000_000, {})[name] = _trait(feature, now)
    return dict(parts)


def _trait(feature: Feature, value: str | None) -> Value | None:
    found: Any = None if value is None else msgspec.json.decode(value)
    for name in feature.path[1:]:
        found = found.get(name) if isinstance(found, dict) else None
    if feature.is_number:
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return float(found) if is_number and abs(found) <= 1e300 else None
    if isinstance(found, str):
        return found[:_MOST_TEXT]
    return None if found is None else msgspec.json.encode(found).decode()[:_MOST_TEXT]


def _since(feature: Feature, value: Value | None, day: int) -> Value | None:
    """Of what is counted from a date the days until that day."""
    if feature.kind not in ("days_since", "days_since_first") or value is None:
        return value
    return day - day_of(dt.date.fromisoformat(str(value)))


_Series = Callable[[int], Value | None]


def _summed(feature: Feature, added: list[tuple[int, Any]]) -> _Series:
    days = [day for day, _ in added]
    if feature.kind == "days":
        amounts = [1] * len(days)
    elif feature.kind == "sum":
        amounts = [int(Decimal(text).scaleb(_MILLIONTHS)) for _, text in added]
    else:
        amounts = [count for _, count in added]
    sums = [0, *accumulate(amounts)]

    def value(day: int) -> Value:
        total = sums[bisect_right(days, day)]
        if feature.window is not None:
            total -= sums[bisect_right(days, day - feature.window)]
        return total / 10**_MILLIONTHS if feature.kind == "sum" else total

    return value


def _last(feature: Feature, added: list[tuple[int, Any]]) -> _Series:
    """What the last day says that says something; of what is counted from a date, the date."""
    days = [day for day, _ in added]

    def value(day: int) -> Value | None:
        place = bisect_right(days, day)
        if not place:
            return None
        if feature.kind == "days_since":
            return date_of(days[place - 1]).isoformat()
        said = added[place - 1][1]
        return (said.get("v") or None) if isinstance(said, dict) else said

    return value


def _first(feature: Feature, added: list[tuple[int, Any]]) -> _Series:
    def value(day: int) -> Value | None:
        if not added or added[0][0] > day:
            return None
        if feature.kind == "days_since_first":
            return date_of(added[0][0]).isoformat()
        return added[0][1].get("v") or None

    return value


def _lifecycle(feature: Feature, added: list[tuple[int, Any]]) -> _Series:
    days, period = [day for day, _ in added], feature.window or 0

    def value(day: int) -> Value | None:
        now, before, earlier = (bisect_right(days, day - period * each) for each in (0, 1, 2))
        if not now:
            return None
        if now > before:
            return "new" if before == 0 else "returning" if before > earlier else "resurrecting"
        return "dormant" if before > earlier else "inactive"

    return value


_SERIES: Mapping[str, Callable[[Feature, list[tuple[int, Any]]], _Series]] = {
    **dict.fromkeys(("count", "days", "sum", "sessions"), _summed),
    **dict.fromkeys(("days_since", "latest", "trait"), _last),
    **dict.fromkeys(("days_since_first", "first", "first_touch"), _first),
    "lifecycle": _lifecycle,
}
