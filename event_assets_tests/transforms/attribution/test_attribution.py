"""What each model credits, by the sentences of its definition and by a second implementation in plain Python."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables.attribution import ATTRIBUTION, CHANNEL_PERFORMANCE, CONVERSION_PATHS
from event_assets.transforms.attribution.attribution import (
    MODELS,
    AttributionRules,
    attribute,
    attribution,
    channel_performance,
)
from event_assets.transforms.attribution.touches import DAY
from event_assets_tests.examples import examples
from event_assets_tests.factories import NOON, frame, rows_of

Path = tuple[str, int, float]
"""Channel groups of one letter each, conversions, revenue."""


def table(spark: SparkSession, paths: Sequence[Path], days: Sequence[float] | None = None) -> DataFrame:
    """conversion_paths with a touch each day, the last on the day before the conversion; or `days` before it."""
    rows = []
    for number, (letters, conversions, revenue) in enumerate(paths):
        ages = days or range(len(letters), 0, -1)
        rows.append(
            {
                "event_date": NOON.date(),
                "person_id": f"p{number}",
                "event_id": f"e{number}" if conversions else "",
                "at": NOON,
                "touches": len(letters),
                "path": " > ".join(letters) or None,
                "touched_before": json.dumps([round(age * DAY) for age in ages]) if letters else None,
                "conversions": conversions,
                "revenue": revenue,
            }
        )
    return frame(spark, rows, CONVERSION_PATHS)


def credits(paths: DataFrame, model: Any, **how: Any) -> dict[str, float]:
    return {row.channel_group: row.conversions for row in attribute(paths, model, **how).collect()}


def by_hand(paths: Sequence[Path], model: str) -> dict[str, Fraction | float]:
    """Conversions by channel group, written another way: path by path, in fractions."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for letters, conversions, _ in paths:
        counted[letters][0] += conversions
        counted[letters][1] += 1
    chance = {letters: Fraction(*each) for letters, each in counted.items()}
    found: dict[str, Any] = defaultdict(Fraction)
    for letters, conversions, _ in paths:
        if conversions and letters:
            for letter, share in zip(letters, _shares(letters, model, chance), strict=True):
                found[letter] += share * conversions
    return {letter: share for letter, share in found.items() if share}


def _shares(letters: str, model: str, chance: dict[str, Fraction]) -> list[Any]:
    count = len(letters)
    last = [Fraction(int(place == count - 1)) for place in range(count)]
    if model == "first":
        return last[::-1]
    if model == "last":
        return last
    if model == "linear":
        return [Fraction(1, count)] * count
    if model == "position":
        if count <= 2:
            return [Fraction(1, count)] * count
        return [Fraction(2, 5), *[Fraction(1, 5) / (count - 2)] * (count - 2), Fraction(2, 5)]
    if model == "time_decay":
        weights = [2 ** (-age / 7) for age in range(count, 0, -1)]
        return [weight / sum(weights) for weight in weights]
    if count == 1:
        return last
    gains = [
        max(chance[letters] - chance.get(letters[:place] + letters[place + 1 :], Fraction()), Fraction())
        for place in range(count)
    ]
    return [gain / sum(gains) for gain in gains] if sum(gains) else last


# One rule each -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first", {"A": 1}),
        ("last", {"D": 1}),
        ("linear", {"A": 0.25, "B": 0.25, "C": 0.25, "D": 0.25}),
        ("position", {"A": 0.4, "B": 0.1, "C": 0.1, "D": 0.4}),
    ],
)
def test_a_path_of_four_is_shared_by_the_rule(spark: SparkSession, model: str, expected: dict[str, float]) -> None:
    assert credits(table(spark, [("ABCD", 1, 0)]), model) == pytest.approx(expected)


@pytest.mark.parametrize("model", MODELS)
def test_one_touch_has_all(spark: SparkSession, model: str) -> None:
    assert credits(table(spark, [("A", 1, 0), ("A", 0, 0)]), model) == {"A": 1}


def test_of_two_touches_each_end_has_half(spark: SparkSession) -> None:
    assert credits(table(spark, [("AB", 1, 0)]), "position") == {"A": 0.5, "B": 0.5}


def test_a_channel_at_several_places_of_a_path_has_all_their_shares(spark: SparkSession) -> None:
    assert credits(table(spark, [("ABA", 1, 0)]), "position") == pytest.approx({"A": 0.8, "B": 0.2})


def test_a_touch_a_half_life_earlier_counts_half(spark: SparkSession) -> None:
    found = credits(table(spark, [("ABC", 1, 0)], days=[14, 7, 0]), "time_decay")
    assert found == pytest.approx({"A": 1 / 7, "B": 2 / 7, "C": 4 / 7})


def test_only_the_distance_of_touches_counts_however_long_ago(spark: SparkSession) -> None:
    found = credits(table(spark, [("AB", 1, 0)], days=[40_007, 40_000]), "time_decay")
    assert found == pytest.approx({"A": 1 / 3, "B": 2 / 3})


def test_half_life_and_ends_are_rules(spark: SparkSession) -> None:
    rules = AttributionRules(half_life_days=1, ends_percent=50)
    assert credits(table(spark, [("AB", 1, 0)], days=[1, 0]), "time_decay", rules=rules) == pytest.approx(
        {"A": 1 / 3, "B": 2 / 3}
    )
    assert credits(table(spark, [("ABC", 1, 0)]), "position", rules=rules) == {"A": 0.5, "C": 0.5}


# Data-driven ---------------------------------------------------------------------------------------------------------


def test_data_driven_shares_in_proportion_to_what_the_path_loses_without_a_touch(spark: SparkSession) -> None:
    """B > D of Fractribution's own sample: 12 of 192 convert, 596 of 37,058 do by B alone, 182 of 6,537 by D alone."""
    rows = [("B > D", 12, 192), ("B", 596, 37_058), ("D", 182, 6_537)]
    paths = spark.createDataFrame(rows, "path string, conversions bigint, paths bigint")
    without_b, without_d = 12 / 192 - 182 / 6_537, 12 / 192 - 596 / 37_058
    d_share = without_d / (without_b + without_d)
    assert d_share == pytest.approx(0.5725, abs=1e-4)
    found = credits(paths, "data_driven")
    assert found == pytest.approx({"B": 596 + 12 * (1 - d_share), "D": 182 + 12 * d_share})


def test_a_touch_that_lowers_the_chance_has_nothing(spark: SparkSession) -> None:
    paths = [("AB", 1, 0), ("AB", 0, 0), ("A", 1, 0), ("B", 0, 0)]
    assert credits(table(spark, paths), "data_driven") == {"A": 2}


def test_where_no_touch_raises_the_chance_the_last_has_all(spark: SparkSession) -> None:
    paths = [("AB", 1, 0), ("AB", 0, 0), ("A", 1, 0), ("B", 1, 0)]
    assert credits(table(spark, paths), "data_driven") == {"A": 1, "B": 2}


def test_a_path_without_one_touch_is_looked_for_as_it_is_not_collapsed_again(spark: SparkSession) -> None:
    paths = [("ABA", 1, 0), ("ABA", 0, 0), ("A", 1, 0)]
    found = credits(table(spark, paths), "data_driven")
    assert found == pytest.approx({"A": 1 + 2 / 3, "B": 1 / 3})


# What is counted -----------------------------------------------------------------------------------------------------


def test_a_conversion_without_a_touch_is_credited_to_nobody(spark: SparkSession) -> None:
    for model in MODELS:
        assert credits(table(spark, [("", 1, 5), ("A", 1, 5)]), model) == {"A": 1}


def test_conversions_default_to_one_and_revenue_to_nothing(spark: SparkSession) -> None:
    (row,) = attribute(spark.createDataFrame([("Email",)], "path string"), "last").collect()
    assert (row.channel_group, row.conversions, row.revenue) == ("Email", 1.0, 0.0)


def test_an_amount_that_is_no_number_does_not_spoil_the_others(spark: SparkSession) -> None:
    rows = [("A", float("nan")), ("A", float("inf")), ("A", 1e300), ("A", -2.5), ("A", 10.0), ("A", None)]
    (row,) = attribute(spark.createDataFrame(rows, "path string, revenue double"), "last").collect()
    assert (row.conversions, row.revenue) == (6.0, 7.5)


def test_a_model_that_there_is_not_is_refused_by_name(spark: SparkSession) -> None:
    with pytest.raises(ValueError, match="no attribution model 'markov': it is one of first, last, linear"):
        attribute(table(spark, []), "markov")  # type: ignore[arg-type]


def test_no_paths_give_no_rows(spark: SparkSession) -> None:
    assert rows_of(attribution(table(spark, []))) == []
    assert rows_of(channel_performance(table(spark, []), None)) == []


def test_all_models_are_in_the_columns_of_the_contract(spark: SparkSession) -> None:
    made = attribution(table(spark, [("AB", 1, 10)]))
    assert tuple(made.columns) == ATTRIBUTION.column_names
    assert {row.model for row in made.collect()} == set(MODELS)


# Spend ---------------------------------------------------------------------------------------------------------------

SPEND = "event_date date, channel_group string, spend double, currency string"


def test_spend_gives_return_and_cost_and_its_absence_nothing(spark: SparkSession) -> None:
    spend = spark.createDataFrame([(NOON.date(), "A", 4.0, "EUR"), (NOON.date(), "B", 0.0, "EUR")], SPEND)
    rows = {
        row["channel_group"]: row
        for row in rows_of(channel_performance(table(spark, [("ABC", 1, 12)]), spend))
        if row["model"] == "linear"
    }
    assert {name: (row["spend"], row["roas"], row["cpa"]) for name, row in rows.items()} == {
        "A": (4.0, pytest.approx(1.0), pytest.approx(12.0)),
        "B": (0.0, None, 0.0),
        "C": (None, None, None),
    }


def test_spend_of_a_day_without_conversions_has_a_row_by_each_model(spark: SparkSession) -> None:
    spend = spark.createDataFrame([(dt.date(2026, 1, 1), "Display", 4.0, "EUR")], SPEND)
    rows = rows_of(channel_performance(table(spark, []), spend))
    assert [(row["conversions"], row["revenue"], row["roas"], row["cpa"]) for row in rows] == [(0, 0, 0, None)] * 6
    assert tuple(rows[0]) == CHANNEL_PERFORMANCE.column_names


# Any paths -----------------------------------------------------------------------------------------------------------


def collapsed(letters: str) -> str:
    return "".join(letter for place, letter in enumerate(letters) if letters[place - 1 : place] != letter)


ANY_PATHS = st.lists(
    st.tuples(
        st.text("ABCD", max_size=5).map(collapsed),
        st.sampled_from([1, 1, 0]),
        st.sampled_from([0.0, 1.0, 9.99, 100.1, -3.3]),
    ),
    min_size=1,
    max_size=12,
).map(lambda rows: [(letters, conversions, revenue * conversions) for letters, conversions, revenue in rows])


@examples(6)
@given(paths=ANY_PATHS, data=st.data())
def test_every_model_credits_each_conversion_once_in_any_order(
    spark: SparkSession, paths: list[Path], data: st.DataObject
) -> None:
    found: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    rows = rows_of(attribution(table(spark, paths)))
    for row in rows:
        found[row["model"]][row["channel_group"]] = (row["conversions"], row["revenue"])
    conversions = sum(conversions for letters, conversions, _ in paths if letters)
    revenue = sum(revenue for letters, _, revenue in paths if letters)
    for model in MODELS:
        assert sum(each[0] for each in found[model].values()) == pytest.approx(conversions, abs=1e-9)
        assert sum(each[1] for each in found[model].values()) == pytest.approx(revenue, abs=1e-9)
        assert {name: each[0] for name, each in found[model].items()} == pytest.approx(by_hand(paths, model))
    assert rows_of(attribution(table(spark, data.draw(st.permutations(paths))))) == rows
