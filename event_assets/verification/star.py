"""The star schema: its dimensions, the history of people and the keys of facts, and the lines that say whether they are
what they must be."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from event_assets.verification.evidence import Evidence
from event_assets.verification.history import Event, History, microseconds
from event_assets.verification.report import Expectation, Key, Values, differing, equal
from event_assets.verification.traits import Held, held_traits

_NONE = "(none)"
_DAY = dt.timedelta(days=1)
_CONSENT = ("consent_analytics", "consent_marketing", "consent_personalisation", "consent_sell_or_share")
_CAMPAIGN = ("source", "medium", "campaign", "channel_group")
_DEVICE = ("device_type", "os", "browser", "platform")
_MOST_TRAITS = 1_000_000
_COUNTRY = ("country", "NULL", "NULL")
_PAGE = "coalesce(path, screen_name)"
_DATE = (
    *("date", "year", "quarter", "month", "day", "day_of_week", "week", "week_year", "week_start", "month_start"),
    "is_weekend",
)


def star_lines(evidence: Evidence, history: History) -> Iterator[Expectation]:
    """Lines about dates, pages, campaigns, devices, places, user_history, and the keys of sessions and page_views."""
    yield from _rows(evidence, "dates", _DATE, 1, _dates(history))
    yield from _rows(evidence, "pages", ("page_key", "kind", "page", "section", "title"), 3, _pages(evidence))
    for table, key, names in (("campaigns", "campaign_key", _CAMPAIGN), ("devices", "device_key", _DEVICE)):
        found = evidence.rows(f"SELECT DISTINCT {_known(*names)} FROM lake_sessions")
        yield from _rows(evidence, table, (key, *names), 1, {(_key(*row),): row for row in found})
    yield from _rows(evidence, "places", ("geo_key", "level", "country", "region", "city"), 1, _places(history))
    yield from _about_people(evidence, history)
    yield from _about_keys(evidence)


def _rows(
    evidence: Evidence, table: str, columns: tuple[str, ...], keys: int, expected: Mapping[Key, Values]
) -> Iterator[Expectation]:
    found = evidence.rows(f"SELECT {', '.join(columns)} FROM lake_{table}")
    yield equal(table, "rows", len(expected), len(found))
    rows = ((row[:keys], row[keys:]) for row in found)
    yield differing(table, "rows that say something else", expected, rows)


def _key(*texts: str) -> str:
    return hashlib.md5("".join(f"{len(text)}:{text}" for text in texts).encode(), usedforsecurity=False).hexdigest()


def _known(*columns: str) -> str:
    return ", ".join(f"coalesce({column}, '{_NONE}')" for column in columns)


def _dates(history: History) -> dict[Key, Values]:
    """The calendar years that the days lie in, and the days beside them."""
    there = [event.date for event in history.events if event.fields.get("derived_at") is not None]
    if not there:
        return {}
    first, last = dt.date.fromisoformat(min(there)) - _DAY, dt.date.fromisoformat(max(there)) + _DAY
    days = {}
    day = dt.date(first.year, 1, 1)
    while day.year <= last.year:
        week = day.isocalendar()
        days[(str(day),)] = (
            *(day.year, (day.month + 2) // 3, day.month, day.day, week.weekday, week.week, week.year),
            *(str(day - _DAY * (week.weekday - 1)), str(day.replace(day=1)), week.weekday > 5),
        )
        day += _DAY
    return days


def _pages(evidence: Evidence) -> dict[Key, Values]:
    titles: dict[tuple[str, str], str | None] = {}
    for kind, name, title in evidence.rows(
        f"SELECT {_known('kind', _PAGE)}, title FROM lake_page_views ORDER BY start_at, page_view_id"
    ):
        titles[kind, name] = titles.get((kind, name)) if title is None else title
    return {(_key(*of), *of): (_section(*of), title) for of, title in titles.items()}


def _section(kind: str, page: str) -> str:
    is_below = kind == "page" and page.startswith("/") and page[1:2] not in ("", "/")
    return "/" + page[1:].split("/")[0] if is_below else page


def _places(history: History) -> dict[Key, Values]:
    rows = {}
    for event in history.events:
        country, region, city = (
            _NONE if event.fields.get(name) is None else event.fields[name] for name in ("country", "region", "city")
        )
        for place in ((country, _NONE, _NONE), (country, region, _NONE), (country, region, city)):
            level = "city" if place[2] != _NONE else "region" if place[1] != _NONE else "country"
            if level != "city" or place[2] == city:
                rows[(_key(*place),)] = (level, *place)
    return rows


def _about_people(evidence: Evidence, history: History) -> Iterator[Expectation]:
    expected = _history(evidence, history)
    columns = ("person_id", "valid_from", "valid_to", "is_current", "traits", *_CONSENT)
    found = evidence.rows(f"SELECT {', '.join(columns)} FROM lake_user_history")
    yield equal("user_history", "rows", len(expected), len(found))
    yield differing("user_history", "times in which something else was known", expected, _as_told(found, expected))


def _as_told(found: Iterable[tuple[Any, ...]], expected: Mapping[Key, Values]) -> Iterator[tuple[Key, Values]]:
    """The rows that were found; traits that are left out because those after them say much count as told."""
    said: dict[str, int] = defaultdict(int)
    for person, begin, end, is_current, text, *answers in sorted(found, key=lambda row: -row[1]):
        key = (person, microseconds(begin))
        traits = None if text is None else json.loads(text)
        said[person] += len(text or "")
        if text is None and key in expected and said[person] + 2 * len(json.dumps(expected[key][2])) > _MOST_TRAITS:
            traits = expected[key][2]
        yield key, (None if end is None else microseconds(end), is_current, traits, *answers)


def _history(evidence: Evidence, history: History) -> dict[Key, Values]:
    traits, answers = _by_person(held_traits(history)), _answers(history)
    first_seen = "SELECT person_id, min(first_seen_at) FROM lake_identities GROUP BY 1"
    rows: dict[Key, Values] = {}
    for person, first in evidence.rows(first_seen):
        held, said = traits.get(person, []), answers.get(person, [])
        moments = {microseconds(first or 0), *(event.at for event in said)}
        moments |= {at for trait in held for at in (trait.from_at, trait.to_at) if at is not None}
        states = [(moment, _state(moment, held, said)) for moment in sorted(moments)]
        changes = [each for place, each in enumerate(states) if place == 0 or states[place - 1][1] != each[1]]
        ends = [moment for moment, _ in changes[1:]] + [None]
        for (moment, state), end in zip(changes, ends, strict=True):
            rows[person, moment] = (end, end is None, *state)
    return rows


def _by_person(traits: Iterable[Held]) -> dict[str, list[Held]]:
    found: dict[str, list[Held]] = defaultdict(list)
    for trait in traits:
        found[trait.person].append(trait)
    return found


def _answers(history: History) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(history.events, key=lambda event: (event.at, event.received, event.event_id)):
        if event.person is not None and any(event.fields.get(name) is not None for name in _CONSENT):
            found[event.person].append(event)
    return found


def _state(moment: int, held: list[Held], said: list[Event]) -> Values:
    traits = {
        trait.name: json.loads(trait.value)
        for trait in held
        if trait.from_at <= moment and (trait.to_at is None or moment < trait.to_at)
    }
    answers: dict[str, Any] = dict.fromkeys(_CONSENT)
    for event in said:
        if event.at <= moment:
            answers |= {name: event.fields[name] for name in _CONSENT if event.fields.get(name) is not None}
    return (traits or None, *answers.values())


def _about_keys(evidence: Evidence) -> Iterator[Expectation]:
    """Of facts: each key is the one of its columns."""
    for table, keys in (
        ("sessions", {"campaign_key": _CAMPAIGN, "device_key": _DEVICE, "geo_key": _COUNTRY}),
        ("page_views", {"page_key": ("kind", _PAGE), "geo_key": _COUNTRY}),
    ):
        wrong = 0
        for key, columns in keys.items():
            found = evidence.rows(f"SELECT {key}, {_known(*columns)}, count(*) FROM lake_{table} {_by(columns)}")
            wrong += sum(count for stored, *texts, count in found if stored != _key(*texts))
        yield equal(table, "keys that are not those of their columns", 0, wrong)


def _by(columns: tuple[str, ...]) -> str:
    return f"GROUP BY {', '.join(map(str, range(1, len(columns) + 2)))}"
