"""The marts of days and periods: what they must be, and the lines that say whether they are."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from event_assets.settings import Settings
from event_assets.verification.evidence import Evidence
from event_assets.verification.history import History, conversions
from event_assets.verification.report import Expectation, Key, Values, differing, equal, moment, none

_NONE = "(none)"
_PRESETS = (7, 28, 90)
_PEOPLE = "period_people"
_DAYS_KEPT, _OF_DAYS = 180, ("all", "platform", "app_id", "country", "channel_group")

_OF_SESSIONS = ("app_id", "platform", "country", "channel_group", "source", "medium", "campaign", "device_type")
_OF_PAGES = ("kind", "app_id", "platform", "country", "channel_group", "device_type")
_SESSION_MEASURES = (
    *("sessions", "engaged_sessions", "bounces", "converting_sessions", "events", "page_views"),
    *("engaged_seconds", "conversions", "revenue"),
)
_PAGE_MEASURES = ("views", "entries", "exits", "engaged_seconds", "scrolled_views", "scroll_percent")


def mart_lines(evidence: Evidence, history: History, settings: Settings) -> Iterator[Expectation]:
    """Lines about where sessions landed, and about daily_sessions, daily_events, daily_pages and period_people."""
    yield from _site_dates(evidence)
    yield _landings(evidence, history)
    yield from _sums(evidence, "daily_sessions", (*_OF_SESSIONS, "is_bot"), _SESSION_MEASURES, _of_sessions(evidence))
    of_events = _of_events(history, settings)
    names = ("event", "app_id", "platform", "country", "device_type", "is_bot")
    yield from _sums(evidence, "daily_events", names, ("events", "conversions", "revenue"), of_events)
    yield from _sums(evidence, "daily_pages", ("page", *_OF_PAGES, "is_bot"), _PAGE_MEASURES, _of_pages(evidence))
    late = _late(evidence)
    if late is not None:
        yield late
    else:
        yield from _about_people(evidence, history)


def _sums(
    evidence: Evidence, table: str, dimensions: tuple[str, ...], measures: tuple[str, ...], expected: dict[Key, Values]
) -> Iterator[Expectation]:
    names = ("event_date", "site_date", *dimensions)
    found = evidence.rows(f"SELECT {', '.join((*names, *measures))} FROM lake_{table}")
    total = sum(row[len(names)] for row in found)
    yield equal(table, f"{measures[0]} of all days", sum(values[0] for values in expected.values()), total)
    rows: list[tuple[Key, Values]] = [(row[: len(names)], row[len(names) :]) for row in found]
    yield differing(table, "rows that say something else", expected, rows)


def _site_dates(evidence: Evidence) -> Iterator[Expectation]:
    for table, at in (("enriched_events", "derived_at"), ("sessions", "start_at"), ("page_views", "start_at")):
        wrong = f"SELECT 1 FROM lake_{table} WHERE site_date IS NOT site_date({at}, app_id)"
        yield none(table, "rows of another day than the clock of the site says", evidence, wrong)


def _landings(evidence: Evidence, history: History) -> Expectation:
    """Of a client's session: one of its events must be where the session says that it began."""
    told: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    for event in history.events:
        if event.session_id:
            locale = (event.fields.get("device_locale") or "").replace("_", "-").split("-")[0].lower() or None
            told[event.session_id].add(
                (*(event.fields.get(name) for name in ("page_path", "app_id", "country")), locale)
            )
    rows = evidence.rows("SELECT session_id, landing_page, app_id, country, language FROM lake_sessions")
    wrong = sum(session in told and tuple(place) not in told[session] for session, *place in rows)
    return equal("sessions", "sessions that landed where none of their events was", 0, wrong)


def _of_sessions(evidence: Evidence) -> dict[Key, Values]:
    dimensions = ", ".join(f"coalesce({name}, '{_NONE}')" for name in _OF_SESSIONS)
    rows = evidence.rows(
        f"""
        SELECT event_date, site_date(start_at, app_id), {dimensions}, is_bot,
               count(*), sum(is_engaged), sum(is_bounce), sum(conversions > 0), sum(events),
               sum(page_views), sum(engaged_seconds), sum(conversions), sum(revenue)
        FROM lake_sessions GROUP BY {", ".join(str(place) for place in range(1, len(_OF_SESSIONS) + 4))}
        """
    )
    return {row[: -len(_SESSION_MEASURES)]: row[-len(_SESSION_MEASURES) :] for row in rows}


def _of_events(history: History, settings: Settings) -> dict[Key, Values]:
    converted = {event.event_id for event in conversions(history, settings)}
    days: dict[Key, list[Any]] = defaultdict(lambda: [0, 0, 0.0])
    for event in history.events:
        app, country, device = (event.fields.get(name) or _NONE for name in ("app_id", "country", "device_type"))
        day = days[event.date, event.site_date, event.event, app, event.platform, country, device, event.is_bot]
        day[0] += 1
        if event.event_id in converted:
            day[1] += 1
            day[2] += event.revenue
    return {key: tuple(day) for key, day in days.items()}


def _of_pages(evidence: Evidence) -> dict[Key, Values]:
    dimensions = ", ".join(f"coalesce({name}, '{_NONE}')" for name in _OF_PAGES)
    rows = evidence.rows(
        f"""
        SELECT event_date, site_date(start_at, app_id), coalesce(path, screen_name, '{_NONE}'), {dimensions}, is_bot,
               count(*), sum(index_in_session = 1), sum(index_in_session = views_in_session), sum(engaged_seconds),
               count(scroll_percent), coalesce(sum(scroll_percent), 0)
        FROM lake_page_views GROUP BY {", ".join(str(place) for place in range(1, len(_OF_PAGES) + 5))}
        """
    )
    return {row[: -len(_PAGE_MEASURES)]: row[-len(_PAGE_MEASURES) :] for row in rows}


def _late(evidence: Evidence) -> Expectation | None:
    """It is made whole, by a run of its own that waits for a pause."""
    made = evidence.sources_of_people
    behind = {name: through for name, through in made.through.items() if through.is_before(evidence.versions[name])}
    if made.through and not behind:
        return None
    since = "yet" if made.at is None else f"since {moment(made.at.timestamp())}"
    expected = ", ".join(f"{name} {evidence.versions[name].number}" for name in behind)
    actual = ", ".join(f"{name} {through.number}" for name, through in behind.items())
    return Expectation(_PEOPLE, f"not refreshed {since}", expected, actual, True, late=True)


def _about_people(evidence: Evidence, history: History) -> Iterator[Expectation]:
    found = evidence.rows(f"SELECT period, from_date, to_date, dimension, value, people FROM lake_{_PEOPLE}")
    expected = _people(evidence, history)
    yield equal(_PEOPLE, "people of all months", _months(expected), sum(row[5] for row in found if _is_month(row)))
    counts: dict[Key, Values] = {key: (len(people),) for key, people in expected.items()}
    rows: list[tuple[Key, Values]] = [(row[:5], row[5:]) for row in found]
    yield differing(_PEOPLE, "periods and values with other people", counts, rows)


def _is_month(row: tuple[Any, ...]) -> bool:
    return bool(row[0] == "month" and row[3] == "all")


def _months(expected: dict[Key, set[str]]) -> int:
    return sum(len(people) for key, people in expected.items() if _is_month(key))


def _people(evidence: Evidence, history: History) -> dict[Key, set[str]]:
    there = [event.site_date for event in history.events if event.fields.get("derived_at") is not None]
    if not there:
        return {}
    as_of = dt.date.fromisoformat(max(there))
    found: dict[Key, set[str]] = defaultdict(set)

    def count(date: str, person: str | None, dimension: str, value: str | None) -> None:
        if person is not None:
            for period in _periods(dt.date.fromisoformat(date), dimension, as_of):
                found[*period, dimension, value or _NONE].add(person)

    for event in history.human:
        count(event.site_date, event.person, "event", event.event)
    names = ("platform", "app_id", "country", "channel_group", "source", "campaign", "device_type")
    date_of = "site_date(start_at, app_id)"
    of_sessions = f"SELECT anonymous_id, user_id, {date_of}, {', '.join(names)} FROM lake_sessions WHERE NOT is_bot"
    for device, user, date, *values in evidence.rows(of_sessions):
        person = history.people.of(device, user)
        count(date, person, "all", "(all)")
        for name, value in zip(names, values, strict=True):
            count(date, person, name, value)
    of_views = f"SELECT anonymous_id, user_id, {date_of}, coalesce(path, screen_name) FROM lake_page_views"
    for device, user, date, page in evidence.rows(f"{of_views} WHERE NOT is_bot"):
        count(date, history.people.of(device, user), "page", page)
    return found


def _periods(date: dt.date, dimension: str, as_of: dt.date) -> Iterator[tuple[str, str, str]]:
    """Name, first and last day of each period that a day lies in."""
    if (as_of - date).days < _DAYS_KEPT and dimension in _OF_DAYS:
        yield "day", str(date), str(date)
    first = date.replace(day=1)
    after = (first + dt.timedelta(days=31)).replace(day=1)
    yield "month", str(first), str(after - dt.timedelta(days=1))
    for days in _PRESETS:
        back = (as_of - date).days // days
        if back in (0, 1):
            last = as_of - dt.timedelta(days=days * back)
            yield f"{days} days", str(last - dt.timedelta(days=days - 1)), str(last)
