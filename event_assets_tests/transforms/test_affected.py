from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.transforms import affected
from event_assets.transforms.affected import carrying, is_one_of, listed, marked, of_ids

SEEN = [("a", "u", 1), ("a", None, 2), (None, "a", 3), ("b", "b", 4), ("b", "v", 5), (None, None, 6), ("a", "u", 7)]


def test_ids_are_listed_in_order_and_too_many_are_not(spark: SparkSession) -> None:
    ids = spark.createDataFrame([("b",), ("a",)], "id string")
    assert listed(ids, 2) == ["a", "b"]
    assert listed(ids, 1) is None
    assert listed(ids.where("false")) == []


def test_no_value_is_one_of_nothing(spark: SparkSession) -> None:
    ids = spark.createDataFrame([("b",), ("a",)], "id string")
    assert ids.where(is_one_of("id", [])).count() == 0
    assert ids.where(~is_one_of("id", [])).count() == 2
    assert [row["id"] for row in ids.where(is_one_of("id", ["a", "c"])).collect()] == ["a"]


@pytest.mark.parametrize("few", [0, 200], ids=["many", "few"])
def test_rows_are_theirs_by_any_of_the_columns_once_however_many_ids_there_are(
    spark_engine: SparkSession, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(affected, "FEW", few)
    rows = spark_engine.createDataFrame(SEEN, "anonymous_id string, user_id string, number int")
    for ids in ([], ["a"], ["b", "u"], ["a", "b", "nobody", "u", "v"]):
        theirs = [row for row in SEEN if {row[0], row[1]} & {*ids}]
        found = carrying(rows, ids)
        assert found.columns == rows.columns
        assert sorted(map(tuple, found.collect()), key=lambda row: row[2]) == theirs
        upper = of_ids(rows, [each.upper() for each in ids], F.upper("anonymous_id"))
        assert sorted(row["number"] for row in upper.collect()) == [row[2] for row in SEEN if row[0] in ids]
        told = marked(rows, ids, "is_theirs", "anonymous_id", "user_id").collect()
        assert sorted((row["number"], row["is_theirs"]) for row in told) == [(row[2], row in theirs) for row in SEEN]


def test_null_is_nobody_and_is_not_listed(spark: SparkSession) -> None:
    """Answers of people whom identities do not know yet are no known person's."""
    assert listed(spark.createDataFrame([("b",), (None,), ("a",)], "person_id string")) == ["a", "b"]
