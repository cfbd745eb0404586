"""The metrics of a day and platform: what they must be, and the lines that say whether they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from event_assets.settings import Settings
from event_assets.verification.evidence import Evidence
from event_assets.verification.history import History, conversions
from event_assets.verification.report import Expectation, Key, Values, differing, equal

MEASURES = (
    "events",
    "page_views",
    "sessions",
    "visitors",
    "known_users",
    "engaged_sessions",
    "bounces",
    "engaged_seconds",
    "conversions",
    "revenue",
)
_ADD_UP = ("events", "page_views", "sessions", "conversions", "revenue")


def metrics_lines(evidence: Evidence, history: History, settings: Settings) -> Iterator[Expectation]:
    """Lines about daily_metrics. Events and conversions follow from the truth, the others from sessions and views."""
    expected = _expected(evidence, history, settings)
    names = ", ".join(("event_date", "platform", *MEASURES))
    found = evidence.rows(f"SELECT {names} FROM lake_daily_metrics")
    for name in _ADD_UP:
        place = MEASURES.index(name)
        wanted, actual = sum(row[place] for row in expected.values()), sum(row[2 + place] for row in found)
        yield equal("daily_metrics", f"{name.replace('_', ' ')} of all days", wanted, actual)
    rows: list[tuple[Key, Values]] = [(row[:2], row[2:]) for row in found]
    yield differing("daily_metrics", "days and platforms that say something else", expected, rows)


def _expected(evidence: Evidence, history: History, settings: Settings) -> dict[Key, Values]:
    days: dict[Key, dict[str, Any]] = defaultdict(lambda: {**dict.fromkeys(MEASURES, 0), "revenue": 0.0})
    place = {}
    for event in history.events:
        place[event.event_id] = (event.date, event.platform)
        if not event.is_bot:
            day = days[event.date, event.platform]
            day["events"] += 1
    for event in conversions(history, settings):
        if not event.is_bot:
            day = days[event.date, event.platform]
            day["conversions"] += 1
            day["revenue"] += event.revenue
    for (event_id,) in evidence.rows("SELECT event_id FROM lake_page_views WHERE NOT is_bot"):
        if event_id in place:
            days[place[event_id]]["page_views"] += 1
    sessions = evidence.rows(
        """
        SELECT event_date, platform, count(*), count(DISTINCT coalesce(anonymous_id, user_id)),
               count(DISTINCT user_id), sum(is_engaged), sum(is_bounce), sum(engaged_seconds)
        FROM lake_sessions WHERE NOT is_bot GROUP BY 1, 2
        """
    )
    for date, platform, *counts in sessions:
        days[date, platform].update(zip(MEASURES[2:8], counts, strict=True))
    return {key: tuple(day[name] for name in MEASURES) for key, day in days.items()}
