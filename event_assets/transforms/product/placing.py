"""The events of each person in the order in which steps look at them, for funnels and sequences.

Events of the same instant count in the order of the steps, whatever order they came in; where one of several could be
this or that step, they share the steps out. What is counted is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.transforms.product.matching import as_step, matches

HERE = ("_at", "_place", "_id")
"""What orders the events of a person."""


def marked(events: DataFrame, steps: Sequence[str | Step], *more: Column) -> DataFrame:
    """The events of persons: `_at` in microseconds, `_id`, and `_is0 _is1 …`, which of the steps each could be."""
    flags_of_steps = [matches(step, events.columns).alias(f"_is{k}") for k, step in enumerate(steps)]
    return events.where(F.col("person_id").isNotNull()).select(
        "person_id", F.unix_micros("derived_at").alias("_at"), F.col("event_id").alias("_id"), *more, *flags_of_steps
    )


def flags(count: int) -> list[Column]:
    """The columns that say which of so many steps an event could be."""
    return [F.col(f"_is{k}") for k in range(count)]


def placed(events: DataFrame, steps: Sequence[str | Step]) -> DataFrame:
    """Marked events with `_place`, by which those of the same instant are ordered: which step an event is, then the
    last one that it could be.

    The nth of those that could be the same steps takes the nth of these steps.
    """
    count = len(steps)
    nth: Column = F.lit(1)
    if _may_share(steps):
        same = Window.partitionBy("person_id", "_at", *flags(count)).orderBy("_id")
        events = events.withColumn("_nth", F.row_number().over(same))
        nth = F.least(F.col("_nth"), reduce(add, (flag.cast("int") for flag in flags(count))))
    place: Column = F.lit(count)
    for k in reversed(range(count)):
        so_far = reduce(add, (flag.cast("int") for flag in flags(k + 1)))
        place = F.when(F.col(f"_is{k}") & (so_far == nth), F.lit(k)).otherwise(place)
    last = F.greatest(F.lit(0), *(F.when(flag, F.lit(k)) for k, flag in enumerate(flags(count))))
    return events.withColumn("_place", place * count + last).drop("_nth")


def _may_share(steps: Sequence[str | Step]) -> bool:
    """Whether one event may be several of the steps."""
    names = [name for step in steps for name in {each.event for each in as_step(step).alternatives}]
    return None in names or len(set(names)) < len(names)


def following() -> WindowSpec:
    """All later events of the same person."""
    backwards = Window.partitionBy("person_id").orderBy(*(F.desc(name) for name in HERE))
    return backwards.rowsBetween(Window.unboundedPreceding, -1)
