"""Walks through the steps of a funnel: of each person the try that counts.

From every event of the first step the walk goes to the next event of the second, from there to the next of the third,
and so on, as long as no more than the window has passed since the start. Of a person's tries the furthest counts, the
earliest of these on ties. One event is one step of a try at the most. Events of the same instant count in the order of
the steps, whatever order they came in; where one of several could be this or that step, they share the steps out. Of
strict steps nothing parts two but an event of an instant without a step: which of one instant came first is not known.
Of unordered steps a try begins with any of them, and has those that have an event within the window; an event is every
step that it could be.

It is done in windows that run once over each person's events in order, so a person with millions of events costs no
more memory than others: of the walks from an event of step k, the earliest times of all later steps are the least over
the events of step k + 1 that follow it. So is the earliest excluded event after a step.
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
from event_assets.rules.funnel import Exclusion, Touch
from event_assets.transforms.product.breakdowns import nothing, value_of
from event_assets.transforms.product.matching import matches
from event_assets.transforms.product.placing import HERE, flags, following, marked, placed

Order = Literal["ordered", "strict", "unordered"]
_MICROSECOND = dt.timedelta(microseconds=1)


def best_tries(
    events: DataFrame,
    steps: Sequence[str | Step],
    *,
    within: dt.timedelta,
    order: Order = "ordered",
    exclusions: Sequence[Exclusion] = (),
    breakdown: Sequence[str] = (),
    breakdown_of: Touch = 1,
    period: Column | None = None,
) -> DataFrame:
    """The try of each person that counts: `person_id`, `value` of the breakdown (null without one), `reached` (steps),
    and `t0 t1 …`, the times of the steps in microseconds, null for those that were not reached.

    A try in which an excluded event lies between its two steps, or within the window after the first of these where
    the other was not reached, does not count. The value is that of the event of a step, or the first or last one that
    is set; `(none)` of a step that was not reached. With a `period` there is a try of each person and period in which
    one begins, and `_period`.

    >>> best_tries(events, ["signup", "purchase"], within=dt.timedelta(days=7)).where("reached = 2").show()
    """
    count, window = len(steps), within // _MICROSECOND
    excluded = [matches(each, events.columns).alias(f"_not{n}") for n, each in enumerate(exclusions)]
    number = (F.lit(0) if period is None else period).alias("_period")
    candidates = marked(events, steps, value_of(breakdown, events.columns).alias("value"), number, *excluded)
    is_step = reduce(or_, flags(count))
    if order == "strict":
        at_once = Window.partitionBy("person_id", "_at")
        candidates = candidates.withColumn("_kept", is_step | ~F.max(is_step).over(at_once)).where("_kept")
    else:
        candidates = candidates.where(reduce(or_, (F.col(f"_not{n}") for n in range(len(exclusions))), is_step))
    in_order = placed(candidates.drop("_kept"), steps)
    if order == "unordered":
        tries = _furthest(_unordered(in_order, count, window), count)
    else:
        walked = _strict_walk(in_order, count) if order == "strict" else _walk(in_order, count, exclusions)
        tries = _furthest(_allowed(_within(walked.where("_is0"), count, window), count, window, exclusions), count)
    if breakdown and breakdown_of != 1:
        tries = _with_value(tries, in_order, count, breakdown_of, order, nothing(len(breakdown)))
    period_column = [] if period is None else ["_period"]
    return tries.select("person_id", "value", "reached", *(f"t{k}" for k in range(count)), *period_column)


def _walk(events: DataFrame, count: int, exclusions: Sequence[Exclusion]) -> DataFrame:
    """With `t1 t2 …`: when the walk from this event, taken as the first step, is at each later step; and `_x0 _x1 …`:
    when the earliest event of each exclusion is after the step that it follows."""
    later_ones = following()
    nots = [F.col(f"_not{n}") for n in range(len(exclusions))]
    columns = [*map(F.col, ("person_id", "value", "_period", *HERE)), *flags(count), *nots]
    for k in reversed(range(count)):
        begins = [F.min(F.when(nots[n], F.col("_at"))).over(later_ones).alias(f"_x{n}") for n in _after(exclusions, k)]
        known = [f"_x{n}" for n, each in enumerate(exclusions) if each.after - 1 > k]
        later = [f"t{j}" for j in range(k + 1, count)]
        events = events.select(*columns, *map(F.col, (*later, *known)), *begins)
        if k:
            here = {f"t{k}": F.col("_at"), **{name: F.col(name) for name in later}}
            here |= {f"_x{n}": F.col(f"_x{n}") for n, each in enumerate(exclusions) if each.after - 1 >= k}
            events = events.select(
                *columns, *(_least_of(k, time, later_ones).alias(name) for name, time in here.items())
            )
    return events


def _after(exclusions: Sequence[Exclusion], step: int) -> list[int]:
    return [n for n, each in enumerate(exclusions) if each.after - 1 == step]


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


def _within(walks: DataFrame, count: int, window: int) -> DataFrame:
    """With `t0` and the times of the steps that were reached in the window, and how many these are."""
    times = {f"t{k}": F.when(F.col(f"t{k}") - F.col("_at") <= window, F.col(f"t{k}")) for k in range(1, count)}
    reached = reduce(add, (F.col(name).isNotNull().cast("int") for name in times), F.lit(1))
    return walks.withColumns({**times, "t0": F.col("_at")}).withColumn("reached", reached)


def _allowed(tries: DataFrame, count: int, window: int, exclusions: Sequence[Exclusion]) -> DataFrame:
    """The tries without those in which an excluded event lies."""
    for n, each in enumerate(exclusions):
        start, end, at = F.col(f"t{each.after - 1}"), F.col(f"t{(each.before or count) - 1}"), F.col(f"_x{n}")
        lies = start.isNotNull() & F.when(end.isNotNull(), at < end).otherwise(at - F.col("t0") <= window)
        tries = tries.where(~F.coalesce(lies, F.lit(False)))
    return tries


def _unordered(events: DataFrame, count: int, window: int) -> DataFrame:
    """Tries from the events of each instant: the times of the steps in the window, in the order of the times."""
    at_once = Window.partitionBy("person_id", "_at")
    nth = F.row_number().over(at_once.orderBy("_id"))
    merged = (
        events.withColumns({f"_is{k}": F.max(flag).over(at_once) for k, flag in enumerate(flags(count))})
        .withColumn("_nth", nth)
        .where("_nth = 1")
    )
    backwards = Window.partitionBy("person_id").orderBy(F.desc("_at"))
    from_here = backwards.rowsBetween(Window.unboundedPreceding, 0)
    nexts = [F.min(F.when(flag, F.col("_at"))).over(from_here) for flag in flags(count)]
    walked = merged.withColumns({f"_n{k}": time for k, time in enumerate(nexts)})
    found = [F.when(F.col(f"_n{k}") - F.col("_at") <= window, F.col(f"_n{k}")) for k in range(count)]
    sorted_ = walked.withColumn("_times", F.array_sort(F.array_compact(F.array(*found))))
    times = {f"t{k}": F.get("_times", F.lit(k)) for k in range(count)}
    return sorted_.withColumns({**times, "reached": F.size("_times")})


def _furthest(tries: DataFrame, count: int) -> DataFrame:
    person = Window.partitionBy("person_id", "_period").orderBy(F.desc("reached"), *HERE)
    return (
        tries.withColumn("_rank", F.row_number().over(person))
        .where("_rank = 1")
        .select("person_id", "_period", "value", "reached", *(f"t{k}" for k in range(count)))
    )


def _with_value(tries: DataFrame, events: DataFrame, count: int, of: Touch, order: Order, is_nothing: str) -> DataFrame:
    """The tries with the value of the event that is a step, or of the first or last whose value is set."""
    wanted = [of - 1] if isinstance(of, int) else range(count)
    first = Window.partitionBy("person_id", "_at").orderBy("_place", "_id")
    for k in wanted:
        is_one = reduce(or_, flags(count)) if order == "unordered" else F.col(f"_is{k}")
        found = events.where(is_one).withColumn("_nth", F.row_number().over(first)).where("_nth = 1")
        values = found.select("person_id", F.col("_at").alias(f"t{k}"), F.col("value").alias(f"_v{k}"))
        tries = tries.join(values, ["person_id", f"t{k}"], "left")
    if isinstance(of, int):
        value = F.coalesce(F.col(f"_v{of - 1}"), F.lit(is_nothing))
    else:
        ordered = list(wanted) if of == "first_touch" else list(reversed(wanted))
        set_ones = (F.when(F.col(f"_v{k}") != is_nothing, F.col(f"_v{k}")) for k in ordered)
        value = F.coalesce(*set_ones, F.lit(is_nothing))
    return tries.withColumn("value", value)
