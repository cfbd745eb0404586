"""Sums of money are exact."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.transforms.money import LARGEST_AMOUNT, MONEY, amount, total

AMOUNTS = st.decimals(-(10**9), 10**9, places=4) | st.decimals(-100, 100, places=2)


def sum_of(spark: SparkSession, amounts: list[float | None]) -> float:
    rows = spark.createDataFrame([(value,) for value in amounts], "value double")
    (row,) = rows.agg(total(amount(F.col("value"))).alias("total")).collect()
    assert isinstance(row["total"], float)
    return row["total"]


@given(drawn=st.lists(AMOUNTS, min_size=1, max_size=30), cut=st.integers(0, 30))
def test_any_order_and_any_split_of_amounts_has_the_same_digits(
    spark: SparkSession, drawn: list[Decimal], cut: int
) -> None:
    values = [(n < cut, float(value)) for n, value in enumerate(reversed(drawn))]
    rows = spark.createDataFrame(values, "part boolean, value double")
    split = rows.groupBy("part").agg(F.sum(amount(F.col("value"))).alias("value"))
    (row,) = split.agg(total(F.col("value")).alias("total")).collect()
    assert row["total"] == sum_of(spark, [float(value) for value in drawn]) == float(sum(drawn))


def test_what_floats_would_make_of_it_is_not_seen(spark: SparkSession) -> None:
    assert sum_of(spark, [0.1] * 10) == 1.0
    assert sum_of(spark, [0.1, 0.2]) == 0.3
    assert sum_of(spark, [1e9, 0.01, -1e9]) == 0.01


def test_what_is_no_amount_counts_nothing(spark: SparkSession) -> None:
    assert sum_of(spark, [None, float("nan"), float("inf"), LARGEST_AMOUNT, -1e300, 2.5]) == 2.5
    assert sum_of(spark, []) == 0.0


def test_amounts_can_stand_beside_sums_of_them(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1.5,)], "value double").select(amount(F.col("value")).alias("value"))
    none = spark.range(1).select(F.lit(0).cast(MONEY).alias("value"))
    (row,) = rows.unionByName(none).agg(total(F.col("value")).alias("total")).collect()
    assert row["total"] == 1.5
