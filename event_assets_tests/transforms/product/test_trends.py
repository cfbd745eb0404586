"""Trends, against what plain Python counts event by event."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.rules.trends import Formula, Series, Trends
from event_assets.transforms.product.trends import trends
from event_assets.verification.history import Event
from event_assets.verification.trends import COLUMNS, trends_rows
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]
SERIES = [
    Series(event="buy"),
    Series(event="buy", measure="people"),
    Series(event=None, measure="per_person"),
    Series(event="buy", measure="sum", of="price"),
    Series(event="buy", measure="avg", of="price"),
    Series(event="buy", measure="min", of="price"),
    Series(event="buy", measure="max", of="price"),
    Series(event="buy", measure="percentile", of="price", percentile=75),
]
FORMULAS = [Formula(formula="D / B"), Formula(formula="-(A + 1) * 2.5 / (B - 1)", name="Odd")]


def expected(asked: Trends, rows: Sequence[Row]) -> dict[Any, Any]:
    events = [
        (
            row.get("span", "now"),
            Event(row["event_id"], row["event"], None, None, None, None, "web", t, t, 0.0, row, row["anonymous_id"], t),
        )
        for row in rows
        for t in [round(row["derived_at"].timestamp() * 1_000_000)]
    ]
    return trends_rows(asked, events)


def found(spark: SparkSession, asked: Trends, rows: Sequence[Row]) -> dict[Any, Any]:
    events = frame(spark, rows).withColumn("person_id", F.col("anonymous_id"))
    if any("span" in row for row in rows):
        events = events.withColumn("span", F.when(F.col("event_id").startswith("b"), "before").otherwise("now"))
    made = trends(
        events,
        asked.series,
        asked.formulas,
        interval=asked.interval,
        week_starts=asked.week_starts,
        breakdown=asked.breakdowns,
        breakdown_values=asked.breakdown_values,
    )
    by_key = {}
    for row in rows_of(made):
        row["period_start"] = round(row["period_start"].timestamp() * 1_000_000)
        values = tuple(row[name] for name in COLUMNS)
        by_key[values[:4]] = values[4:]
    return by_key


def assert_same(found: dict[Any, Any], expected: dict[Any, Any]) -> None:
    assert found.keys() == expected.keys()
    for key, (*words, value) in expected.items():
        *others, other = found[key]
        assert others == words
        assert (value is None) == (other is None), (key, value, other)
        assert value is None or math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9), (key, value, other)


HAPPENINGS = st.builds(
    lambda event, hours, person, price, country: enriched_event(
        event, at(hours=hours), anonymous_id=person, properties=json.dumps({"price": price}), country=country
    ),
    st.sampled_from(["buy", "view"]),
    st.integers(0, 24 * 40),
    st.sampled_from(["p", "q", None]),
    st.sampled_from([None, 1, 2.25, "3", "x", -4.5, 1e15]),
    st.sampled_from([None, "DE", "FR", "(all)", 'a"b']),
)


@examples(5)
@given(rows=st.lists(HAPPENINGS, min_size=1, max_size=25), data=st.data())
def test_measures_and_formulas_are_what_plain_python_counts(
    spark: SparkSession, rows: list[Row], data: st.DataObject
) -> None:
    asked = Trends(
        name="x",
        series=SERIES,
        formulas=FORMULAS,
        interval=data.draw(st.sampled_from(["hour", "day", "week", "month"])),
        week_starts=data.draw(st.sampled_from(["sunday", "monday"])),
        breakdown=data.draw(st.sampled_from([None, "country", ["country", "price", "event"]])),
        breakdown_values=data.draw(st.sampled_from([1, 3, 100])),
    )
    assert_same(found(spark, asked, rows), expected(asked, rows))


def test_what_it_is_held_against_has_the_values_of_now(spark: SparkSession) -> None:
    countries = {"n1": "DE", "n2": "FR", "n3": "FR", "b1": "DE", "b2": "DE", "b3": "FR"}
    rows = [
        enriched_event("buy", at(days=int(id_[0] == "n")), event_id=id_, country=country)
        for id_, country in countries.items()
    ]
    for row in rows:
        row["span"] = "before" if row["event_id"].startswith("b") else "now"
    asked = Trends(name="x", series=[Series(event="buy")], breakdown="country", breakdown_values=1)
    made = found(spark, asked, rows)
    assert_same(made, expected(asked, rows))
    assert {(key[0], key[2]): row[-1] for key, row in made.items()} == {
        ("now", "(all)"): 3,
        ("now", "FR"): 2,
        ("now", "(other)"): 1,
        ("before", "(all)"): 3,
        ("before", "FR"): 1,
        ("before", "(other)"): 2,
    }
