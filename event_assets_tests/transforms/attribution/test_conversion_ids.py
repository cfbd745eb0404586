"""Which conversion an event tells of, and which of several counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import CONVERSION_IDS
from event_assets.transforms.attribution import conversion_ids as module
from event_assets.transforms.attribution.conversion_ids import conversion_ids, with_conversions, with_repeats
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]


def purchase(order: Any, seconds: float = 0, **fields: Any) -> Row:
    return enriched_event("purchase", at(seconds), properties=json.dumps({"order_id": order}), **fields)


def counted(spark: SparkSession, rows: list[Row], rules: SessionRules = SessionRules()) -> list[str]:
    """The ids of the events that count."""
    events = frame(spark, rows)
    ids = with_repeats(conversion_ids(events, rules))
    assert tuple(ids.columns) == CONVERSION_IDS.column_names
    found = with_conversions(events, rules, ids).where("is_conversion")
    return sorted(row["event_id"] for row in found.select("event_id").collect())


def test_an_order_counts_once_by_its_earliest_event_then_by_the_least_id(spark: SparkSession) -> None:
    rows = [
        purchase("one", 5, event_id="a"),
        purchase("one", 3, event_id="c", anonymous_id="a2"),
        purchase("one", 3, event_id="b", session_id="s"),
        purchase("two", 9, event_id="d"),
    ]
    for order in (rows, rows[::-1]):
        assert counted(spark, order) == ["b", "d"]


def test_a_robot_takes_no_order_from_a_person(spark: SparkSession) -> None:
    rows = [purchase("one", 0, event_id="a", is_bot=True), purchase("one", 9, event_id="b")]
    assert counted(spark, rows) == ["b"]
    assert counted(spark, rows[:1]) == ["a"]


@pytest.mark.parametrize("order", [None, "", "  ", "null", "UNDEFINED", "-", "0", "[object Object]"])
def test_events_that_do_not_say_which_order_they_tell_of_all_count(spark: SparkSession, order: Any) -> None:
    rows = [purchase(order, event_id="a"), purchase(order, event_id="b")]
    assert counted(spark, [*rows, enriched_event("purchase", event_id="c", properties="no json")]) == ["a", "b", "c"]


def test_which_words_tell_of_no_order_can_be_named(spark: SparkSession) -> None:
    rows = [purchase(order, event_id=f"{order}-{n}") for order in ("n/a", "guest") for n in range(2)]
    assert counted(spark, rows) == ["guest-0", "guest-1", "n/a-0"]
    assert counted(spark, rows, SessionRules(placeholders=("N/A",))) == ["guest-0", "n/a-0", "n/a-1"]


def test_a_number_and_its_text_are_one_order_with_blanks_around_or_not(spark: SparkSession) -> None:
    orders = {"a": 7, "b": "7", "c": " 7 ", "d": 8}
    assert counted(spark, [purchase(order, event_id=name) for name, order in orders.items()]) == ["a", "d"]


def test_the_property_is_a_setting_by_event_and_events_of_another_name_are_another_conversion(
    spark: SparkSession,
) -> None:
    ids = (("lead", "form.id"), ("purchase", "receipt"))
    rules = SessionRules(conversion_events=("purchase", "lead"), conversion_ids=ids)
    said = json.dumps({"receipt": "1", "form": {"id": "1"}, "order_id": "1"})
    names = {"a": "purchase", "b": "purchase", "c": "lead", "d": "lead", "e": "signup"}
    rows = [enriched_event(name, event_id=event_id, properties=said) for event_id, name in names.items()]
    assert counted(spark, rows, rules) == ["a", "c"]
    assert counted(spark, rows, SessionRules(conversion_ids=())) == ["a", "b"]


def test_repeats_are_told_apart_also_where_they_are_too_many_for_a_list(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 0)
    assert counted(spark, [purchase("one", n, event_id=f"e{n}") for n in range(4)]) == ["e0"]


def test_without_an_index_all_of_them_count(spark: SparkSession) -> None:
    events = frame(spark, [purchase("one"), purchase("one"), enriched_event()])
    assert sum(row["is_conversion"] for row in rows_of(with_conversions(events, SessionRules(), None))) == 2
