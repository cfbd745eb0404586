"""Metrics over sessions from the mart of their days: sums of whole days, and of the day that goes on the sessions
themselves, so that a period costs as many rows as it has days and dimensions. What does not add up is not read here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from psycopg import sql

from event_assets.contract.tables.metrics import DAILY_SESSIONS
from event_assets.dashboards.selection import Selection, Span
from event_assets.dashboards.source import Source
from event_assets.dashboards.sql import Query, conditions, day_of, value_of
from event_assets.rules.dashboard import Average, Count, Dashboard, Metric, Range, Ratio, ShareWhere, Sum
from event_assets.rules.dashboard import Source as Asked

_FACTS, _MART = "fct_sessions", "agg_daily_sessions"
_SUMMED = ("events", "page_views", "engaged_seconds", "conversions", "revenue")
_COUNTED: Mapping[str, str] = {
    "sessions": "1",
    "engaged_sessions": "CASE WHEN is_engaged THEN 1 ELSE 0 END",
    "bounces": "CASE WHEN is_bounce THEN 1 ELSE 0 END",
    "converting_sessions": "CASE WHEN conversions > 0 THEN 1 ELSE 0 END",
}
_MEASURES: Mapping[str, str] = {**_COUNTED, **{name: name for name in _SUMMED}}
"""The mart's measures, each as what one session adds to it."""
_SHARES: Sequence[tuple[object, str]] = (
    ({"is_engaged": True}, "engaged_sessions"),
    ({"is_bounce": True}, "bounces"),
    ({"conversions": Range(at_least=1)}, "converting_sessions"),
)
_DAY = dt.timedelta(days=1)


def adds_up(dashboard: Dashboard, name: str) -> bool:
    """Whether the mart's sums say the metric."""
    return _is_of_sessions(dashboard.source_of(name)) and _expression(dashboard, dashboard.metrics[name]) is not None


def is_there(source: Source, asked: Asked, selection: Selection, span: Span, by: str = "") -> bool:
    """Whether the mart has these dimensions, and is loaded for each whole day of the span that has sessions."""
    named = [by, *(name for name, values in selection.values.items() if values and name in asked.dimensions)]
    if selection.segments or not all(name in DAILY_SESSIONS.column_names for name in named if name):
        return False
    whole = span.whole
    if not _is_of_sessions(asked) or whole is None:
        return False
    loads = sql.Identifier(source.database.schema, "_loads")
    query = sql.SQL(
        "SELECT count(*), count(mart.partition_date) FROM {0} AS facts LEFT JOIN {0} AS mart ON mart.table_name = {1} "
        "AND mart.partition_date = facts.partition_date WHERE facts.table_name = {2} AND facts.rows > 0 "
        "AND facts.partition_date BETWEEN %s AND %s"
    ).format(loads, sql.Literal(_MART), sql.Literal(_FACTS))
    beside = dt.timedelta(days=span.spread)
    for days, in_mart in source.ask_rows(query, (whole.days[0] - beside, whole.days[-1] + beside)):
        return bool(days and days == in_mart)
    return False


def totals(dashboard: Dashboard, schema: str, metrics: Sequence[str], selection: Selection, span: Span) -> Query:
    """As `sql.totals`."""
    return _query(dashboard, schema, metrics, selection, span)


def by_day(dashboard: Dashboard, schema: str, metrics: Sequence[str], selection: Selection, span: Span) -> Query:
    """As `sql.by_day`."""
    made = _query(dashboard, schema, metrics, selection, span, day_of(_mart(dashboard.source_of(metrics[0])), span))
    return Query(made.text + sql.SQL(" GROUP BY 1 ORDER BY 1"), made.values)


def by_dimension(
    dashboard: Dashboard, schema: str, metrics: Sequence[str], by: str, selection: Selection, span: Span, most: int
) -> Query:
    """As `sql.by_dimension`."""
    made = _query(dashboard, schema, metrics, selection, span, value_of(by))
    order = sql.SQL(" GROUP BY 1 ORDER BY 2 DESC NULLS LAST, 1 LIMIT {}").format(sql.Literal(most))
    return Query(made.text + order, made.values)


def _is_of_sessions(asked: Asked) -> bool:
    return (asked.table, asked.time, asked.robots) == (_FACTS, "start_at", "is_bot")


def _query(
    dashboard: Dashboard,
    schema: str,
    metrics: Sequence[str],
    selection: Selection,
    span: Span,
    key: sql.Composable | None = None,
) -> Query:
    asked = dashboard.source_of(metrics[0])
    mart = _mart(asked)
    first = [] if key is None else [sql.SQL("{} AS key").format(key)]
    parts, values = [], []
    for part, of, measures in ((span.whole, mart, dict.fromkeys(_MEASURES)), (span.rest, asked, _MEASURES)):
        if part is None:
            continue
        told = [
            sql.SQL("{} AS {}").format(sql.SQL(said) if said else sql.Identifier(name), sql.Identifier(name))
            for name, said in measures.items()
        ]
        where = list(conditions(of, schema, selection, part))
        parts.append(
            sql.SQL("SELECT {} FROM {} WHERE {}").format(
                sql.SQL(", ").join([*first, *told]),
                sql.Identifier(schema, of.table),
                sql.SQL(" AND ").join(condition for condition, _ in where),
            )
        )
        values += [value for _, bound in where for value in bound]
    columns: list[sql.Composable] = [] if key is None else [sql.Identifier("key")]
    columns += [_expression(dashboard, dashboard.metrics[name]) or sql.NULL for name in metrics]
    rows = sql.SQL(" UNION ALL ").join(parts)
    return Query(sql.SQL("SELECT {} FROM ({}) AS days").format(sql.SQL(", ").join(columns), rows), tuple(values))


def _mart(asked: Asked) -> Asked:
    shared = {name: title for name, title in asked.dimensions.items() if name in DAILY_SESSIONS.column_names}
    return Asked(table=_MART, time="event_date", robots="is_bot", dimensions=shared)


def _expression(dashboard: Dashboard, metric: Metric) -> sql.Composable | None:
    """The metric as an aggregate over the mart's measures; None where they do not say it."""
    if metric.where:
        return None
    match metric:
        case Count():
            return sql.SQL("CAST(coalesce(sum(sessions), 0) AS bigint)")
        case Sum() if metric.column in _SUMMED:
            return sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier(metric.column))
        case Average() if metric.column in _SUMMED:
            return _share(metric.column)
        case ShareWhere():
            return next((_share(name) for condition, name in _SHARES if metric.condition == condition), None)
        case Ratio():
            over, under = (_expression(dashboard, dashboard.metrics[n]) for n in (metric.numerator, metric.denominator))
            return over and under and sql.SQL("CAST({} AS double precision) / nullif({}, 0)").format(over, under)
    return None


def _share(measure: str) -> sql.Composed:
    return sql.SQL("CAST(sum({}) AS double precision) / nullif(sum(sessions), 0)").format(sql.Identifier(measure))
