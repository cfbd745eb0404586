from __future__ import annotations

import json
from typing import Any

from pyspark.sql import SparkSession

from event_assets.transforms.product.web_vitals import web_vitals
from event_assets_tests.factories import enriched_event, frame, rows_of

Row = dict[str, Any]


def reported(view: str | None, event: str = "web_vitals", path: str | None = "/", **measures: Any) -> Row:
    return enriched_event(
        event, page_view_id=view, page_path=path, device_type="mobile", properties=json.dumps(measures)
    )


def test_a_measure_is_the_75th_percentile_of_its_views(spark: SparkSession) -> None:
    rows = [reported(f"p{k}", lcp_ms=1000 * k, cls=0.1) for k in range(1, 6)] + [reported("p9", "page_view", inp_ms=80)]
    assert rows_of(web_vitals(frame(spark, rows))) == [
        {
            "page_path": "/",
            "device_type": "mobile",
            "views": 6,
            "lcp_ms": 4000.0,
            "inp_ms": 80.0,
            "fid_ms": None,
            "cls": 0.1,
        }
    ]


def test_a_view_that_reports_more_than_once_counts_once_with_the_largest(spark: SparkSession) -> None:
    rows = [reported("p1", lcp_ms=100, cls=0.3), reported("p1", lcp_ms=900), reported(None, lcp_ms=900)]
    [row] = rows_of(web_vitals(frame(spark, rows)))
    assert (row["views"], row["lcp_ms"], row["cls"]) == (2, 900.0, 0.3)


def test_pages_and_devices_are_apart_and_what_is_not_known_has_a_name(spark: SparkSession) -> None:
    rows = [reported("p1", lcp_ms=1), reported("p2", path="/b", lcp_ms=2), reported("p3", path=None, lcp_ms=3)]
    assert [row["page_path"] for row in rows_of(web_vitals(frame(spark, rows)))] == ["(none)", "/", "/b"]


def test_what_is_no_measure_does_not_count(spark: SparkSession) -> None:
    rows = [
        reported("p1", lcp_ms=-5, cls="x", inp_ms=None),
        reported("p2", "purchase", lcp_ms=5),
        reported("p3"),
        reported("p4", lcp_ms="Infinity"),
        reported("p5", lcp_ms="NaN"),
        reported("p6", fid_ms="12"),
    ]
    [row] = rows_of(web_vitals(frame(spark, rows)))
    assert (row["views"], row["lcp_ms"], row["fid_ms"]) == (1, None, 12.0)


def test_a_measure_may_be_a_column_and_any_frame_of_events_will_do(spark: SparkSession) -> None:
    events = frame(spark, [reported("p1", lcp_ms=1), {**reported("p2"), "lcp_ms": 5.0}])
    assert [row["lcp_ms"] for row in rows_of(web_vitals(events))] == [4.0]
    without = events.drop("lcp_ms", "inp_ms", "fid_ms", "cls")
    assert [row["lcp_ms"] for row in rows_of(web_vitals(without))] == [1.0]


def test_pages_with_few_views_can_be_left_out(spark: SparkSession) -> None:
    rows = [reported("p1", lcp_ms=1), reported("p2", lcp_ms=1), reported("p3", path="/b", lcp_ms=1)]
    assert [row["page_path"] for row in rows_of(web_vitals(frame(spark, rows), least_views=2))] == ["/"]
