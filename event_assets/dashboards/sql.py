"""The SQL of metrics: one text that PostgreSQL and Amazon Redshift both take, made of what a dashboard file says.

Names and constants of the file are quoted by psycopg's composition, what a visitor chose is bound. Nothing is run here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from psycopg import sql

from event_assets.dashboards.selection import DEFAULT_MODEL, Selection, Span
from event_assets.rules.dashboard import (
    Average,
    Count,
    CountDistinct,
    Dashboard,
    Metric,
    Percentile,
    Range,
    Ratio,
    ShareWhere,
    Source,
    Sum,
    Where,
)

NONE = "(none)"
"""How a dimension without a value is shown, and chosen."""


class Query(NamedTuple):
    """A statement and its bound values."""

    text: sql.Composed
    values: tuple[Any, ...]


def totals(dashboard: Dashboard, schema: str, metrics: Sequence[str], selection: Selection, span: Span) -> Query:
    """One row: the metrics over the span. They are over one table."""
    if (counted := _counted(dashboard, metrics)) is not None:
        found = _rows(dashboard.source_of(metrics[0]), schema, selection, span, [counted], "SELECT DISTINCT {}")
        return Query(sql.SQL("SELECT count(value) FROM ({}) AS found").format(found.text), found.values)
    return _query(dashboard, schema, metrics, selection, span, ())


def by_day(dashboard: Dashboard, schema: str, metrics: Sequence[str], selection: Selection, span: Span) -> Query:
    """A row a day that has any: the day, then the metrics."""
    source = dashboard.source_of(metrics[0])
    if (counted := _counted(dashboard, metrics)) is not None:
        day = sql.SQL("{} AS day").format(day_of(source, span))
        found = _rows(source, schema, selection, span, [day, counted], "SELECT DISTINCT {}")
        made = Query(sql.SQL("SELECT day, count(value) FROM ({}) AS found").format(found.text), found.values)
    else:
        made = _query(dashboard, schema, metrics, selection, span, (day_of(source, span),))
    return Query(made.text + sql.SQL(" GROUP BY 1 ORDER BY 1"), made.values)


def by_dimension(
    dashboard: Dashboard, schema: str, metrics: Sequence[str], by: str, selection: Selection, span: Span, most: int
) -> Query:
    """A row a value of the dimension: the value, then the metrics; those with the most of the first metric."""
    made = _query(dashboard, schema, metrics, selection, span, (value_of(by),))
    order = sql.SQL(" GROUP BY 1 ORDER BY 2 DESC NULLS LAST, 1 LIMIT {}").format(sql.Literal(most))
    return Query(made.text + order, made.values)


def by_dimensions(
    dashboard: Dashboard, schema: str, metric: str, by: Sequence[str], selection: Selection, span: Span, most: int
) -> Query:
    """What `by_dimension` says of each of these dimensions, of rows that are read once: the dimension's place in `by`
    before the value and the metric. The metric must be one that `adds_row_by_row`."""
    keys = [sql.Identifier(f"_key_{place}") for place in range(len(by))]
    named = [sql.SQL("{} AS {}").format(value_of(name), key) for name, key in zip(by, keys, strict=True)]
    rows = _rows(dashboard.source_of(metric), schema, selection, span, [sql.SQL("*"), *named])
    place = sql.SQL(" ").join(
        sql.SQL("WHEN grouping({}) = 0 THEN {}").format(key, sql.Literal(place)) for place, key in enumerate(keys)
    )
    text = sql.SQL(
        "SELECT dimension, value, metric FROM (SELECT dimension, value, metric, row_number() OVER (PARTITION BY "
        "dimension ORDER BY metric DESC NULLS LAST, value) AS place FROM (SELECT CASE {} END AS dimension, "
        "coalesce({}) AS value, {} AS metric FROM ({}) AS found GROUP BY GROUPING SETS ({})) AS counted) AS ordered "
        "WHERE place <= {} ORDER BY dimension, place"
    ).format(
        place,
        sql.SQL(", ").join(keys),
        expression(dashboard, metric),
        rows.text,
        sql.SQL(", ").join(sql.SQL("({})").format(key) for key in keys),
        sql.Literal(most),
    )
    return Query(text, rows.values)


def adds_row_by_row(dashboard: Dashboard, name: str) -> bool:
    """Whether a database makes the metric row by row: what it has to sort all rows for is dear in several groupings."""
    metric = dashboard.metrics[name]
    if isinstance(metric, Ratio):
        return all(adds_row_by_row(dashboard, part) for part in (metric.numerator, metric.denominator))
    return not isinstance(metric, CountDistinct | Percentile)


def expression(dashboard: Dashboard, name: str) -> sql.Composed:
    """The metric as an aggregate."""
    return _expression(dashboard, dashboard.metrics[name])


def _query(
    dashboard: Dashboard,
    schema: str,
    metrics: Sequence[str],
    selection: Selection,
    span: Span,
    first: Sequence[sql.Composable],
) -> Query:
    columns = [*first, *(expression(dashboard, name) for name in metrics)]
    return _rows(dashboard.source_of(metrics[0]), schema, selection, span, columns)


def _counted(dashboard: Dashboard, metrics: Sequence[str]) -> sql.Composed | None:
    """The values that are counted where nothing but the different ones of a column are: those are found
    first and then counted, since `count(DISTINCT …)` sorts all rows."""
    metric = dashboard.metrics[metrics[0]]
    if len(metrics) > 1 or not isinstance(metric, CountDistinct):
        return None
    return sql.SQL("{} AS value").format(_where_so(metric.where, sql.Identifier(metric.column)))


def _rows(
    source: Source,
    schema: str,
    selection: Selection,
    span: Span,
    columns: Sequence[sql.Composable],
    select: Literal["SELECT {}", "SELECT DISTINCT {}"] = "SELECT {}",
) -> Query:
    """These columns of the rows of a span."""
    where = list(conditions(source, schema, selection, span))
    text = sql.SQL("{} FROM {} WHERE {}").format(
        sql.SQL(select).format(sql.SQL(", ").join(columns)),
        sql.Identifier(schema, source.table),
        sql.SQL(" AND ").join(condition for condition, _ in where),
    )
    return Query(text, tuple(value for _, values in where for value in values))


def _expression(dashboard: Dashboard, metric: Metric) -> sql.Composed:
    match metric:
        case Ratio():
            over, under = (expression(dashboard, name) for name in (metric.numerator, metric.denominator))
            return sql.SQL("CAST({} AS double precision) / nullif({}, 0)").format(over, under)
        case Count():
            return sql.SQL("count({})").format(_where_so(metric.where, sql.SQL("1")))
        case CountDistinct():
            return sql.SQL("count(DISTINCT {})").format(_where_so(metric.where, sql.Identifier(metric.column)))
        case Sum():
            return sql.SQL("coalesce(sum({}), 0)").format(_where_so(metric.where, sql.Identifier(metric.column)))
        case Average():
            value = sql.SQL("CAST({} AS double precision)").format(sql.Identifier(metric.column))
            return sql.SQL("avg({})").format(_where_so(metric.where, value))
        case ShareWhere():
            one = sql.SQL("CASE WHEN {} THEN 1.0 ELSE 0.0 END").format(_all_of(metric.condition))
            return sql.SQL("avg({})").format(_where_so(metric.where, one))
        case Percentile():
            value = sql.SQL("CAST({} AS double precision)").format(sql.Identifier(metric.column))
            return sql.SQL("percentile_cont({}) WITHIN GROUP (ORDER BY {})").format(
                sql.Literal(metric.share), _where_so(metric.where, value)
            )


def _where_so(where: Where, value: sql.Composable) -> sql.Composable:
    """The value in the rows that the metric is about; null in others."""
    return sql.SQL("CASE WHEN {} THEN {} END").format(_all_of(where), value) if where else value


def _all_of(where: Where) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("({})").format(_condition(name, told)) for name, told in where.items())


def _condition(name: str, told: Any) -> sql.Composable:
    column = sql.Identifier(name)
    if isinstance(told, Range):
        sides: tuple[tuple[Literal[">=", "<="], float | None], ...] = ((">=", told.at_least), ("<=", told.at_most))
        parts = [
            sql.SQL(f"{{}} {sign} {{}}").format(column, sql.Literal(bound))
            for sign, bound in sides
            if bound is not None
        ]
        return sql.SQL(" AND ").join(parts) if parts else sql.SQL("{} IS NOT NULL").format(column)
    if isinstance(told, list):
        return sql.SQL("{} IN ({})").format(column, sql.SQL(", ").join(map(sql.Literal, told)))
    return sql.SQL("{} = {}").format(column, sql.Literal(told))


def conditions(
    source: Source, schema: str, selection: Selection, span: Span
) -> Iterable[tuple[sql.Composable, tuple[Any, ...]]]:
    """What the span and the filters leave of a table's rows: conditions, each with its bound values."""
    yield from _times(source, span)
    if source.robots and selection.robots != "with":
        yield sql.SQL("{} = {}").format(sql.Identifier(source.robots), sql.Literal(selection.robots == "only")), ()
    if source.model:
        yield sql.SQL("{} = %s").format(sql.Identifier(source.model)), (selection.model,)
    for name, values in selection.values.items():
        if values and name in source.dimensions:
            yield sql.SQL("{} IN ({})").format(value_of(name), _places(len(values))), values
    if source.person and selection.segments:
        yield (
            sql.SQL("{} IN (SELECT person_id FROM {} WHERE is_current AND segment IN ({}))").format(
                sql.Identifier(source.person),
                sql.Identifier(schema, "dim_segment_memberships"),
                _places(len(selection.segments)),
            ),
            selection.segments,
        )


def _times(source: Source, span: Span) -> Iterable[tuple[sql.Composable, tuple[Any, ...]]]:
    first, last = span.days[0], span.days[-1]
    if partition := source.warehouse_table.partition_by:  # what its rows are found by, in index or sort order
        beside = dt.timedelta(days=span.spread)
        yield sql.SQL("{} BETWEEN %s AND %s").format(sql.Identifier(partition)), (first - beside, last + beside)
    has_site_date = _goes_by_site_date(source, span)
    if has_site_date or (source.is_by_day and source.time != partition):
        yield sql.SQL("{} BETWEEN %s AND %s").format(day_of(source, span)), (first, last)
    if source.is_by_day:
        return
    moment = sql.Identifier(source.time)
    if not has_site_date:
        yield sql.SQL("{0} >= %s AND {0} < %s").format(moment), (span.first, span.until)
    elif not span.is_of_whole_days:
        yield sql.SQL("{} < %s").format(moment), (span.until,)


def day_of(source: Source, span: Span) -> sql.Composable:
    """The day of a row by the clock of its site."""
    if _goes_by_site_date(source, span):  # rows of before it was kept were made in UTC
        return sql.SQL("coalesce(site_date, {})").format(sql.Identifier(source.warehouse_table.partition_by))
    if source.is_by_day:
        return sql.Identifier(source.time)
    if span.spread and isinstance(span.first.tzinfo, ZoneInfo):
        zone = sql.Literal(span.first.tzinfo.key)
        return sql.SQL("CAST({} AT TIME ZONE {} AS date)").format(sql.Identifier(source.time), zone)
    return sql.SQL("CAST({} AS date)").format(sql.Identifier(source.time))


def _goes_by_site_date(source: Source, span: Span) -> bool:
    """Whether sites have other days than UTC's, and the table says of which of them a row is."""
    table = source.warehouse_table
    return bool(span.spread and table.partition_by and "site_date" in table.columns)


def value_of(dimension: str) -> sql.Composed:
    """A dimension as it is shown and chosen."""
    return sql.SQL("coalesce({}, {})").format(sql.Identifier(dimension), sql.Literal(NONE))


def _places(count: int) -> sql.Composed:
    return sql.SQL(", ").join([sql.Placeholder()] * count)


def without_effect(source: Source, selection: Selection) -> list[str]:
    """The chosen filters that this table cannot be filtered by."""
    names = [name for name, values in selection.values.items() if values and name not in source.dimensions]
    if selection.segments and not source.person:
        names.append("segment")
    if selection.robots != "without" and not source.robots:
        names.append("robots")
    if selection.model != DEFAULT_MODEL and not source.model:
        names.append("model")
    return names


def moment_of(now: dt.datetime) -> dt.datetime:
    """Now, to the minute: what is asked again within it is the same question."""
    return now.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
