"""Distinct people of a period count once, however often they come: the same as counting them one by one."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.metrics import PERIOD_PEOPLE
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.transforms.metrics.period_people import PRESET_DAYS, period_people
from event_assets_tests.examples import examples
from event_assets_tests.factories import enriched_event, frame, rows_of

Row = dict[str, Any]
AS_OF = dt.date(2026, 3, 2)
PERSON = {"a1": "a1", "a2": "a1", "a3": "a3"}
"""Two devices are of one person."""


def _at(days_ago: int) -> dt.datetime:
    return dt.datetime.combine(AS_OF, dt.time(12), dt.UTC) - dt.timedelta(days=days_ago)


def _happenings() -> st.SearchStrategy[list[tuple[int, str, str | None, bool]]]:
    """Days ago at the edges of periods and elsewhere, device, country, whether a robot."""
    edges = [0, 1, 2, 6, 7, 13, 14, 27, 28, 29, 55, 56, 89, 90, 179, 180]
    days = st.one_of(st.sampled_from(edges), st.integers(0, 200))
    one = st.tuples(days, st.sampled_from(sorted(PERSON)), st.sampled_from(["DE", "FR", None]), st.booleans())
    return st.lists(one, max_size=25)


def _periods(day: dt.date, dimension: str) -> list[tuple[str, dt.date]]:
    found = [("month", day.replace(day=1))]
    if (AS_OF - day).days < 180 and dimension in ("all", "platform", "app_id", "country", "channel_group"):
        found.append(("day", day))
    for length in PRESET_DAYS:
        for end in (AS_OF, AS_OF - dt.timedelta(days=length)):
            first = end - dt.timedelta(days=length - 1)
            found += [(f"{length} days", first)] if first <= day <= end else []
    return found


@examples(10)
@given(happenings=_happenings())
def test_each_person_counts_once_a_period_and_value(
    spark: SparkSession, happenings: list[tuple[int, str, str | None, bool]]
) -> None:
    expected: dict[tuple[str, dt.date, str, str], set[str]] = defaultdict(set)
    sessions, events, views = [], [], []
    for number, (days_ago, device, country, is_bot) in enumerate(happenings):
        when = _at(days_ago)
        event = enriched_event("click" if number % 2 else "page_view", when, anonymous_id=device, is_bot=is_bot)
        events.append(event)
        common = {"event_date": when.date(), "anonymous_id": device, "is_bot": is_bot, "start_at": when}
        sessions.append({**common, "session_id": f"s{number}", "country": country, "platform": "web"})
        views.append({**common, "page_view_id": f"p{number}", "path": "/a" if number % 3 else None})
        if is_bot:
            continue
        values = [("all", "(all)"), ("country", country or "(none)"), ("platform", "web")]
        values += [("event", event["event"]), ("page", "/a" if number % 3 else "(none)")]
        values += [(name, "(none)") for name in ("app_id", "channel_group", "source", "campaign", "device_type")]
        for dimension, value in values:
            for period, first in _periods(when.date(), dimension):
                expected[period, first, dimension, value].add(PERSON[device])
    identities = [
        {"id_type": "anonymous", "id": id_, "person_id": person, "is_shared": False} for id_, person in PERSON.items()
    ]
    rows = rows_of(
        period_people(
            frame(spark, sessions, SESSIONS),
            frame(spark, events),
            frame(spark, views, PAGE_VIEWS),
            frame(spark, identities, IDENTITIES),
            AS_OF,
        )
    )
    assert all(tuple(row) == PERIOD_PEOPLE.column_names for row in rows)
    found = {(row["period"], row["from_date"], row["dimension"], row["value"]): row["people"] for row in rows}
    assert found == {key: len(people) for key, people in expected.items()}
    assert len(found) == len(rows)


def test_a_period_is_whole_days_and_the_one_before_ends_where_it_begins(spark: SparkSession) -> None:
    session = {"session_id": "s", "anonymous_id": "a1", "platform": "web", "is_bot": False}
    sessions = [{**session, "event_date": _at(days).date(), "start_at": _at(days)} for days in (0, 7)]
    nothing = (frame(spark, []), frame(spark, [], PAGE_VIEWS), frame(spark, [], IDENTITIES))
    rows = rows_of(period_people(frame(spark, sessions, SESSIONS), *nothing, AS_OF))
    found = {(row["from_date"], row["to_date"]) for row in rows if row["period"] == "7 days"}
    assert found == {(dt.date(2026, 2, 24), AS_OF), (dt.date(2026, 2, 17), dt.date(2026, 2, 23))}
    months = {(row["from_date"], row["to_date"]) for row in rows if row["period"] == "month"}
    assert (dt.date(2026, 2, 1), dt.date(2026, 2, 28)) in months
