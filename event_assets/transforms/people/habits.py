"""How visitors behave: numbers by which a robot that does not say so differs from people. One row a visitor.

Numbers are quotients of whole numbers, so that no order of rows gives others. What is unusual of them is told in
models/outliers.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.transforms.affected import is_one_of

HABITS = (
    "seconds_between_views",
    "evenness",
    "views_in_sequence",
    "engaged_views",
    "busiest_hour",
    "hours_of_a_day",
    "conversions_a_day",
    "accounts",
)
"""The habits, each a column that is null where too little is known of it."""
LEAST_ACTIONS = 10
"""Who did less is not judged."""
_PAUSE = 1_800_000_000
"""Microseconds: what is further apart is another visit, and no pace."""
_LEAST_GAPS, _LEAST_ALIKE = 9, 20
"""Of fewer times there is no mean; among fewer some are alike by chance."""
_SCALE = 1_000
"""Logarithms are whole thousandths: their sums are exact."""
_ALIKE = 500
"""Logarithms that lie so close are of times that are alike."""
_SUMS = ("n", "sum")
_VIEWS = ("page_view", "screen_view")
_PING = "page_ping"


def habits(events: DataFrame, conversion_events: Sequence[str]) -> DataFrame:
    """The visitors (`anonymous_id`) of enriched events who did enough, robots that say so left out: `first_at`,
    `last_at`, `actions` (events but pings), and `HABITS`.

    - `seconds_between_views`: the geometric mean of the times between views of one visit;
    - `evenness`: the largest share of the times between events of one name that are alike: as long as each other, or
      up to 1.65 times as long;
    - `views_in_sequence`: the share of views whose number in the URL follows that of the view before;
    - `engaged_views`: pings a view, of pages;
    - `busiest_hour`: actions in the hour with most;
    - `hours_of_a_day`: hours with an action in the day with most;
    - `conversions_a_day`: conversions in the day with most;
    - `accounts`: user ids that were used.
    """
    theirs = events.where(F.col("anonymous_id").isNotNull() & ~F.col("is_bot"))
    acts = theirs.where(F.col("event") != _PING)
    enough = _totals(theirs).where(F.col("actions") >= LEAST_ACTIONS)
    parts = (enough, _hours(acts, conversion_events), _sequences(acts), _paces(acts))
    joined = reduce(lambda one, other: one.join(other, "anonymous_id", "left"), parts)
    return joined.select("anonymous_id", "first_at", "last_at", "actions", *HABITS)


def _paces(acts: DataFrame) -> DataFrame:
    """Times between events of one name."""
    in_time = Window.partitionBy("anonymous_id", "event").orderBy("derived_at", "event_id")
    at = F.unix_micros("derived_at")
    gaps = acts.select("anonymous_id", "event", (at - F.lag(at).over(in_time)).alias("gap"))
    logs = gaps.where((F.col("gap") > 0) & (F.col("gap") <= _PAUSE)).select(
        "anonymous_id", "event", F.round(F.log("gap") * _SCALE).cast("long").alias("log")
    )
    step = F.floor(F.col("log") / (_ALIKE // 2)).cast("long")
    by_step = logs.groupBy("anonymous_id", "event", step.alias("step")).agg(
        F.count(F.lit(1)).alias("n"), F.sum("log").alias("sum")
    )
    # Each time is in two ranges that overlap by half, so that those that are alike are in one together.
    ranges = by_step.withColumn("range", F.explode(F.array(F.col("step"), F.col("step") + 1)))
    in_range = ranges.groupBy("anonymous_id", "event", "range").agg(
        F.sum("n").alias("alike"), *(F.sum(F.when(F.col("range") == F.col("step"), F.col(n))).alias(n) for n in _SUMS)
    )
    by_name = in_range.groupBy("anonymous_id", "event").agg(
        F.max("alike").alias("alike"), *(F.sum(name).alias(name) for name in _SUMS)
    )
    is_view = is_one_of("event", _VIEWS)
    views, logs_of_views = (F.sum(F.when(is_view, F.col(name))).cast("double") for name in _SUMS)
    pace = F.round(F.exp(logs_of_views / views / _SCALE) / 1_000_000, 3)
    share = F.when(F.col("n") >= _LEAST_ALIKE, F.col("alike").cast("double") / F.col("n").cast("double"))
    return by_name.groupBy("anonymous_id").agg(
        F.when(views >= _LEAST_GAPS, pace).alias("seconds_between_views"), F.max(share).alias("evenness")
    )


def _sequences(acts: DataFrame) -> DataFrame:
    """Views of numbered pages, such as `?page=7` and `/items/7`."""
    number = F.regexp_extract(F.coalesce("page_url", F.lit("")), r"([0-9]{1,9})[^0-9]*$", 1)
    views = acts.where(F.col("event") == "page_view").select(
        "anonymous_id", "derived_at", "event_id", F.when(number != "", number.cast("long")).alias("number")
    )
    in_time = Window.partitionBy("anonymous_id").orderBy("derived_at", "event_id")
    follows = F.coalesce(F.col("number") == F.lag("number").over(in_time) + 1, F.lit(False))
    counted = views.select("anonymous_id", follows.cast("long").alias("follows"))
    return counted.groupBy("anonymous_id").agg(_share(F.sum("follows"), F.count(F.lit(1))).alias("views_in_sequence"))


def _hours(acts: DataFrame, conversion_events: Sequence[str]) -> DataFrame:
    """The hour and the day with most."""
    hour = F.date_trunc("hour", F.col("derived_at"))
    converts = is_one_of("event", conversion_events).cast("long")
    hourly = acts.groupBy("anonymous_id", F.to_date("derived_at").alias("day"), hour.alias("hour")).agg(
        F.count(F.lit(1)).alias("actions"), F.sum(converts).alias("conversions")
    )
    daily = hourly.groupBy("anonymous_id", "day").agg(
        F.max("actions").alias("actions"), F.count(F.lit(1)).alias("hours"), F.sum("conversions").alias("conversions")
    )
    most = {"busiest_hour": "actions", "hours_of_a_day": "hours", "conversions_a_day": "conversions"}
    return daily.groupBy("anonymous_id").agg(*(F.max(of).cast("double").alias(name) for name, of in most.items()))


def _totals(theirs: DataFrame) -> DataFrame:
    pings, views = (F.sum((F.col("event") == name).cast("long")) for name in (_PING, "page_view"))
    return theirs.groupBy("anonymous_id").agg(
        F.min("derived_at").alias("first_at"),
        F.max("derived_at").alias("last_at"),
        F.sum((F.col("event") != _PING).cast("long")).alias("actions"),
        _share(pings, views).alias("engaged_views"),
        F.count_distinct("user_id").cast("double").alias("accounts"),
    )


def _share(some: Column, of: Column) -> Column:
    return F.when(of >= LEAST_ACTIONS, some.cast("double") / of.cast("double"))
