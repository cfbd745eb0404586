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
    names = ", ".join(("event_date", "site_date", "platform", *MEASURES))
    found = evidence.rows(f"SELECT {names} FROM lake_daily_metrics")
    for name in _ADD_UP:
        place = MEASURES.index(name)
        wanted, actual = sum(row[place] for row in expected.values()), sum(row[3 + place] for row in found)
        yield equal("daily_metrics", f"{name.replace('_', ' ')} of all days", wanted, actual)
    rows: list[tuple[Key, Values]] = [(row[:3], row[3:]) for row in found]
    yield differing("daily_metrics", "days and platforms that say something else", expected, rows)


def _expected(evidence: Evidence, history: History, settings: Settings) -> dict[Key, Values]:
    days: dict[Key, dict[str, Any]] = defaultdict(lambda: {**dict.fromkeys(MEASURES, 0), "revenue": 0.0})
    place = {}
    for event in history.events:
        place[event.event_id] = (event.date, event.site_date, event.platform)
        if not event.is_bot:
            day = days[event.date, event.site_date, event.platform]
            day["events"] += 1
    for event in conversions(history, settings):
        if not event.is_bot:
            day = days[event.date, event.site_date, event.platform]
            day["conversions"] += 1
            day["revenue"] += event.revenue
    for (event_id,) in evidence.rows("SELECT event_id FROM lake_page_views WHERE NOT is_bot"):
        if event_id in place:
            days[place[event_id]]["page_views"] += 1
    sessions = evidence.rows(
        """
        SELECT event_date, site_date(start_at, app_id), platform, coalesce(anonymous_id, user_id), user_id,
               is_engaged, is_bounce, engaged_seconds
        FROM lake_sessions WHERE NOT is_bot ORDER BY event_date
        """
    )
    seen: set[tuple[str, ...]] = set()
    for date, site_date, platform, visitor, user, *counts in sessions:
        day = days[date, site_date, platform]
        day["sessions"] += 1
        for measure, who in (("visitors", visitor), ("known_users", user)):
            day[measure] += who is not None and (measure, site_date, platform, who) not in seen
            seen.add((measure, site_date, platform, who))
        for measure, count in zip(MEASURES[5:8], counts, strict=True):
            day[measure] += count
    return {key: tuple(day[name] for name in MEASURES) for key, day in days.items()}
