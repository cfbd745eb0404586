"""A metric as an expression of QuickSight: the same cases as the SQL in `dashboards/sql.py`, of the same metric.

Booleans are 1 and 0 in data sets, and every row has `row_count`, which is 1.
"""

from __future__ import annotations

from typing import Any

from event_assets.rules.dashboard import (
    Average,
    Count,
    CountDistinct,
    Dashboard,
    Percentile,
    Range,
    Ratio,
    ShareWhere,
    Sum,
    Where,
)

ROW = "row_count"
"""The column that is 1 in each row."""


def expression(dashboard: Dashboard, name: str) -> str:
    """The metric as an aggregate."""
    metric = dashboard.metrics[name]
    match metric:
        case Ratio():
            over, under = (expression(dashboard, part) for part in (metric.numerator, metric.denominator))
            return f"ifelse({under} = 0, NULL, {over} / {under})"
        case Count():
            return f"count({_where_so(metric.where, field(ROW))})"
        case CountDistinct():
            return f"distinct_count({_where_so(metric.where, field(metric.column))})"
        case Sum():
            return f"coalesce(sum({_where_so(metric.where, field(metric.column))}), 0)"
        case Average():
            return f"avg({_where_so(metric.where, field(metric.column))})"
        case ShareWhere():
            return f"avg({_where_so(metric.where, f'ifelse({_all_of(metric.condition)}, 1.0, 0.0)')})"
        case Percentile():
            value = _where_so(metric.where, field(metric.column))
            return f"percentileCont({value}, {metric.share * 100:.10g})"


def field(name: str) -> str:
    """A column."""
    return f"{{{name}}}"


def literal(value: Any) -> str:
    """A constant: texts in the quotes that they do not have, booleans as numbers."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return f"{value:.17g}" if isinstance(value, float) else str(value)
    text = str(value).replace("\\", "\\\\")
    return f'"{text}"' if '"' not in text else "'" + text.replace("'", "\\'") + "'"


def _where_so(where: Where, value: str) -> str:
    return f"ifelse({_all_of(where)}, {value}, NULL)" if where else value


def _all_of(where: Where) -> str:
    return " AND ".join(f"({_condition(field(name), told)})" for name, told in where.items()) or "1 = 1"


def _condition(column: str, told: Any) -> str:
    if isinstance(told, Range):
        sides = ((">=", told.at_least), ("<=", told.at_most))
        parts = [f"{column} {sign} {literal(bound)}" for sign, bound in sides if bound is not None]
        return " AND ".join(parts) or f"isNotNull({column})"
    if isinstance(told, list):
        return f"in({column}, [{', '.join(map(literal, told))}])" if told else "1 = 0"
    return f"{column} = {literal(told)}"
