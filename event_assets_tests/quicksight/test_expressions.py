"""A metric is one thing, said in SQL and to QuickSight."""

from __future__ import annotations

import re

import pytest

from event_assets.dashboards.sql import NONE
from event_assets.dashboards.sql import expression as sql_expression
from event_assets.quicksight.data_sets import NO_VALUE
from event_assets.quicksight.expressions import expression, literal
from event_assets.rules.dashboard import Dashboard


@pytest.mark.parametrize(
    ("metric", "as_sql", "said"),
    [
        ("sessions", "count(1)", "count({row_count})"),
        (
            "mobile",
            "count(CASE WHEN (\"device_type\" IN ('mobile', 'tablet')) THEN 1 END)",
            'count(ifelse((in({device_type}, ["mobile", "tablet"])), {row_count}, NULL))',
        ),
        ("people", 'count(DISTINCT "person_id")', "distinct_count({person_id})"),
        ("revenue", 'coalesce(sum("revenue"), 0)', "coalesce(sum({revenue}), 0)"),
        ("time", 'avg(CAST("engaged_seconds" AS double precision))', "avg({engaged_seconds})"),
        (
            "conversion",
            'avg(CASE WHEN ("conversions" >= 1.0) AND ("is_bounce" = false) THEN 1.0 ELSE 0.0 END)',
            "avg(ifelse(({conversions} >= 1) AND ({is_bounce} = 0), 1.0, 0.0))",
        ),
        (
            "per_session",
            'CAST(coalesce(sum("revenue"), 0) AS double precision) / nullif(count(1), 0)',
            "ifelse(count({row_count}) = 0, NULL, coalesce(sum({revenue}), 0) / count({row_count}))",
        ),
        (
            "long",
            "percentile_cont(0.9) WITHIN GROUP (ORDER BY CASE WHEN (\"os\" = 'iOS') THEN "
            'CAST("absolute_seconds" AS double precision) END)',
            'percentileCont(ifelse(({os} = "iOS"), {absolute_seconds}, NULL), 90)',
        ),
    ],
)
def test_a_metric_is_the_same_in_sql_and_in_quicksight(
    every_kind: Dashboard, metric: str, as_sql: str, said: str
) -> None:
    assert sql_expression(every_kind, metric).as_string(None) == as_sql
    assert expression(every_kind, metric) == said
    named = {name for name in re.findall(r"\{(\w+)\}", said) if name != "row_count"}
    assert named == set(re.findall(r'"(\w+)"', as_sql))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "1"),
        (3, "3"),
        (0.5, "0.5"),
        ("it's", '"it\'s"'),
        ('say "hi"', "'say \"hi\"'"),
        ("both \"'", "'both \"\\''"),
        ("a\\b", '"a\\\\b"'),
    ],
)
def test_constants_keep_their_quotes(value: object, said: str) -> None:
    assert literal(value) == said


def test_no_value_reads_as_on_our_own_pages() -> None:
    assert NO_VALUE == NONE
