"""Stickiness: in how many of the periods people come."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.rules.question import Period, Weekday
from event_assets.transforms.product.matching import all_or_matching
from event_assets.transforms.product.periods import period_number


def stickiness(
    events: DataFrame, event: str | Step | None = None, *, period: Period = "day", week_starts: Weekday = "sunday"
) -> DataFrame:
    """Persons by how many periods they are active in, in the columns of `STICKINESS` without `analysis`.

    `events` have `person_id`, `event`, `derived_at` and `properties`. Active is who has an event (`event`, where one is
    given) in the period. There is a row for every number from 1 to the most that anybody has, and none where nobody is
    active.

    >>> stickiness(events, "page_view", period="week").orderBy("periods").show()
    """
    number = period_number(F.col("derived_at"), period, week_starts)
    active = (
        events.where(F.col("person_id").isNotNull() & all_or_matching(events, event))
        .select("person_id", number.alias("_period"))
        .distinct()
    )
    of_people = active.groupBy("person_id").agg(F.count(F.lit(1)).cast("int").alias("periods"))
    counted = of_people.groupBy("periods").agg(F.count(F.lit(1)).alias("people"))
    most = counted.select(F.max("periods").alias("_most")).where(F.col("_most").isNotNull())
    everybody = F.sum("people").over(Window.partitionBy(F.lit(0)))
    return (
        most.select(F.explode(F.sequence(F.lit(1), F.col("_most"))).alias("periods"))
        .join(counted, "periods", "left")
        .fillna(0, ["people"])
        .withColumn("_everybody", everybody)
        .select("periods", "people", (F.col("people") / F.col("_everybody")).alias("share"))
    )
