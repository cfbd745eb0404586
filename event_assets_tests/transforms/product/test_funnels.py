"""Funnels, sentence by sentence, and against a walk written in plain Python.

Several cases are those that published funnel tests of other systems are about: events of one instant, a step that
repeats, one event in several steps, both edges of the window.
"""

from __future__ import annotations

import datetime as dt
import gzip
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.rules.condition import Step
from event_assets.transforms.product.funnels import funnel
from event_assets.transforms.product.walks import best_tries
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]
ECOM = Path(os.environ.get("EVENT_ASSETS_TEST_DATA", "../shared/data")) / "ecom/ecom.csv.gz"
DAY = dt.timedelta(days=1)


def journey(person: str, *events: tuple[str, float] | tuple[str, float, dict[str, Any]]) -> list[Row]:
    """Events of a person: name, seconds after noon, other fields."""
    return [
        enriched_event(name, at(seconds), anonymous_id=person, **(more[0] if more else {}))
        for name, seconds, *more in events
    ]


def of_people(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    return frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))


def people(spark: SparkSession, rows: Iterable[Row], steps: Sequence[str | Step], **how: Any) -> list[int]:
    """How many persons reach each step."""
    found = rows_of(funnel(of_people(spark, rows), steps, **how))
    return [row["people"] for row in sorted(found, key=lambda row: row["step"]) if row["breakdown"] == "(all)"]


def test_each_step_counts_those_who_came_that_far(spark: SparkSession) -> None:
    rows = [
        *journey("p1", ("signup", 0), ("view", 3600), ("buy", 7200)),
        *journey("p2", ("signup", 0), ("view", 7200)),
        *journey("p3", ("signup", 0)),
        *journey("p4", ("view", 0), ("buy", 5)),
    ]
    made = sorted(rows_of(funnel(of_people(spark, rows), ["signup", "view", "buy"])), key=lambda row: row["step"])
    assert [row["people"] for row in made] == [3, 2, 1]
    assert [row["conversion"] for row in made] == pytest.approx([1, 2 / 3, 1 / 3])
    assert [row["step_conversion"] for row in made] == pytest.approx([1, 2 / 3, 1 / 2])
    assert [row["mean_seconds"] for row in made] == [None, 5400, 3600]
    assert [row["median_seconds"] for row in made] == [None, 5400, 3600]
    assert [row["step_name"] for row in made] == ["signup", "view", "buy"]


def test_other_events_between_two_steps_do_not_matter(spark: SparkSession) -> None:
    rows = journey("p", ("a", 0), ("x", 1), ("c", 2), ("b", 3), ("x", 4), ("c", 5))
    assert people(spark, rows, ["a", "b", "c"]) == [1, 1, 1]


def test_a_step_before_the_one_it_follows_does_not_count(spark: SparkSession) -> None:
    assert people(spark, journey("p", ("b", 0), ("a", 1)), ["a", "b"]) == [1, 0]


@pytest.mark.parametrize(("seconds", "reached"), [(86400, [1, 1]), (86400.000001, [1, 0])])
def test_the_window_includes_its_end(spark: SparkSession, seconds: float, reached: list[int]) -> None:
    assert people(spark, journey("p", ("a", 0), ("b", seconds)), ["a", "b"], within=DAY) == reached


def test_the_window_counts_from_the_start_and_not_from_the_step_before(spark: SparkSession) -> None:
    rows = journey("p", ("a", 0), ("b", 50_000), ("c", 100_000))
    assert people(spark, rows, ["a", "b", "c"], within=DAY) == [1, 1, 0]


def test_a_later_start_may_come_further(spark: SparkSession) -> None:
    rows = journey("p", ("a", 0), ("b", 50_000), ("a", 60_000), ("b", 70_000), ("c", 100_000))
    assert people(spark, rows, ["a", "b", "c"], within=DAY) == [1, 1, 1]


def test_of_tries_that_come_as_far_the_earliest_counts(spark: SparkSession) -> None:
    rows = journey("p", ("a", 0), ("a", 10), ("b", 20), ("a", 30), ("b", 31))
    [_, second] = sorted(rows_of(funnel(of_people(spark, rows), ["a", "b"])), key=lambda row: row["step"])
    assert second["mean_seconds"] == 20


def test_a_step_takes_the_next_event_that_fits_and_no_later_one(spark: SparkSession) -> None:
    rows = journey("p", ("a", 0), ("b", 10), ("b", 20), ("c", 30))
    made = sorted(rows_of(funnel(of_people(spark, rows), ["a", "b", "c"])), key=lambda row: row["step"])
    assert [row["mean_seconds"] for row in made] == [None, 10, 20]


def test_a_step_that_repeats_needs_as_many_events(spark: SparkSession) -> None:
    rows = [*journey("p1", ("a", 0)), *journey("p2", ("a", 0), ("a", 5)), *journey("p3", ("a", 0), ("a", 0), ("a", 0))]
    assert people(spark, rows, ["a", "a", "a"]) == [3, 2, 1]


def test_events_of_one_instant_count_in_the_order_of_the_steps(spark: SparkSession) -> None:
    assert people(spark, journey("p", ("c", 0), ("b", 0), ("a", 0)), ["a", "b", "c"]) == [1, 1, 1]


def test_steps_that_repeat_are_shared_out_among_events_of_one_instant(spark: SparkSession) -> None:
    steps = ["1", "2", "2", "4", "4", "6", "2", "4", "6", "1"]
    rows = journey("p", *((name, 0) for name in sorted(steps)))
    assert people(spark, rows, steps) == [1] * 10
    assert people(spark, rows[1:], steps) == [1] * 9 + [0]


def test_an_event_that_fits_two_steps_is_only_one_of_them(spark: SparkSession) -> None:
    steps = [Step(event="view"), Step(event="view", where={"page_path": "/b"})]
    assert people(spark, journey("p", ("view", 0, {"page_path": "/b"})), steps) == [1, 0]
    both = journey("p", ("view", 0, {"page_path": "/b"}), ("view", 0, {"page_path": "/a"}))
    assert people(spark, both, steps) == [1, 1]


def test_strict_steps_are_neighbours(spark: SparkSession) -> None:
    rows = [
        *journey("p1", ("a", 0), ("b", 1), ("x", 2), ("c", 3)),
        *journey("p2", ("a", 0), ("x", 1), ("b", 2), ("c", 3)),
        *journey("p3", ("x", 0), ("a", 1), ("a", 2), ("b", 3), ("c", 4), ("x", 5)),
        *journey("p4", ("a", 0), ("b", 1), ("a", 2), ("b", 3), ("c", 4)),
    ]
    assert people(spark, rows, ["a", "b", "c"], order="strict") == [4, 3, 2]
    assert people(spark, rows, ["a", "b", "c"], order="strict", within=dt.timedelta(seconds=1)) == [4, 3, 0]


@pytest.mark.parametrize(
    ("steps", "moments", "reached"),
    [
        ("abc", "xa b c", 3),
        ("abc", "a bx c", 3),
        ("abc", "a b cx", 3),
        ("abc", "xab c", 3),
        ("abc", "xcba", 3),
        ("abc", "a x bc", 1),
        ("abc", "a xx b", 1),
        ("aaa", "a ax a", 3),
        ("aa", "ax a", 2),
    ],
)
def test_what_is_no_step_does_not_part_strict_steps_of_its_own_instant(
    spark: SparkSession, steps: str, moments: str, reached: int
) -> None:
    rows = journey("p", *((name, 60 * k) for k, names in enumerate(moments.split()) for name in names))
    found = people(spark, rows, list(steps), order="strict")
    assert found == [int(k < reached) for k in range(len(steps))]


@pytest.mark.parametrize(
    ("steps", "ways", "order", "reached"),
    [
        ("svvv", "s sv svxv vvsv vxsxvvv vvvv", "ordered", [5, 4, 2, 1]),
        ("abab", "abab aabb abba baba", "ordered", [4, 4, 3, 1]),
        ("spm", "s sp spm m psm sm", "ordered", [5, 2, 1]),
        ("aabb", "aabb ab abab aab axaxbxb", "ordered", [5, 4, 4, 2]),
        ("sva", "s vs svxa axvs xsvax ssva svsva va", "strict", [7, 4, 3]),
        ("suvw", "suvw ssuvw sxuvw suvsuvw suv", "strict", [5, 4, 4, 3]),
    ],
)
def test_people_come_as_far_as_their_ways_lead(
    spark: SparkSession, steps: str, ways: str, order: str, reached: list[int]
) -> None:
    rows = [row for way in ways.split() for row in journey(way, *((name, 60 * k) for k, name in enumerate(way)))]
    assert people(spark, rows, list(steps), order=order) == reached


def test_many_events_of_one_instant_are_one_step_each(spark: SparkSession) -> None:
    crowd = [("c", 60), *[("b", 60)] * 30]
    assert people(spark, journey("p", ("d", 120), *crowd, ("a", 0)), ["a", "b", "c", "d"]) == [1, 1, 1, 1]


@pytest.mark.parametrize("order", ["ordered", "strict"])
def test_tries_that_come_less_far_do_not_count_in_the_times(spark: SparkSession, order: str) -> None:
    tries = [("a", 0), ("b", 40), ("c", 100), ("a", 5000), ("b", 5500), ("a", 9000), ("b", 9900)]
    made = rows_of(funnel(of_people(spark, journey("p", *tries)), ["a", "b", "c"], order=order))  # type: ignore[arg-type]
    assert [row["mean_seconds"] for row in sorted(made, key=lambda row: row["step"])] == [None, 40, 60]


def test_the_median_of_two_is_between_them_and_a_straggler_moves_the_mean_alone(spark: SparkSession) -> None:
    taken = {"p1": 100, "p2": 300, "p3": 300, "p4": 5300, "p5": 100}
    rows = [row for person, seconds in taken.items() for row in journey(person, ("a", 0), ("b", seconds))]
    times = [
        (row["mean_seconds"], row["median_seconds"])
        for few in (2, 5)
        for row in rows_of(funnel(of_people(spark, rows[: 2 * few]), ["a", "b"]))
        if row["step"] == 2
    ]
    assert times == [(200, 200), (1220, 300)]


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({"plan": "pro"}, True),
        ({"plan": "free"}, False),
        ({"plan": ["free", "pro"]}, True),
        ({"seats": 3}, True),
        ({"seats": 3.0}, True),
        ({"seats": 4}, False),
        ({"trial": True}, True),
        ({"trial": False}, False),
        ({"cart.size": 2}, True),
        ({"$browser": "Firefox"}, True),
        ({"page type": "ü-1"}, True),
        ({"missing": "x"}, False),
        ({"device_type": "mobile"}, True),
        ({"properties.device_type": "watch"}, True),
        ({"plan": "pro", "seats": 4}, False),
    ],
)
def test_a_step_asks_for_values_of_columns_and_properties(spark: SparkSession, where: Any, fits: bool) -> None:
    properties = '{"plan": "pro", "seats": 3, "trial": true, "cart": {"size": 2}, "device_type": "watch", '
    properties += '"$browser": "Firefox", "page type": "ü-1"}'
    rows = journey("p", ("a", 0), ("b", 1, {"properties": properties, "device_type": "mobile"}))
    assert people(spark, rows, ["a", Step(event="b", where=where)]) == [1, int(fits)]


def test_a_breakdown_is_by_the_first_step_of_the_try_that_counts(spark: SparkSession) -> None:
    rows = [
        *journey("p1", ("a", 0, {"country": "DE"}), ("a", 5, {"country": "FR"}), ("b", 6, {"country": "IT"})),
        *journey("p2", ("a", 0, {"country": "FR"})),
        *journey("p3", ("a", 0), ("b", 5)),
    ]
    made = rows_of(funnel(of_people(spark, rows), ["a", "b"], breakdown="country"))
    assert {(row["breakdown"], row["step"]): row["people"] for row in made} == {
        ("(all)", 1): 3,
        ("(all)", 2): 2,
        ("DE", 1): 1,
        ("DE", 2): 1,
        ("FR", 1): 1,
        ("FR", 2): 0,
        ("(none)", 1): 1,
        ("(none)", 2): 1,
    }


def test_rare_values_of_a_breakdown_are_put_together(spark: SparkSession) -> None:
    rows = [row for k, value in enumerate("aabc") for row in journey(f"p{k}", ("a", 0, {"country": value}))]
    made = rows_of(funnel(of_people(spark, rows), ["a", "b"], breakdown="country", breakdown_values=1))
    assert {row["breakdown"]: row["people"] for row in made if row["step"] == 1} == {"(all)": 4, "a": 2, "(other)": 2}


def test_no_value_is_a_value_among_the_most_frequent(spark: SparkSession) -> None:
    values = ["x", "x", "x", None, None, "y"]
    rows = [row for k, value in enumerate(values) for row in journey(f"p{k}", ("a", 0, {"country": value}))]
    made = rows_of(funnel(of_people(spark, rows), ["a", "b"], breakdown="country", breakdown_values=2))
    found = {row["breakdown"]: row["people"] for row in made if row["step"] == 1}
    assert found == {"(all)": 6, "x": 3, "(none)": 2, "(other)": 1}


def test_a_value_that_looks_like_everybody_is_not_counted_as_such(spark: SparkSession) -> None:
    rows = [*journey("p1", ("a", 0, {"country": "(all)"})), *journey("p2", ("a", 0, {"country": "DE"}))]
    made = rows_of(funnel(of_people(spark, rows), ["a", "b"], breakdown="country"))
    assert {row["breakdown"]: row["people"] for row in made if row["step"] == 1} == {"(all)": 2, "DE": 1, "(other)": 1}


def test_nobody_is_no_row(spark: SparkSession) -> None:
    assert rows_of(funnel(of_people(spark, []), ["a", "b"])) == []
    nobody = frame(spark, journey("p", ("a", 0))).withColumn("person_id", F.lit(None).cast("string"))
    assert rows_of(funnel(nobody, ["a", "b"])) == []


@pytest.mark.slow
def test_a_person_with_very_many_events_is_one_of_many(spark: SparkSession) -> None:
    names = F.element_at(F.array(F.lit("a"), F.lit("b"), F.lit("x")), (F.col("id") % 3 + 1).cast("int"))
    events = spark.range(300_000).select(
        F.lit("p").alias("person_id"),
        names.alias("event"),
        F.col("id").cast("string").alias("event_id"),
        F.timestamp_micros(F.col("id") * 1_000_000).alias("derived_at"),
        F.lit("{}").alias("properties"),
    )
    tries = best_tries(events, ["a", "b", "a"], within=DAY)
    assert rows_of(tries) == [
        {"person_id": "p", "value": None, "reached": 3, "t0": 0, "t1": 1_000_000, "t2": 3_000_000}
    ]


def walked(times: Sequence[tuple[int, str]], steps: Sequence[str], window: int) -> tuple[int, list[int]]:
    """The furthest try over events of distinct instants, walked one by one from every start."""
    best: tuple[int, list[int]] = (0, [])
    events = sorted(times)
    for place, (start, name) in enumerate(events):
        if name != steps[0]:
            continue
        tried = [start]
        for time, other in events[place + 1 :]:
            if len(tried) < len(steps) and other == steps[len(tried)] and time - start <= window:
                tried.append(time)
        if len(tried) > best[0]:
            best = (len(tried), tried)
    return best


def walked_strictly(times: Sequence[tuple[int, str]], steps: Sequence[str], window: int) -> tuple[int, list[int]]:
    best: tuple[int, list[int]] = (0, [])
    events = sorted(times)
    for place in range(len(events)):
        tried: list[int] = []
        for (time, name), step in zip(events[place:], steps, strict=False):
            if name != step or time - events[place][0] > window:
                break
            tried.append(time)
        if len(tried) > best[0]:
            best = (len(tried), tried)
    return best


NAMES = st.sampled_from("abcx")


@pytest.mark.parametrize("order", ["ordered", "strict"])
@examples(6)
@given(
    journeys=st.lists(st.dictionaries(st.integers(0, 60), NAMES, max_size=14), min_size=1, max_size=6),
    steps=st.lists(st.sampled_from("abc"), min_size=2, max_size=4),
    window=st.integers(1, 60),
)
def test_a_funnel_is_the_furthest_walk(
    spark: SparkSession, order: Any, journeys: list[dict[int, str]], steps: list[str], window: int
) -> None:
    rows = [
        row
        for number, events in enumerate(journeys)
        for row in journey(f"p{number}", *((name, second) for second, name in events.items()))
    ]
    tries = best_tries(of_people(spark, rows), steps, within=dt.timedelta(seconds=window), order=order)
    found = {row["person_id"]: row for row in rows_of(tries)}
    noon = int(at(0).timestamp())
    walk = walked if order == "ordered" else walked_strictly
    for number, events in enumerate(journeys):
        reached, times = walk(list(events.items()), steps, window)
        row = found.get(f"p{number}")
        assert (row["reached"] if row else 0) == reached
        if row:
            seconds = [row[f"t{k}"] for k in range(len(steps))]
            assert [t // 1_000_000 - noon for t in seconds if t is not None] == times


@pytest.mark.skipif(not ECOM.exists(), reason=f"the made-up shop is not here: {ECOM}")
class TestShop:
    """31,106 events of 600 people, in which incidents were planted."""

    STEPS = ("add_to_cart", "shipping_details", "payment_details", "purchase")

    @pytest.fixture
    def shop(self, spark: SparkSession) -> DataFrame:
        with gzip.open(ECOM) as file:
            read = csv.read_csv(file)
        count = len(read)
        return spark.createDataFrame(
            pa.table(
                {
                    "person_id": read["user_id"],
                    "event": read["event"],
                    "platform": read["platform"],
                    "event_id": [f"{number:06}" for number in range(count)],
                    "derived_at": read["timestamp"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
                    "properties": ["{}"] * count,
                }
            )
        )

    def shares(self, shop: DataFrame, first: str, last: str, value: str) -> dict[int, float]:
        """Of those who reached the step before, who went on to each step, in a visit of an hour."""
        events = shop.where((F.col("derived_at") >= first) & (F.col("derived_at") < last))
        made = rows_of(funnel(events, self.STEPS, within=dt.timedelta(hours=1), breakdown="platform"))
        return {row["step"]: row["step_conversion"] for row in made if row["breakdown"] == value}

    def test_the_mobile_checkout_bug_shows_on_mobile_alone(self, shop: DataFrame) -> None:
        before, during = ("2024-03-05", "2024-04-09"), ("2024-04-09", "2024-05-10")
        assert self.shares(shop, *during, "mobile")[3] < 0.6 * self.shares(shop, *before, "mobile")[3]
        assert self.shares(shop, *during, "desktop")[3] > 0.9 * self.shares(shop, *before, "desktop")[3]

    def test_the_payment_incident_shows_at_the_last_step(self, shop: DataFrame) -> None:
        before, during = ("2024-03-05", "2024-04-09"), ("2024-05-19", "2024-06-08")
        assert self.shares(shop, *during, "(all)")[4] < 0.7 * self.shares(shop, *before, "(all)")[4]
