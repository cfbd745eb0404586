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


def test_a_million_times_a_tenth_is_a_hundred_thousand_at_once_and_by_way_of_sums(spark: SparkSession) -> None:
    rows = spark.range(10**6).select((F.col("id") % 1000).alias("day"), F.lit(0.1).alias("value"))
    days = rows.groupBy("day").agg(total(amount(F.col("value"))).alias("value"))
    for each in (rows, days):
        [row] = each.agg(total(amount(F.col("value"))).alias("total")).collect()
        assert row["total"] == 100_000.0
    floats = sum([0.1] * 10**6)
    assert floats != 100_000.0, "what a sum of doubles would be"


@given(
    drawn=st.lists(st.decimals(-(10**8), 10**8, places=6), max_size=9)
    | st.lists(st.decimals(-(10**12), 10**12, places=2), max_size=9)
)
def test_a_sum_shows_every_digit_of_the_decimal_as_far_as_fifteen_of_them_go(
    spark: SparkSession, drawn: list[Decimal]
) -> None:
    """To the millionth below a billion, to the cent below ten trillions."""
    assert Decimal(repr(sum_of(spark, [float(value) for value in drawn]))) == sum(drawn)


def test_an_amount_is_the_decimal_that_it_shows_on_every_engine(spark_engine: SparkSession) -> None:
    shown = ["0.1", "-0.000001", "12345678.123456", "123456789012.34", "-999999999999999", "100000000000000.2"]
    rows = spark_engine.createDataFrame([(text, float(text)) for text in [*shown, "1e-7"]], "text string, value double")
    sums = rows.groupBy("text").agg(F.first(amount(F.col("value"))), total(amount(F.col("value"))))
    found = {text: (value, double) for text, value, double in sums.collect()}
    assert found == {text: (Decimal(text), float(text)) for text in shown} | {"1e-7": (0, 0.0)}


def test_sums_of_large_amounts_show_their_cents(spark: SparkSession) -> None:
    """Of some thousand such sums a quarter would not, made by the engine's own casts."""
    drawn = [
        [10**11 + (seed * 7919 + place * 104729) % (9 * 10**13) / 100 for place in range(8)] for seed in range(500)
    ]
    rows = spark.createDataFrame([(n, value) for n, each in enumerate(drawn) for value in each], "n int, value double")
    sums = rows.groupBy("n").agg(total(amount(F.col("value"))).alias("sum")).collect()
    assert {row["n"]: Decimal(repr(row["sum"])) for row in sums} == {
        n: sum(Decimal(repr(value)) for value in each) for n, each in enumerate(drawn)
    }


def test_what_is_no_amount_counts_nothing(spark: SparkSession) -> None:
    assert sum_of(spark, [None, float("nan"), float("inf"), LARGEST_AMOUNT, -1e300, 2.5]) == 2.5
    assert sum_of(spark, []) == 0.0


def test_amounts_can_stand_beside_sums_of_them(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1.5,)], "value double").select(amount(F.col("value")).alias("value"))
    none = spark.range(1).select(F.lit(0).cast(MONEY).alias("value"))
    (row,) = rows.unionByName(none).agg(total(F.col("value")).alias("total")).collect()
    assert row["total"] == 1.5
