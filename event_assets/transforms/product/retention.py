"""Retention: of those who did something in a period, how many come back in each period after it."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.rules.question import Period, Weekday
from event_assets.transforms.product.breakdowns import ALL, few, value_of
from event_assets.transforms.product.matching import all_or_matching
from event_assets.transforms.product.periods import period_number, period_start
from event_assets.transforms.product.spans import NOW, Span, with_span

_COHORT = ("span", "breakdown", "_cohort", "_shown")
"""What tells cohorts apart: the last is the period at which one is shown."""


def retention(
    events: DataFrame,
    target: str | Step | None = None,
    returning: str | Step | None = None,
    *,
    period: Period = "week",
    periods: int = 12,
    first_time: bool = False,
    week_starts: Weekday = "sunday",
    rolling: bool = False,
    minimum_occurrences: int = 1,
    breakdown: Sequence[str] = (),
    breakdown_values: int = 10,
    span: Span | None = None,
    compare: bool = False,
) -> DataFrame:
    """The retention table, in the columns of `RETENTION` without `analysis`.

    `events` have `person_id`, `event`, `event_id`, `derived_at` and `properties`, and what the breakdown names; where
    they have `shown_at`, periods go by it. Cohort i is who did the target (any event, where
    none is given) in period i, or with `first_time` for the first time ever in period i. Cell j is those of them with a
    returning event (the target, where none is given) in period i + j, or with `rolling` in that or any later one; with
    `minimum_occurrences` of them in one period at least. Cell 0 is the cohort itself. There is a row for
    every cohort that has people, and each of its `periods` cells as far as time has come, to the last event of all.

    A person's value of the breakdown is that of their first target event in the cohort's period; the `breakdown_values`
    most frequent are kept. Of a span there are the cohorts whose period has a day of it, and with `compare` those of as
    many periods before (see spans.py): which cells they have is not changed by it.

    >>> retention(events, "signup", "page_view", period="week", periods=8, first_time=True).show()
    """
    number = period_number(F.col("shown_at" if "shown_at" in events.columns else "derived_at"), period, week_starts)
    now = events.select(F.max(number).alias("_now"))
    value = value_of(breakdown, events.columns)
    active = _active(events, target, returning or target, number, value, minimum_occurrences)
    cohorts = with_span(
        _cohorts(active, first_time), "_cohort", span, period=period, week_starts=week_starts, compare=compare
    )
    if breakdown:
        cohorts = few(cohorts, breakdown_values, cohorts.where(F.col("span") == NOW))
    cohorts = cohorts.withColumn("breakdown", F.explode(F.array_compact(F.array(F.lit(ALL), F.col("value")))))
    sizes = _sizes(cohorts)
    returned = (_came_back_ever if rolling else _came_back)(cohorts, active, periods)
    return (
        _grid(sizes, now, periods)
        .join(sizes.unionByName(returned), [*_COHORT, "period"], "left")
        .join(sizes.select(*_COHORT, F.col("people").alias("cohort_people")), list(_COHORT))
        .fillna(0, ["people"])
        .select(
            "span",
            "breakdown",
            period_start(F.col("_shown"), period, week_starts).alias("cohort_start"),
            "period",
            "people",
            "cohort_people",
            (F.col("people") / F.col("cohort_people")).alias("share"),
        )
    )


def _active(
    events: DataFrame,
    target: str | Step | None,
    returning: str | Step | None,
    number: Column,
    value: Column,
    least: int,
) -> DataFrame:
    """The periods of each person in which there was a target event, with the value of the first of them, or at least so
    many returning ones."""
    first = F.min(F.when(F.col("_target"), F.struct("_at", "event_id", "value")))
    return (
        events.where(F.col("person_id").isNotNull())
        .select(
            "person_id",
            "event_id",
            F.unix_micros("derived_at").alias("_at"),
            number.alias("_period"),
            value.alias("value"),
            all_or_matching(events, target).alias("_target"),
            all_or_matching(events, returning).alias("_returning"),
        )
        .where(F.col("_target") | F.col("_returning"))
        .groupBy("person_id", "_period")
        .agg(
            F.max("_target").alias("_target"),
            (F.sum(F.col("_returning").cast("int")) >= least).alias("_returning"),
            first.getField("value").alias("value"),
        )
    )


def _cohorts(active: DataFrame, first_time: bool) -> DataFrame:
    targets = active.where("_target").select("person_id", F.col("_period").alias("_cohort"), "value")
    if not first_time:
        return targets
    first = targets.groupBy("person_id").agg(F.min(F.struct("_cohort", "value")).alias("_first"))
    return first.select("person_id", "_first._cohort", "_first.value")


def _sizes(cohorts: DataFrame) -> DataFrame:
    return cohorts.groupBy(*_COHORT).agg(F.count(F.lit(1)).alias("people")).select(*_COHORT, _cell(0), "people")


def _came_back(cohorts: DataFrame, active: DataFrame, periods: int) -> DataFrame:
    """The cells after the first, as far as anybody came back: each person is asked for in just these periods."""
    if periods == 1:
        return _sizes(cohorts).where(F.lit(False))
    asked = cohorts.withColumn("period", F.explode(F.sequence(F.lit(1), F.lit(periods - 1))))
    returned = active.where("_returning").select("person_id", "_period")
    return (
        asked.withColumn("_period", F.col("_cohort") + F.col("period"))
        .join(returned, ["person_id", "_period"], "left_semi")
        .groupBy(*_COHORT, "period")
        .agg(F.count(F.lit(1)).alias("people"))
    )


def _came_back_ever(cohorts: DataFrame, active: DataFrame, periods: int) -> DataFrame:
    """The same where whoever comes back counts in all periods up to that one."""
    last = active.where("_returning").groupBy("person_id").agg(F.max("_period").alias("_last"))
    most = F.least(F.lit(periods - 1), (F.col("_last") - F.col("_cohort")).cast("int"))
    asked = cohorts.join(last, "person_id").withColumn("_most", most).where("_most > 0")
    cells = asked.withColumn("period", F.explode(F.sequence(F.lit(1), F.col("_most"))))
    return cells.groupBy(*_COHORT, "period").agg(F.count(F.lit(1)).alias("people"))


def _grid(sizes: DataFrame, now: DataFrame, periods: int) -> DataFrame:
    cells = F.sequence(F.lit(0), F.least(F.lit(periods - 1), (F.col("_now") - F.col("_cohort")).cast("int")))
    return sizes.select(*_COHORT).crossJoin(now).select(*_COHORT, F.explode(cells).alias("period"))


def _cell(number: int) -> Column:
    return F.lit(number).alias("period")
