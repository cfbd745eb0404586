from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.transforms.product.paths import top_paths
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]


def visit(session: str | None, pages: str, **fields: Any) -> list[Row]:
    """A page view a second, on pages of one letter."""
    return [
        enriched_event(when=at(second), session_id=session, page_path=page if page != "-" else None, **fields)
        for second, page in enumerate(pages)
    ]


def edges(spark: SparkSession, rows: list[Row], *by: Any, **how: Any) -> dict[str, int]:
    made = rows_of(top_paths(frame(spark, rows), *by, **how))
    return {f"{row['step']} {row['from_node']} > {row['to_node']}": row["transitions"] for row in made}


def test_a_path_goes_from_its_start_from_node_to_node_to_its_end(spark: SparkSession) -> None:
    assert edges(spark, [*visit("s1", "ab"), *visit("s2", "ac"), *visit("s3", "ab")]) == {
        "0 (start) > a": 3,
        "1 a > b": 2,
        "1 a > c": 1,
        "2 b > (end)": 2,
        "2 c > (end)": 1,
    }


def test_equal_neighbours_are_one_node_unless_told_otherwise(spark: SparkSession) -> None:
    rows = visit("s", "aab")
    assert edges(spark, rows) == {"0 (start) > a": 1, "1 a > b": 1, "2 b > (end)": 1}
    assert "1 a > a" in edges(spark, rows, collapse_repeats=False)


def test_a_path_that_goes_on_after_its_last_node_has_no_end(spark: SparkSession) -> None:
    assert edges(spark, visit("s", "abc"), length=2) == {"0 (start) > a": 1, "1 a > b": 1}
    assert "2 b > (end)" in edges(spark, visit("s", "ab"), length=2)


def test_a_path_may_begin_at_a_node(spark: SparkSession) -> None:
    assert edges(spark, [*visit("s1", "abac"), *visit("s2", "ac")], start="b", length=9) == {
        "0 (start) > b": 1,
        "1 b > a": 1,
        "2 a > c": 1,
        "3 c > (end)": 1,
    }


def test_a_path_may_lead_to_a_node_and_is_followed_back_from_there(spark: SparkSession) -> None:
    assert edges(spark, [*visit("s1", "abcdc"), *visit("s2", "ab")], end="c", length=2) == {
        "0 (start) > b": 1,
        "1 b > c": 1,
        "2 c > (end)": 1,
    }


def test_between_a_start_and_an_end_the_middle_of_a_longer_way_is_put_together(spark: SparkSession) -> None:
    rows = [*visit("s1", "zabcdefx"), *visit("s2", "afx"), *visit("s3", "bcf"), *visit("s4", "fa")]
    short = {"0 (start) > a": 2, "2 f > (end)": 1}
    assert edges(spark, rows, start="a", end="f", length=4) == {
        **short,
        "1 a > b": 1,
        "2 b > (...)": 1,
        "3 (...) > e": 1,
        "4 e > f": 1,
        "5 f > (end)": 1,
        "1 a > f": 1,
    }
    assert edges(spark, rows, start="a", end="f", length=3) == {
        **short,
        "1 a > (...)": 1,
        "2 (...) > f": 1,
        "3 f > (end)": 1,
        "1 a > f": 1,
    }
    assert edges(spark, rows, start="a", end="f", length=6)["6 f > (end)"] == 1


@pytest.mark.parametrize("start", ["/a", "/a/"])
def test_the_slash_at_the_end_of_a_pages_path_does_not_count(spark: SparkSession, start: str) -> None:
    pages = ["/", "/a", "/a/", "/b/", "/b"]
    rows = [enriched_event(when=at(k), session_id="s", page_path=page) for k, page in enumerate(pages)]
    assert edges(spark, rows) == {"0 (start) > /": 1, "1 / > /a": 1, "2 /a > /b": 1, "3 /b > (end)": 1}
    assert edges(spark, rows, start=start) == {"0 (start) > /a": 1, "1 /a > /b": 1, "2 /b > (end)": 1}
    named = [enriched_event(when=at(k), session_id="s", app_id=name) for k, name in enumerate(["x", "x/"])]
    assert "1 x > x/" in edges(spark, named, "app_id")


def test_nodes_may_be_events_or_properties_and_what_has_none_is_left_out(spark: SparkSession) -> None:
    rows = visit("s", "a-b", properties='{"step": "x"}')
    assert edges(spark, rows) == {"0 (start) > a": 1, "1 a > b": 1, "2 b > (end)": 1}
    assert edges(spark, rows, "event") == {"0 (start) > page_view": 1, "1 page_view > (end)": 1}
    assert edges(spark, rows, "step") == {"0 (start) > x": 1, "1 x > (end)": 1}
    assert edges(spark, visit(None, "ab")) == {}


def test_only_the_most_frequent_transitions_of_a_step_are_kept(spark: SparkSession) -> None:
    rows = [*visit("s1", "ab"), *visit("s2", "ac"), *visit("s3", "ac")]
    assert edges(spark, rows, most=1) == {"0 (start) > a": 3, "1 a > c": 2, "2 c > (end)": 2}


def test_the_time_between_two_nodes_is_measured(spark: SparkSession) -> None:
    made = rows_of(top_paths(frame(spark, [*visit("s1", "a--b"), *visit("s2", "ab")])))
    assert [row["mean_seconds"] for row in made if row["from_node"] == "a"] == [2.0]


def test_equal_neighbours_are_at_the_time_of_the_last(spark: SparkSession) -> None:
    made = rows_of(top_paths(frame(spark, visit("s", "aaa-bbc"))))
    assert {row["from_node"]: row["mean_seconds"] for row in made if row["from_node"] in "ab"} == {"a": 3.0, "b": 1.0}


@examples(6)
@given(st.lists(st.text("abc", min_size=1, max_size=7), min_size=1, max_size=5), st.integers(2, 5), st.booleans())
def test_transitions_are_those_of_walked_sessions(
    spark: SparkSession, sessions: list[str], length: int, collapse: bool
) -> None:
    expected: Counter[str] = Counter()
    for pages in sessions:
        nodes = [page for k, page in enumerate(pages) if not (collapse and k and pages[k - 1] == page)]
        ways = ["(start)", *nodes, "(end)"]
        expected.update(f"{k} {ways[k]} > {ways[k + 1]}" for k in range(min(len(nodes) + 1, length)))
        if len(nodes) == length:
            expected[f"{length} {nodes[-1]} > (end)"] += 1
    rows = [row for k, pages in enumerate(sessions) for row in visit(f"s{k}", pages)]
    assert edges(spark, rows, length=length, collapse_repeats=collapse) == dict(expected)
