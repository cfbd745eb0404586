"""The metrics that are watched, by day or hour and value of each dimension: what anomalies are looked for in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.rules.anomalies import PERIODS, TIMES, Anomalies, Dimension, Metric, Of

EVERYTHING = ("all", "(all)")
"""Dimension and value of everything together."""
SERIES = (
    "metric STRING, dimension STRING, value STRING, period STRING, period_start TIMESTAMP, amount DOUBLE, whole DOUBLE"
)
"""The columns of series: `whole` is what a rate is of, else null."""


def metric_series(table: Of, rows: DataFrame, rules: Anomalies) -> DataFrame | None:
    """The days or hours of the metrics of one table, in the columns of `SERIES`, robots left out if the rules say
    so. None where no metric is of that table.

    One pass over the rows serves all metrics. One in which nothing of a value is there has no row.
    """
    metrics = {name: metric for name, metric in rules.metrics.items() if metric.table == table}
    if not metrics:
        return None
    people = rows if rules.robots or "is_bot" not in rows.columns else rows.where(~F.col("is_bot"))
    wanted = {dimension for metric in metrics.values() for dimension in rules.dimensions_of(metric)}
    places = F.array(_place(*map(F.lit, EVERYTHING)), *(_place(F.lit(name), F.col(name)) for name in sorted(wanted)))
    placed = people.withColumn("place", F.explode(places))
    sums = [each for name, metric in metrics.items() for each in _sums(name, metric)]
    begins = F.expr(TIMES[table]).cast("timestamp").alias("period_start")
    by_step = placed.groupBy(begins, "place.dimension", "place.value").agg(*sums)
    told = F.explode(F.array(*(_told(name, metric, rules) for name, metric in metrics.items())))
    exploded = by_step.select("period_start", "dimension", "value", told.alias("told"))
    period = F.lit(PERIODS[table]).alias("period")
    named = exploded.select(
        "told.metric", "dimension", "value", period, "period_start", "told.amount", "told.whole", "told.by"
    )
    watched = F.array_contains("by", F.col("dimension")) & ((F.col("amount") != 0) | F.col("whole").isNotNull())
    return named.where(watched).drop("by")


def _place(dimension: Column, value: Column) -> Column:
    return F.struct(dimension.alias("dimension"), value.alias("value"))


def _sums(name: str, metric: Metric) -> Iterator[Column]:
    yield _sum(metric.sum, metric.where).alias(f"{name}_amount")
    if metric.of is not None:
        yield _sum(metric.of, metric.of_where).alias(f"{name}_whole")


def _sum(column: str, where: Mapping[Dimension, tuple[str, ...]]) -> Column:
    counted = F.col(column).cast("double")
    for dimension, values in where.items():
        counted = F.when(F.col(dimension).isin(list(values)), counted)
    return F.coalesce(F.sum(counted), F.lit(0.0))


def _told(name: str, metric: Metric, rules: Anomalies) -> Column:
    whole = F.col(f"{name}_whole") if metric.of is not None else F.lit(None).cast("double")
    by = F.array(*map(F.lit, (EVERYTHING[0], *rules.dimensions_of(metric))))
    return F.struct(
        F.lit(name).alias("metric"), F.col(f"{name}_amount").alias("amount"), whole.alias("whole"), by.alias("by")
    )
