"""Funnels: how many people go from step to step, and how long they take.

From every event of the first step the walk goes to the next event of the second, from there to the next of the third,
and so on, as long as no more than the window has passed since the start. Of a person's tries the furthest counts, the
earliest of these on ties. One event is one step of a try at the most. Events of the same instant count in the order of
the steps, whatever order they came in; where one of several could be this or that step, they share the steps out. Of
strict steps nothing parts two but an event of an instant without a step: which of one instant came first is not known.

It is done in windows that run once over each person's events in order, so a person with millions of events costs no
more memory than others: of the walks from an event of step k, the earliest times of all later steps are the least over
the events of step k + 1 that follow it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import reduce
from operator import add, or_
from typing import Literal

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.transforms.product.matching import NONE, as_step, text_of
from event_assets.transforms.product.placing import HERE, flags, following, marked, placed

ALL, OTHER = "(all)", "(other)"
_MICROSECOND = dt.timedelta(microseconds=1)


def funnel(
    events: DataFrame,
    steps: Sequence[str | Step],
    *,
    within: dt.timedelta = dt.timedelta(days=14),
    order: Literal["ordered", "strict"] = "ordered",
    breakdown: str | None = None,
    breakdown_values: int = 10,
) -> DataFrame:
    """How many persons reach each step, in the columns of `FUNNELS` without `analysis`.

    `events` have `person_id`, `event`, `event_id`, `derived_at` and `properties`, and whatever columns the steps and
    the breakdown name. Strict: each step is the person's very next event after the one before it. A person's value of
    the breakdown is that of the first event of the try that counts; the most frequent `breakdown_values` are kept.

    >>> funnel(events, ["signup", Step("purchase", {"plan": "pro"})], within=dt.timedelta(days=7)).show()
    """
    wanted = [as_step(step) for step in steps]
    tries = best_tries(events, wanted, within=within, order=order, breakdown=breakdown)
    if breakdown is not None:
        tries = _few_values(tries, breakdown_values)
    return _counted(tries, wanted)


def best_tries(
    events: DataFrame,
    steps: Sequence[str | Step],
    *,
    within: dt.timedelta,
    order: Literal["ordered", "strict"] = "ordered",
    breakdown: str | None = None,
) -> DataFrame:
    """The try of each person that counts: `person_id`, `value` of the breakdown (null without one), `reached` (steps),
    and `t0 t1 …`, the times of the steps in microseconds, null for those that were not reached.

    >>> best_tries(events, ["signup", "purchase"], within=dt.timedelta(days=7)).where("reached = 2").show()
    """
    value = (
        F.lit(None).cast("string") if breakdown is None else F.coalesce(text_of(breakdown, events.columns), F.lit(NONE))
    )
    candidates = marked(events, steps, value.alias("value"))
    is_step = reduce(or_, flags(len(steps)))
    if order == "strict":
        at_once = Window.partitionBy("person_id", "_at")
        candidates = candidates.withColumn("_kept", is_step | ~F.max(is_step).over(at_once)).where("_kept")
    else:
        candidates = candidates.where(is_step)
    in_order = placed(candidates.drop("_kept"), steps)
    walk = _walk if order == "ordered" else _strict_walk
    window = within // _MICROSECOND
    return _furthest(walk(in_order, len(steps)).where("_is0"), len(steps), window)


def _walk(events: DataFrame, count: int) -> DataFrame:
    """With `t1 t2 …`: when the walk from this event, taken as the first step, is at each later step."""
    later_ones = following()
    for k in reversed(range(1, count)):
        here = {k: F.col("_at"), **{later: F.col(f"t{later}") for later in range(k + 1, count)}}
        events = events.select(
            "person_id",
            "value",
            *HERE,
            *flags(count),
            *(_least_of(k, time, later_ones).alias(f"t{j}") for j, time in here.items()),
        )
    return events


def _least_of(step: int, time: Column, later_ones: WindowSpec) -> Column:
    return F.min(F.when(F.col(f"_is{step}"), time)).over(later_ones)


def _strict_walk(events: DataFrame, count: int) -> DataFrame:
    """The same where each step must be the very next event."""
    person = Window.partitionBy("person_id").orderBy(*HERE)
    time: dict[str, Column] = {}
    goes_on: Column = F.lit(True)
    for k in range(1, count):
        goes_on = goes_on & F.coalesce(F.lead(f"_is{k}", k).over(person), F.lit(False))
        time[f"t{k}"] = F.when(goes_on, F.lead("_at", k).over(person))
    return events.withColumns(time)


def _furthest(walks: DataFrame, count: int, window: int) -> DataFrame:
    times = {f"t{k}": F.when(F.col(f"t{k}") - F.col("_at") <= window, F.col(f"t{k}")) for k in range(1, count)}
    reached = reduce(add, (F.col(name).isNotNull().cast("int") for name in times), F.lit(1))
    person = Window.partitionBy("person_id").orderBy(F.desc("reached"), *HERE)
    return (
        walks.withColumns(times)
        .withColumn("reached", reached)
        .withColumn("_rank", F.row_number().over(person))
        .where("_rank = 1")
        .select("person_id", "value", "reached", F.col("_at").alias("t0"), *times)
    )


def _few_values(tries: DataFrame, most: int) -> DataFrame:
    """The tries with all but the most frequent values of the breakdown put together, and what looks like everybody."""
    frequent = (
        tries.groupBy("value")
        .agg(F.count(F.lit(1)).alias("_people"))
        .orderBy(F.desc("_people"), "value")
        .limit(most)
        .select("value", F.lit(True).alias("_kept"))
    )
    kept = F.when(F.col("_kept") & (F.col("value") != ALL), F.col("value")).otherwise(F.lit(OTHER))
    return tries.join(frequent, "value", "left").withColumn("value", kept).drop("_kept")


def _counted(tries: DataFrame, steps: Sequence[Step]) -> DataFrame:
    values = F.array_compact(F.array(F.lit(ALL), F.col("value")))
    measures: list[Column] = []
    for k in range(len(steps)):
        took = F.col(f"t{k}") - F.col(f"t{k - 1}") if k else F.lit(None).cast("long")
        measures += [
            F.sum((F.col("reached") > k).cast("long")).alias(f"_people{k}"),
            # Summed as whole numbers, whose sum is the same in any order.
            (F.sum(took) / F.nullif(F.count(took), F.lit(0)) / 1e6).alias(f"_mean{k}"),
            (F.median(took) / 1e6).alias(f"_median{k}"),
        ]
    wide = tries.withColumn("breakdown", F.explode(values)).groupBy("breakdown").agg(*measures)
    return wide.select("breakdown", F.explode(F.array(*_rows(steps))).alias("row")).select("breakdown", "row.*")


def _rows(steps: Sequence[Step]) -> list[Column]:
    return [
        F.struct(
            F.lit(k + 1).alias("step"),
            F.lit(step.title).alias("step_name"),
            F.col(f"_people{k}").alias("people"),
            _share(f"_people{k}", "_people0").alias("conversion"),
            _share(f"_people{k}", f"_people{max(k - 1, 0)}").alias("step_conversion"),
            F.col(f"_mean{k}").alias("mean_seconds"),
            F.col(f"_median{k}").alias("median_seconds"),
        )
        for k, step in enumerate(steps)
    ]


def _share(part: str, whole: str) -> Column:
    return F.when(F.col(whole) > 0, F.col(part) / F.col(whole))
