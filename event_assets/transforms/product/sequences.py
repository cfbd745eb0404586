"""Sequences: events of a person one after the other, with whatever between them.

For each event of the first step, the earliest end of a walk through all steps, each within its window after the one
before. Done backwards, in windows that run once over each person's events: among the events of a step, a later one
never ends earlier, so from any event the way leads over the next one that has an end, or there is none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.rules.segment import Next
from event_assets.transforms.product.placing import HERE, flags, following, marked, placed

_MICROSECOND = dt.timedelta(microseconds=1)


def sequence_spans(events: DataFrame, steps: Sequence[Next]) -> DataFrame:
    """`person_id`, `began_at` and `ended_at` in microseconds: of each first step from which the sequence was gone
    through, and its earliest end.

    `events` have `person_id`, `event`, `event_id`, `derived_at` and `properties`, and what the steps name. One event is
    one step at the most; those of the same instant count in the order of the steps (see placing.py).
    """
    count = len(steps)
    candidates = marked(events, steps).where(reduce(or_, flags(count)))
    walked = placed(candidates, steps).withColumn("_end", F.when(F.col(f"_is{count - 1}"), F.col("_at")))
    later = following()
    for k in reversed(range(count - 1)):
        window = steps[k + 1].window
        next_at = F.min(F.when(F.col("_end").isNotNull(), F.col("_at"))).over(later)
        end = F.min("_end").over(later)
        found = walked.select("person_id", *HERE, *flags(k + 1), next_at.alias("_next"), end.alias("_end"))
        walked = found.withColumn("_end", F.when(F.col(f"_is{k}") & _is_within(window), F.col("_end")))
    return walked.where(F.col("_end").isNotNull()).select(
        "person_id", F.col("_at").alias("began_at"), F.col("_end").alias("ended_at")
    )


def _is_within(window: dt.timedelta | None) -> Column:
    if window is None:
        return F.lit(True)
    return F.col("_next") - F.col("_at") <= window // _MICROSECOND
