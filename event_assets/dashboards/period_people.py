"""People of a whole preset period from the mart that has them: counting them anew is the dearest question of a page,
and no sum of days gives them. What the mart does not say is counted by the caller; so is what takes no time to count,
since the mart is made in pauses and may be behind the sessions beside it.
"""

from __future__ import annotations

from psycopg import sql

from event_assets.dashboards.selection import Selection
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import CountDistinct, Dashboard

_PERIODS = {"7d": "7 days", "28d": "28 days", "90d": "90 days", "month": "month"}
_WHOLE, _ALL = "all", "(all)"
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
    chosen = [(name, values) for name, values in selection.values.items() if values]
    if len(chosen) > 1 or any(len(values) > 1 for _, values in chosen):
        return None
    dimension, value = (chosen[0][0], chosen[0][1][0]) if chosen else (_WHOLE, _ALL)
    return people_by(source, selection, dimension).get(value)


def people_by(source: Source, selection: Selection, dimension: str) -> dict[str, int]:
    """The people of the selection's period by value of a dimension, whatever values are chosen; empty where the mart
    does not say it."""
    period = _PERIODS.get(selection.period)
    if period is None or selection.segments or selection.robots != "without" or _are_few(source):
        return {}
    query = sql.SQL("SELECT value, people FROM {} WHERE period = %s AND from_date = %s AND dimension = %s").format(
        sql.Identifier(source.database.schema, "agg_period_people")
    )
    first = source.span(selection).first.date()
    return dict(source.ask_rows(query, (period, first, dimension)))


def _are_few(source: Source) -> bool:
    """Whether the sessions are soon counted, by the record of how many are loaded."""
    query = sql.SQL("SELECT coalesce(sum(rows), 0) FROM {} WHERE table_name = 'fct_sessions'").format(
        sql.Identifier(source.database.schema, "_loads")
    )
    rows = source.ask_rows(query)
    return not rows or rows[0][0] <= COUNTED_ROWS
