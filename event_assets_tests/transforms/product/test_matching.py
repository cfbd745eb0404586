"""What a rule of numbers asks for is found in whatever spelling it was sent, by everybody who reads events."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.plan import EventPlan, PlanVersion, TrackingPlan
from event_assets.contract.plan_property import Property
from event_assets.enrichment.currency import Reporting
from event_assets.enrichment.measures import measures_of
from event_assets.rules.condition import Step
from event_assets.rules.segment import Trait
from event_assets.transforms.events.clean import CleanRules, clean
from event_assets.transforms.product.matching import compared, matches, text_of
from event_assets.transforms.segments.levels import _is_known
from event_assets.verification.history import Event
from event_assets.verification.matching import is_step
from event_assets_tests.factories import rows_of
from event_assets_tests.transforms.events.test_clean import packed, records, sent

BIG = 9007199254740993
"""The least integer that no double is."""

SPELLINGS: dict[str, int | float] = {
    '{"n":3}': 3,
    '{"n":3.0}': 3,
    '{"n":1e3}': 1000,
    '{"n":1000.00}': 1000,
    '{"n":12.50}': 12.5,
    f'{{"n":{BIG - 1}}}': BIG - 1,
    f'{{"n":{BIG}}}': BIG,
    f'{{"n":{BIG}.0}}': BIG,
    f'{{"n":{BIG + 1}}}': BIG + 1,
    '{"n":9223372036854775807}': 2**63 - 1,
    '{"n":9223372036854775808}': 2**63,
    '{"n":1,"n":2}': 2,
    '{"n":"x", "\\u006e" : 4}': 4,
    f'{{"n":3,"o":[{{"n":1,"n":1}}],"n":{BIG}}}': BIG,
}
"""Properties as they are sent, and the number that they say."""

VALUES = sorted({*SPELLINGS.values(), 2.0**53, 1000.0, 0})


@pytest.fixture
def rows(spark_engine: SparkSession) -> Any:
    """The events of `SPELLINGS` as clean rows, on an engine."""
    lines = [
        sent(f"e{n}")[:-1] + f',"event":"buy","properties":{text},"traits":{text}}}'.encode()
        for n, text in enumerate(SPELLINGS)
    ]
    made = clean(records(spark_engine, packed(lines)), CleanRules(TrackingPlan(), dt.date(2010, 1, 1)))
    return made.select("event_id", "event", "properties", "traits").cache()


def test_a_step_and_a_trait_find_a_number_exactly_in_every_spelling_as_the_verifier_does(rows: Any) -> None:
    columns = rows.columns
    trait_rows = rows.select(F.lit("n").alias("trait"), F.get_json_object("traits", "$.n").alias("value"))
    found = rows.select(
        "properties",
        text_of("n", columns).alias("text"),
        *(
            matches(Step(event="buy", where={"n": value}), columns).alias(f"is {place}")
            for place, value in enumerate(VALUES)
        ),
    )
    for row in rows_of(found):
        event = Event("e", "buy", "a", None, None, None, "web", 0, 0, 0.0, row, "p")
        said = json.loads(row["properties"])["n"]
        assert row["text"] == event.text("n")
        for place, value in enumerate(VALUES):
            assert (
                row[f"is {place}"] == is_step(event, Step(event="buy", where={"n": value})) == (_number(said) == value)
            ), row
    at_least = [_is_known(Trait(trait="n", at_least=value)).alias(f"from {n}") for n, value in enumerate(VALUES)]
    at_most = [_is_known(Trait(trait="n", at_most=value)).alias(f"to {n}") for n, value in enumerate(VALUES)]
    for row in rows_of(trait_rows.select("value", *at_least, *at_most)):
        for place, value in enumerate(VALUES):
            assert row[f"from {place}"] == (_number(row["value"]) >= value), (row["value"], value)
            assert row[f"to {place}"] == (_number(row["value"]) <= value), (row["value"], value)


def _number(said: Any) -> int | float:
    text = str(said)
    return int(text) if text.isdigit() else float(text)


def test_decoder_plan_revenue_and_clean_rows_read_the_same_number(rows: Any) -> None:
    kept = {int(row["event_id"][1:]): row for row in rows_of(rows)}
    for place, (text, value) in enumerate(SPELLINGS.items()):
        assert _number(json.loads(kept[place]["properties"])["n"]) == value
        assert kept[place]["properties"] == kept[place]["traits"]
        for asked in VALUES:
            if isinstance(asked, float) or asked >= 2**63:
                continue
            rule = Property("integer", required=True, minimum=asked, maximum=asked)
            plan = EventPlan("buy", {1: PlanVersion({"n": rule})}, mode="reject")
            line = sent("e1", event="buy")[:-1] + f',"properties":{text}}}'.encode()
            decoded = EventDecoder(TrackingPlan({"buy": plan})).decode(line)
            assert isinstance(decoded, Decoded) == (asked == value), (text, asked, decoded)
        for properties in (text, kept[place]["properties"]):
            named = properties.replace('"n"', '"revenue"').replace('"\\u006e"', '"revenue"')
            assert measures_of("buy", named, dt.date(2026, 3, 1), Reporting()).revenue == float(value)


NUMBERS = st.integers(-(10**20), 10**20) | st.integers(2**53 - 3, 2**53 + 3) | st.integers(-3, 3)


@given(st.lists(NUMBERS, min_size=1, max_size=5), NUMBERS)
def test_integers_are_compared_digit_by_digit(spark: SparkSession, numbers: list[int], asked: int) -> None:
    rows = spark.createDataFrame(
        [(f"{n}{end}", str(n)) for n in numbers for end in ("", ".0")], "text string, n string"
    )
    for how in (int.__eq__, int.__le__, int.__ge__):
        found = rows.select("n", compared(F.col("text"), asked, getattr(Column, how.__name__)).alias("holds"))
        assert all(row["holds"] == how(int(row["n"]), asked) for row in rows_of(found))


def test_a_text_that_is_no_json_number_is_none(spark_engine: SparkSession) -> None:
    texts = ["1d", "0x1", "1_0", "Infinity", "NaN", "", "1e", "one"]
    rows = spark_engine.createDataFrame([(text,) for text in texts], "text string")
    found = rows.select(*(compared(F.col("text"), 0, how).alias("h") for how in (Column.__ge__,)))
    assert {row["h"] for row in rows_of(found)} == {None}
