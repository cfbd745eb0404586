"""Trends: how often events happen, how many people have them, what a property of theirs sums up to, by period.

The measures are those of PostHog: https://posthog.com/docs/product-analytics/trends/aggregations. Values of breakdowns
are ranked by the events of all series together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.rules.formula import parsed, worked_out
from event_assets.rules.question import Period, Weekday
from event_assets.rules.trends import Formula, Series
from event_assets.transforms.money import amount, as_double, total
from event_assets.transforms.product.breakdowns import ALL, few, value_of
from event_assets.transforms.product.matching import matches, number_of, text_of
from event_assets.transforms.product.periods import period_number, period_start
from event_assets.transforms.product.spans import NOW


def trends(
    events: DataFrame,
    series: Sequence[Series],
    formulas: Sequence[Formula] = (),
    *,
    interval: Period = "day",
    week_starts: Weekday = "sunday",
    breakdown: Sequence[str] = (),
    breakdown_values: int = 10,
) -> DataFrame:
    """The measures by period and value of the breakdown, in the columns of `TRENDS` without `analysis`.

    `events` have `person_id`, `event`, `derived_at` and `properties`, and what series and breakdown name; those with a
    column `span` that is not `now` are held against the others, whose most frequent values count. There is a
    row for each series and formula in each period and value that has events of any series: counts and sums are 0 there
    where a series has none, other measures null; so is a formula of which a part is null, or divides by 0.

    >>> trends(events, [Series(event="purchase", measure="sum", of="price")], interval="week").show()
    """
    flags = [matches(each, events.columns).alias(f"_is{k}") for k, each in enumerate(series)]
    values = [_value(each, events.columns).alias(f"_v{k}") for k, each in enumerate(series)]
    number = period_number(F.col("derived_at"), interval, week_starts).alias("_period")
    span = F.col("span") if "span" in events.columns else F.lit(NOW).alias("span")
    counted = events.select(
        "person_id", span, number, value_of(breakdown, events.columns).alias("value"), *flags, *values
    )
    counted = counted.where(reduce(or_, (F.col(f"_is{k}") for k in range(len(series)))))
    if breakdown:
        counted = few(counted, breakdown_values, counted.where(F.col("span") == NOW))
    parts = F.array_compact(F.array(F.lit(ALL), F.col("value")))
    by_period = (
        counted.withColumn("breakdown", F.explode(parts))
        .groupBy("span", "breakdown", "_period")
        .agg(*(_measured(each, k).alias(f"_s{k}") for k, each in enumerate(series)))
    )
    rows = F.explode(F.array(*_rows(series, formulas))).alias("row")
    start = period_start(F.col("_period"), interval, week_starts).alias("period_start")
    return by_period.select("span", "breakdown", start, rows).select("span", "breakdown", "period_start", "row.*")


def _value(series: Series, columns: Sequence[str]) -> Column:
    """The property that is measured, as a number."""
    if series.of is None:
        return F.lit(None).cast("double")
    value = number_of(text_of(series.of, columns))
    return F.when(F.abs(value) < F.lit(float("inf")), value)


def _measured(series: Series, k: int) -> Column:
    is_one, value = F.col(f"_is{k}"), F.when(F.col(f"_is{k}"), F.col(f"_v{k}"))
    count = F.sum(is_one.cast("long")).cast("double")
    people = F.countDistinct(F.when(is_one, F.col("person_id")))
    match series.measure:
        case "count":
            return count
        case "people":
            return people.cast("double")
        case "per_person":
            of_people = F.sum((is_one & F.col("person_id").isNotNull()).cast("long")).cast("double")
            return of_people / F.nullif(people, F.lit(0))
        case "sum":
            return total(amount(value))
        case "avg":
            exact = amount(value)
            return as_double(F.sum(exact)) / F.nullif(F.count(exact), F.lit(0))
        case "min":
            return F.min(value)
        case "max":
            return F.max(value)
        case "percentile":
            return F.percentile(value, series.share)


def _rows(series: Sequence[Series], formulas: Sequence[Formula]) -> list[Column]:
    letters = {each.letter(k): F.col(f"_s{k}") for k, each in enumerate(series)}
    rows = [
        _row(k, letter, series[k].measure, series[k].title, value) for k, (letter, value) in enumerate(letters.items())
    ]
    for k, each in enumerate(formulas, len(series)):
        value = worked_out(parsed(each.formula), letters, lambda n: F.lit(float(n)), _divided)
        rows.append(_row(k, None, "formula", each.title, value))
    return rows


def _divided(left: Column, right: Column) -> Column:
    return left / F.nullif(right, F.lit(0.0))


def _row(k: int, letter: str | None, measure: str, title: str, value: Column) -> Column:
    return F.struct(
        F.lit(k + 1).alias("series"),
        F.lit(letter).cast("string").alias("letter"),
        F.lit(measure).alias("measure"),
        F.lit(title).alias("series_name"),
        value.cast("double").alias("value"),
    )
