"""Attribution as Dagster runs it: from records on the stream to a picture of credits."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from event_assets.contract.records import pack
from event_assets.defs.assets.pictures import grouped_bars
from event_assets.defs.automation.partitions import partitions_of
from event_assets.pipeline.registry import STEPS
from event_assets.settings import Settings
from event_assets.streams import StreamRecord, open_stream
from event_assets_tests.end_to_end.whole_run import RANGE_END, RANGE_START, days_ago, lake_rows, run

ORDER = {"order_id": "o_1", "revenue": 50, "currency": "EUR"}
VISIT: Mapping[str, Any] = {"event": "page_view", "platform": "web", "anonymous_id": "a1", "page_view_id": "p1"}
SALE: Mapping[str, Any] = {"event": "purchase", "platform": "web", "anonymous_id": "a1", "properties": ORDER}
LANDING = "https://shop.example/?mtm_source=news&utm_source=other&mtm_medium=email"


def put(settings: Settings, *events: Mapping[str, Any]) -> None:
    lines = [
        json.dumps({"event_id": f"e{n}", "derived_at": at, "received_at": at, **event}).encode()
        for n, (event, at) in enumerate(
            zip(events, (f"{days_ago(1)}T10:00:00Z", f"{days_ago(1)}T10:05:00Z"), strict=True)
        )
    ]
    stream = open_stream(settings)
    stream.create(1)
    stream.put([StreamRecord("a1", data) for data in pack(lines, "zstd")])
    stream.close()


@pytest.mark.slow
def test_a_run_credits_the_channel_that_the_configured_parameters_name(tmp_path: Path) -> None:
    spend = tmp_path / "spend.yaml"
    spend.write_text(f"- {{date: {days_ago(1)}, channel_group: Email, spend: 5, currency: EUR}}\n")
    settings = Settings(
        home=tmp_path / "home",
        first_day=days_ago(2),
        spend_file=spend,
        marketing_parameters={"source": ["mtm_source", "utm_source"], "medium": ["mtm_medium"]},
    )
    put(settings, {**VISIT, "page": {"url": LANDING}}, SALE)
    partitions = partitions_of(settings)
    tags = {RANGE_START: str(days_ago(2)), RANGE_END: partitions.get_last_partition_key() or ""}
    result = run(
        settings,
        tags,
        assets=[dg.AssetKey(table.name) for step in STEPS if step.pace != "pauses" for table in step.tables],
    )
    rows = lake_rows(settings)
    (touch,) = rows["touches"]
    assert (touch["source"], touch["medium"], touch["channel_group"]) == ("news", "email", "Email")
    assert {(row["channel_group"], row["conversions"], row["revenue"]) for row in rows["attribution"]} == {
        ("Email", 1.0, 50.0)
    }
    assert {(row["spend"], row["roas"], row["cpa"]) for row in rows["channel_performance"]} == {(5.0, 10.0, 5.0)}
    (made,) = [
        event for event in result.get_asset_materialization_events() if event.asset_key == dg.AssetKey("attribution")
    ]
    assert "image/svg+xml" in str(made.materialization.metadata["conversions by model"].value)
    assert made.materialization.metadata["conversions_without_touch"].value == 0


def test_a_spend_file_that_cannot_be_used_leaves_the_table_and_is_told(tmp_path: Path) -> None:
    spend = tmp_path / "spend.csv"
    spend.write_text("date,channel_group,spend,currency\n2026-03-02,Mail,5,EUR\n")
    settings = Settings(home=tmp_path / "home", spend_file=spend)
    result = run(settings, {}, assets=[dg.AssetKey("channel_performance")])
    (made,) = result.get_asset_materialization_events()
    assert "line 2: channel_group 'Mail' is none of" in str(made.materialization.metadata["spend_file"].value)
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert str(spend) in str(check.metadata["fault"].value)


def test_groups_are_drawn_from_the_largest_down_each_with_its_bars() -> None:
    picture = grouped_bars({"Email & co": {"first": 1, "last": 2}, "Direct": {"first": 5}, "Audio": {}}, "conversions")
    svg = _svg(picture.value)
    assert svg.index("Direct") < svg.index("Email &amp; co") < svg.index("Audio")
    assert svg.count("<rect") == 2 + 3 * 2


def test_no_groups_are_an_empty_picture() -> None:
    assert "<rect" not in _svg(grouped_bars({}, "conversions").value)


def _svg(markdown: str | None) -> str:
    return base64.b64decode((markdown or "").partition("base64,")[2].rstrip(")")).decode()
