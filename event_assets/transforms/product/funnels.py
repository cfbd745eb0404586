"""Funnels: how many people go from step to step, and how long they take. How steps are walked is in walks.py.

As in PostHog (https://posthog.com/docs/product-analytics/funnels), but that each person has one try, which all rows
follow from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.rules.funnel import Exclusion, Touch
from event_assets.rules.question import Period, Weekday
from event_assets.transforms.product.breakdowns import ALL, few
from event_assets.transforms.product.matching import as_step
from event_assets.transforms.product.periods import period_number, period_start
from event_assets.transforms.product.walks import Order, best_tries

_MOST_BINS, _EMPTY_WIDTH = 60, 60
_SECOND = 1_000_000


def funnel(
    events: DataFrame,
    steps: Sequence[str | Step],
    *,
    within: dt.timedelta = dt.timedelta(days=14),
    order: Order = "ordered",
    exclusions: Sequence[Exclusion] = (),
    breakdown: str | Sequence[str] | None = None,
    breakdown_values: int = 10,
    breakdown_of: Touch = 1,
) -> DataFrame:
    """How many persons reach each step, in the columns of `FUNNELS` without `analysis`.

    `events` have `person_id`, `event`, `event_id`, `derived_at` and `properties`, and whatever columns the steps and
    the breakdown name. A person's value of the breakdown is that of an event of the try that counts (see walks.py); the
    most frequent `breakdown_values` are kept. Of unordered steps the nth row is of those who had any n of them.

    >>> funnel(events, ["signup", Step("purchase", {"plan": "pro"})], within=dt.timedelta(days=7)).show()
    """
    fields = [breakdown] if isinstance(breakdown, str) else list(breakdown or ())
    tries = best_tries(
        events, steps, within=within, order=order, exclusions=exclusions, breakdown=fields, breakdown_of=breakdown_of
    )
    if fields:
        tries = few(tries, breakdown_values)
    count = len(steps)
    titles = [f"{k + 1} of {count} steps" if order == "unordered" else as_step(s).title for k, s in enumerate(steps)]
    return _counted(tries, titles)


def funnel_trend(
    events: DataFrame,
    steps: Sequence[str | Step],
    *,
    within: dt.timedelta = dt.timedelta(days=14),
    order: Order = "ordered",
    exclusions: Sequence[Exclusion] = (),
    interval: Period = "day",
    week_starts: Weekday = "sunday",
) -> DataFrame:
    """Who begins the funnel in each period and who of them comes to its end, in the columns of `FUNNEL_TRENDS` without
    `analysis`: of each person and period the best try that begins in it. A period in which nobody begins has no row.

    `events` as of `funnel`; where they have `shown_at`, periods go by it.

    >>> funnel_trend(events, ["signup", "purchase"], interval="week").show()
    """
    told = F.col("shown_at" if "shown_at" in events.columns else "derived_at")
    number = period_number(told, interval, week_starts)
    tries = best_tries(events, steps, within=within, order=order, exclusions=exclusions, period=number)
    ends = (F.col("reached") == len(steps)).cast("long")
    return (
        tries.groupBy("_period")
        .agg(F.count(F.lit(1)).alias("people"), F.sum(ends).alias("converted"))
        .select(
            period_start(F.col("_period"), interval, week_starts).alias("period_start"),
            "people",
            "converted",
            (F.col("converted") / F.col("people")).alias("conversion"),
        )
    )


def times_to_convert(
    events: DataFrame,
    steps: Sequence[str | Step],
    *,
    within: dt.timedelta = dt.timedelta(days=14),
    order: Order = "ordered",
    exclusions: Sequence[Exclusion] = (),
    from_step: int = 1,
    to_step: int | None = None,
    bins: int | None = None,
) -> DataFrame:
    """How many persons take how long from one step to another, in the columns of `TIMES_TO_CONVERT` without `analysis`.

    As PostHog has it: as many bins as the cube root of the persons, 60 at most, unless `bins` are said; each as wide as
    a whole number of seconds that holds all times, and one more for the longest. Nobody is no row.

    >>> times_to_convert(events, ["signup", "purchase"], bins=20).orderBy("bin").show()
    """
    tries = best_tries(events, steps, within=within, order=order, exclusions=exclusions)
    took = F.col(f"t{(to_step or len(steps)) - 1}") - F.col(f"t{from_step - 1}")
    taken = tries.select(took.alias("_took")).where(F.col("_took").isNotNull())
    people, first, last = F.count(F.lit(1)), F.min("_took"), F.max("_took")
    edges = taken.agg(
        people.alias("_people"),
        (F.floor(first / _SECOND)).cast("long").alias("_first"),
        (F.ceil(last / _SECOND)).cast("long").alias("_last"),
    ).where("_people > 0")
    smaller = F.filter(F.sequence(F.lit(0), F.lit(_MOST_BINS - 1)), lambda b: b * b * b < F.col("_people"))
    edges = edges.withColumn("_bins", F.size(smaller) if bins is None else F.lit(bins))
    width = F.ceil((F.col("_last") - F.col("_first")) / F.col("_bins")).cast("long")
    grid = edges.withColumn("_width", F.when(width > 0, width).otherwise(F.lit(_EMPTY_WIDTH)))
    all_bins = grid.select("_first", "_width", F.explode(F.sequence(F.lit(0), F.col("_bins"))).alias("bin"))
    place = F.floor((F.col("_took") / _SECOND - F.col("_first")) / F.col("_width")).cast("int")
    counted = taken.crossJoin(grid).groupBy(place.alias("bin")).agg(F.count(F.lit(1)).alias("people"))
    begin = F.col("_first") + F.col("bin") * F.col("_width")
    return (
        all_bins.join(counted, "bin", "left")
        .fillna(0, ["people"])
        .select(
            "bin",
            begin.cast("double").alias("from_seconds"),
            (begin + F.col("_width")).cast("double").alias("to_seconds"),
            "people",
        )
    )


def _counted(tries: DataFrame, titles: Sequence[str]) -> DataFrame:
    values = F.array_compact(F.array(F.lit(ALL), F.col("value")))
    measures: list[Column] = []
    for k in range(len(titles)):
        took = F.col(f"t{k}") - F.col(f"t{k - 1}") if k else F.lit(None).cast("long")
        measures += [
            F.sum((F.col("reached") > k).cast("long")).alias(f"_people{k}"),
            # Summed as whole numbers, whose sum is the same in any order.
            (F.sum(took) / F.nullif(F.count(took), F.lit(0)) / 1e6).alias(f"_mean{k}"),
            (F.median(took) / 1e6).alias(f"_median{k}"),
        ]
    wide = tries.withColumn("breakdown", F.explode(values)).groupBy("breakdown").agg(*measures)
    return wide.select("breakdown", F.explode(F.array(*_rows(titles))).alias("row")).select("breakdown", "row.*")


def _rows(titles: Sequence[str]) -> list[Column]:
    return [
        F.struct(
            F.lit(k + 1).alias("step"),
            F.lit(title).alias("step_name"),
            F.col(f"_people{k}").alias("people"),
            _share(f"_people{k}", "_people0").alias("conversion"),
            _share(f"_people{k}", f"_people{max(k - 1, 0)}").alias("step_conversion"),
            F.col(f"_mean{k}").alias("mean_seconds"),
            F.col(f"_median{k}").alias("median_seconds"),
        )
        for k, title in enumerate(titles)
    ]


def _share(part: str, whole: str) -> Column:
    return F.when(F.col(whole) > 0, F.col(part) / F.col(whole))
