"""What is made in parts is what would be made at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.transforms.parts import cores_of, in_parts
from event_assets.transforms.sessions.page_views import page_views, page_views_by_part
from event_assets.transforms.sessions.sessionise import session_events, sessionise, sessionise_in_parts
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import RULES, kept

Row = dict[str, Any]


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Events of a few senders, sessions and page views, some without any id."""
    return [
        enriched_event(
            draw(st.sampled_from(["page_view", "page_ping", "click"])),
            at(minutes=draw(st.integers(0, 200))),
            event_id=f"e{number}",
            anonymous_id=draw(st.sampled_from([None, "a1", "a2", "a3"])),
            session_id=draw(st.sampled_from([None, None, "s1", "s2"])),
            page_view_id=draw(st.sampled_from([None, "p1", "p2", "p3"])),
        )
        for number in range(draw(st.integers(1, 20)))
    ]


@examples(3)
@given(history=histories(), cores=st.integers(1, 4), per_core=st.integers(1, 12))
def test_parts_of_any_size_on_any_cores_give_the_sessions_and_page_views_of_all_events(
    spark: SparkSession, history: list[Row], cores: int, per_core: int
) -> None:
    events = frame(spark, history)
    whole = kept(spark, sessionise(session_events(events, RULES), RULES))
    parts = kept(spark, *sessionise_in_parts(session_events(events, RULES), RULES, cores, per_core))
    assert rows_of(parts) == rows_of(whole)
    made = page_views_by_part(whole, events, RULES, partial(kept, spark), cores, per_core)
    assert rows_of(made) == rows_of(page_views(whole, events, RULES))


def test_rows_of_one_key_are_in_one_part_and_rows_without_a_key_are_kept(spark: SparkSession) -> None:
    keys = [None if number % 10 == 0 else f"k{number % 10}" for number in range(100)]
    rows = spark.createDataFrame([(key, number) for number, key in enumerate(keys)], "key string, number bigint")
    parts = [[row["key"] for row in part.collect()] for part in in_parts(rows, F.col("key"), 30)]
    assert len(parts) == 4
    assert sorted(map(str, (key for part in parts for key in part))) == sorted(map(str, keys))
    assert sum(len(set(part)) for part in parts) == 10


def test_few_rows_are_one_part(spark: SparkSession) -> None:
    assert len(in_parts(spark.range(3).withColumn("key", F.lit("k")), F.col("key"), 3)) == 1


@pytest.mark.spark_jvm
def test_the_cores_of_a_spark_server_are_its_default_parallelism(apache_spark: SparkSession) -> None:
    assert cores_of(apache_spark) == 2
