"""Any split, order, repeat and crash ends in the same tables as one batch over everything."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.site_zones import IN_UTC, SiteZones
from event_assets.pipeline.registry import STEPS, refresh_all
from event_assets.pipeline.window import EVERYTHING, Window
from event_assets_tests.examples import examples
from event_assets_tests.pipeline.pipeline import BY_PLACE, OF_ATTRIBUTION, WITHOUT_ATTRIBUTION, Pipeline

pytestmark = pytest.mark.slow

DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
COMPARED = (
    "enriched_events",
    "page_views",
    "identities",
    "sessions",
    "session_issues",
    "conversion_ids",
    "visitors",
    "users",
    "user_segments",
    "daily_metrics",
    "daily_sessions",
    "daily_events",
    "daily_pages",
    "period_people",
    "user_history",
    "consent_receipts",
    "dates",
    "pages",
    "campaigns",
    "devices",
    "places",
)
OF_PEOPLE = ("user_traits", "groups", "group_members")
ZONES = (IN_UTC, SiteZones("America/New_York"), SiteZones("Asia/Kolkata", (("shop", "Pacific/Honolulu"),)))
KEYS = {
    "sessions": {"campaign_key": "campaigns", "device_key": "devices", "geo_key": "places"},
    "page_views": {"page_key": "pages", "geo_key": "places"},
}
"""Of facts, the keys that they carry, with the dimensions that these are of."""

ANSWERS = (
    None,
    None,
    None,
    {"analytics": True, "marketing": True},
    {"marketing": False, "text_version": "2"},
    {"analytics": False},
)
"""What a person agreed to; events of those who refused analytics are stripped of whose they are."""


def orders() -> st.SearchStrategy[dict[str, Any]]:
    """Few orders, so that some are told of again; amounts whose sum as floats depends on their order."""
    amounts, names = st.sampled_from([0.1, 0.2, 0.7, 1e9 + 0.3, -0.1]), st.sampled_from([None, "o1", "o2", 7])
    return st.fixed_dictionaries({"revenue": amounts, "order_id": names})


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event around two midnights; few ids, so that sessions meet and page views repeat."""
    number = draw(st.integers(0, 25))
    happened = DAY + dt.timedelta(minutes=draw(st.integers(-90, 1530)))
    kind = draw(st.sampled_from(["page_view", "screen_view", "page_ping", "click", "purchase", "identify", "group"]))
    event: dict[str, Any] = {
        "event_id": f"e{number}",
        "event": kind,
        "platform": draw(st.sampled_from(["web", "server"])),
        "anonymous_id": draw(st.sampled_from(["a1", "a2", "a3"])),
        "user_id": draw(st.sampled_from([None, "a0", "u1", "u2"])),
        "session_id": draw(st.sampled_from([None, None, "s1", "s2"])),
        "occurred_at": happened.isoformat(),
        "derived_at": happened.isoformat(),
        "properties": draw(orders()) if kind == "purchase" else {},
        "app": {"id": draw(st.sampled_from(["shop", "blog"]))},
    }
    if consent := draw(st.sampled_from(ANSWERS)):
        event["consent"] = consent
    if kind == "identify":
        event["traits"] = draw(st.sampled_from([{}, {"plan": "free"}, {"plan": "paid"}]))
    if kind == "group":
        event["group_id"] = draw(st.sampled_from(["g1", "g2"]))
    if kind in ("page_view", "page_ping"):
        event["page_view_id"] = draw(st.sampled_from([None, "p1", "p2", "p3"]))
        event["page"] = {"url": f"https://shop.example/{number % 3}"}
    return event


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[bytes], list[list[int]], list[int], list[bool]]:
    """Lines with distinct times of receipt, their split into batches in any order with repeats, and how runs go."""
    drawn = draw(st.lists(events(), min_size=1, max_size=30))
    lines = [
        json.dumps({**event, "received_at": (DAY + dt.timedelta(days=2, seconds=place)).isoformat()}).encode()
        for place, event in enumerate(drawn)
    ]
    order = draw(st.permutations(range(len(lines))))
    repeats = draw(st.lists(st.sampled_from(range(len(lines))), max_size=5))
    cuts = sorted(draw(st.lists(st.integers(0, len(lines)), max_size=3)))
    batches = [list(order)[start:end] for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    narrow = draw(st.lists(st.booleans(), min_size=4, max_size=4))
    return lines, batches, repeats, narrow


@examples(4)
@given(history=histories(), zones=st.sampled_from(ZONES))
def test_any_split_order_and_repeat_gives_the_tables_of_one_batch(
    spark: SparkSession, history: tuple[list[bytes], list[list[int]], list[int], list[bool]], zones: SiteZones
) -> None:
    lines, batches, repeats, narrow = history
    with tempfile.TemporaryDirectory() as folder:
        at_once = Pipeline(spark, Path(folder) / "one", zones=zones)
        at_once.put(lines)
        at_once.run(steps=WITHOUT_ATTRIBUTION)
        in_parts = Pipeline(spark, Path(folder) / "parts", zones=zones)
        for place, batch in enumerate(batches):
            in_parts.put([lines[index] for index in batch], key=f"k{place}", encoding="gzip" if place % 2 else "plain")
            window = Window(DAY.date(), DAY.date()) if narrow[place] else EVERYTHING
            in_parts.run(window, steps=WITHOUT_ATTRIBUTION)
        in_parts.put([lines[index] for index in repeats])
        in_parts.run(steps=WITHOUT_ATTRIBUTION)
        in_parts.run(rebuild=narrow[0], steps=WITHOUT_ATTRIBUTION)
        assert in_parts.pending() == {}
        for table in COMPARED:
            assert in_parts.rows(table, BY_PLACE) == at_once.rows(table, BY_PLACE), table
        assert visitors_of_days(in_parts) == visitors_of_sessions(in_parts, zones)
        for fact, keys in KEYS.items():
            for key, dimension in keys.items():
                there = [row[key] for row in in_parts.rows(dimension)]
                assert len(set(there)) == len(there)
                assert {row[key] for row in in_parts.rows(fact)} <= set(there), (fact, key)
        assert in_parts.ledger()["enriched"] == at_once.ledger()["enriched"]
        assert in_parts.ledger()["landed"] == len(lines) + len(repeats)


@examples(2)
@given(history=histories(), data=st.data())
def test_tables_may_lag_behind_each_other_in_any_way(
    spark: SparkSession, history: tuple[list[bytes], list[list[int]], list[int], list[bool]], data: st.DataObject
) -> None:
    lines, batches, _, _ = history
    names = [step.name for step in STEPS]
    with tempfile.TemporaryDirectory() as folder:
        at_once = Pipeline(spark, Path(folder) / "one")
        at_once.put(lines)
        at_once.run()
        in_parts = Pipeline(spark, Path(folder) / "parts")
        for place, batch in enumerate(batches):
            in_parts.put([lines[index] for index in batch], key=f"k{place}")
            left_out = data.draw(st.sets(st.sampled_from(names)), label="left out")
            refresh_all(in_parts.refresh(), [step for step in STEPS if step.name not in left_out])
        in_parts.run()
        for table in (*COMPARED, *OF_PEOPLE, *(table.name for table in OF_ATTRIBUTION)):
            assert in_parts.rows(table, BY_PLACE) == at_once.rows(table, BY_PLACE), table


def visitors_of_days(pipeline: Pipeline) -> dict[tuple[Any, ...], int]:
    days: Counter[tuple[Any, ...]] = Counter()
    for row in pipeline.rows("daily_metrics"):
        days[row["site_date"], row["platform"]] += row["visitors"]
    return +days


def visitors_of_sessions(pipeline: Pipeline, zones: SiteZones) -> dict[tuple[Any, ...], int]:
    seen = {
        (row["start_at"].astimezone(zones.clock([row["app_id"]])).date(), row["platform"], row["anonymous_id"])
        for row in pipeline.rows("sessions")
    }
    return Counter((date, platform) for date, platform, _ in seen)


def test_the_days_are_those_of_other_zones_once_the_setting_is_changed(spark: SparkSession, tmp_path: Path) -> None:
    times = [DAY + dt.timedelta(hours=hour) for hour in range(0, 72, 5)]
    sent = [
        {"event_id": str(at), "event": "page_view", "platform": "web", "anonymous_id": "a1", "app": {"id": "shop"}}
        | {"received_at": at.isoformat()}
        for at in times
    ]
    changed, fresh = Pipeline(spark, tmp_path / "one"), Pipeline(spark, tmp_path / "other", zones=ZONES[2])
    for pipeline in (changed, fresh):
        pipeline.put([json.dumps(event).encode() for event in sent])
        pipeline.run()
    before = changed.rows("daily_metrics")
    assert all(row["site_date"] == row["event_date"] for row in before)
    changed.enriching = fresh.enriching
    changed.run()
    tables = (*COMPARED, "conversions", "conversion_paths", "channel_performance")
    assert all(changed.rows(table, BY_PLACE) == fresh.rows(table, BY_PLACE) for table in tables)
    assert changed.rows("daily_metrics") != before


def test_a_batch_of_nothing_but_copies_of_one_event_counts_once(spark: SparkSession, tmp_path: Path) -> None:
    event = {"event_id": "e1", "event": "click", "platform": "web", "anonymous_id": "a1"}
    pipeline = Pipeline(spark, tmp_path)
    pipeline.put([json.dumps({**event, "received_at": DAY.isoformat()}).encode()] * 3)
    pipeline.run()
    assert pipeline.ledger()["enriched"] == 1
    assert pipeline.ledger()["duplicates"] == 2
    assert pipeline.ledger()["conflicts"] == 0
