from __future__ import annotations

from pyspark.sql import SparkSession

from event_assets.transforms.affected import is_one_of, listed


def test_few_are_listed_in_order_and_many_are_not(spark: SparkSession) -> None:
    ids = spark.createDataFrame([("b",), ("a",)], "id string")
    assert listed(ids, few=2) == ["a", "b"]
    assert listed(ids, few=1) is None
    assert listed(ids.where("false")) == []


def test_no_value_is_one_of_nothing(spark: SparkSession) -> None:
    ids = spark.createDataFrame([("b",), ("a",)], "id string")
    assert ids.where(is_one_of("id", [])).count() == 0
    assert ids.where(~is_one_of("id", [])).count() == 2
    assert [row["id"] for row in ids.where(is_one_of("id", ["a", "c"])).collect()] == ["a"]
