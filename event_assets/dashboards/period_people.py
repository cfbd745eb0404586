"""People of whole preset periods and days from the mart that has them: counting them anew is the dearest question of a
page, and no sum of days gives them. What the mart does not say is counted by the caller; so is what takes no time to
count, since the mart is made in pauses and may be behind the sessions beside it.
"""

from __future__ import annotations

import datetime as dt

from psycopg import sql

from event_assets.dashboards.selection import Selection, Span
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import CountDistinct, Dashboard

_PERIODS = {"7d": "7 days", "28d": "28 days", "90d": "90 days", "month": "month"}
_WHOLE, _ALL = "all", "(all)"
_WEEK, _DAYS = dt.timedelta(days=7), 180
"""How many days up to the last one the mart has."""
COUNTED_ROWS = 250_000
"""Sessions in the warehouse up to which people are counted anew."""


def is_in_mart(dashboard: Dashboard, name: str) -> bool:
    """Whether the metric is what the mart counts: people with a session that began in the period."""
    metric, asked = dashboard.metrics[name], dashboard.source_of(name)
    return (
        isinstance(metric, CountDistinct)
        and not metric.where
        and asked.table == "fct_sessions"
        and metric.column == asked.person == "person_id"
        and asked.time == "start_at"
        and asked.robots == "is_bot"
    )


def people_of(source: Source, selection: Selection) -> int | None:
    """The people of the selection's period; None where the mart does not say it."""
    chosen = _chosen(selection)
    return people_by(source, selection, chosen[0]).get(chosen[1]) if chosen else None


def people_by(source: Source, selection: Selection, dimension: str) -> dict[str, int]:
    """The people of the selection's period by value of a dimension, whatever values are chosen; empty where the mart
    does not say it."""
    period = _PERIODS.get(selection.period)
    if period is None or not _is_said(source, selection):
        return {}
    query = sql.SQL("SELECT value, people FROM {} WHERE period = %s AND from_date = %s AND dimension = %s").format(
        sql.Identifier(source.database.schema, "agg_period_people")
    )
    first = source.span(selection).first.date()
    return dict(source.ask_rows(query, (period, first, dimension)))


def people_by_day(source: Source, selection: Selection, span: Span) -> dict[dt.date, int] | None:
    """The people of each of the span's days that are over, where it has any; None where the mart does not say it."""
    chosen, today = _chosen(selection), source.span(selection).days[-1]
    first, last = span.days[0], (span.until - dt.timedelta(days=1)).date()
    if not chosen or not _is_said(source, selection) or first <= today - dt.timedelta(days=_DAYS):
        return None
    mart = sql.Identifier(source.database.schema, "agg_period_people")
    of_today = sql.SQL("SELECT 1 FROM {} WHERE period = %s AND from_date = %s LIMIT 1").format(mart)
    if not source.ask_rows(of_today, ("7 days", today - _WEEK + dt.timedelta(days=1))):
        return None  # it was made before today began, and may have but a part of yesterday
    query = sql.SQL(
        "SELECT from_date, people FROM {} WHERE period = 'day' AND from_date BETWEEN %s AND %s AND dimension = %s AND "
        "value = %s"
    ).format(mart)
    return dict(source.ask_rows(query, (first, last, *chosen)))


def _chosen(selection: Selection) -> tuple[str, str] | None:
    """The dimension and value of the mart that the filters ask for; None where they ask for several."""
    chosen = [(name, value) for name, values in selection.values.items() for value in values]
    return None if len(chosen) > 1 else chosen[0] if chosen else (_WHOLE, _ALL)


def _is_said(source: Source, selection: Selection) -> bool:
    """Whether the mart is asked, for whom it counts."""
    return not selection.segments and selection.robots == "without" and not _are_few(source)


def _are_few(source: Source) -> bool:
    """Whether the sessions are soon counted, by the record of how many are loaded."""
    query = sql.SQL("SELECT coalesce(sum(rows), 0) FROM {} WHERE table_name = 'fct_sessions'").format(
        sql.Identifier(source.database.schema, "_loads")
    )
    rows = source.ask_rows(query)
    return not rows or rows[0][0] <= COUNTED_ROWS
