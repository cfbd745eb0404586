"""The page of the pipeline says nothing about a person of quarantined events, and reads the end of a long ledger."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.tables.events import EVENT_LEDGER
from event_assets.contract.tables.minutes import LANDING_LAG
from event_assets.dashboards.pages.pipeline import lag_of, landed_by_hour, last_hours, shape_of
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets_tests.dashboards.conftest import NOW, Site
from event_assets_tests.factories import row_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
SECRET = "anna@example.org"


def test_a_shape_has_the_names_and_types_of_an_event() -> None:
    event = {"event": "search", "user_id": SECRET, "properties": {"n": 1, "found": [{"a": 0.5}, 2], "none": None}}
    assert json.loads(shape_of(json.dumps(event).encode())) == {
        "event": "text",
        "user_id": "text",
        "properties": {"n": "number", "found": [{"a": "number"}, "2 in all"], "none": "null"},
    }


@given(JSON)
def test_no_value_of_an_event_is_in_its_shape(value: Any) -> None:
    def marked(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {name: marked(each) for name, each in inner.items()}
        return [marked(each) for each in inner] if isinstance(inner, list) else SECRET

    assert SECRET not in shape_of(json.dumps(marked(value)).encode())


@given(st.binary())
def test_whatever_was_sent_has_a_shape_that_can_be_shown(data: bytes) -> None:
    assert shape_of(data).isprintable()


def test_what_is_nested_too_deep_or_no_json_is_told_by_its_size() -> None:
    assert shape_of(b"[" * 100_000) == "100000 bytes that are no JSON"
    assert shape_of(b'{"email": "anna@exam') == "20 bytes that are no JSON"


def test_of_a_long_ledger_the_last_hours_are_shown_and_no_day_long_before_them_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(Storage(str(tmp_path)))
    table = lake.table(EVENT_LEDGER.name)
    assert last_hours(lake).rows == []
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(100)]
    staged = [
        table.stage_arrow(
            pa.Table.from_pylist([row_of(EVENT_LEDGER, arrival_date=day)], EVENT_LEDGER.arrow_schema()),
            "rows",
            {"arrival_date": str(day)},
        )
        for day in days
    ]
    base = table.snapshot()
    table.commit(base, base.progress, add=staged)
    opened: list[str] = []
    really = pq.read_table

    def noted(path: str, **how: Any) -> pa.Table:
        opened.append(path)
        return really(path, **how)

    monkeypatch.setattr(pq, "read_table", noted)
    assert [row[0].date() for row in last_hours(lake).rows] == days[-72:]
    assert len(opened) == 72


def test_of_each_hour_it_is_told_how_many_events_waited_to_be_landed(tmp_path: Path) -> None:
    lake = Lake(Storage(str(tmp_path)))
    assert landed_by_hour(lake).is_empty
    table, at = lake.table(LANDING_LAG.name), dt.datetime(2026, 3, 1, 23, 58, tzinfo=dt.UTC)
    base, files = table.snapshot(), []
    for day, minutes in (("2026-03-01", (0, 1)), ("2026-03-02", (2, 3))):
        own = [
            {
                "day": day,
                "minute": at + dt.timedelta(minutes=each),
                "events": 10,
                "waited": 5 * each,
                "longest_seconds": 60.0 * each,
            }
            for each in minutes
        ]
        files.append(table.stage_arrow(pa.Table.from_pylist(own, LANDING_LAG.arrow_schema()), day, {"day": day}))
    table.commit(base, base.progress, add=files)
    shown = [(f"{hour:%d %H}", *row) for hour, *row in landed_by_hour(lake).rows]
    assert shown == [("01 23", 20, 5, 60.0), ("02 00", 20, 25, 180.0)]


def test_the_lag_is_of_the_events_that_came_in_these_minutes(site: Site) -> None:
    seconds = [1, 2, 3, 4, 90]
    rows = [
        {"event_id": str(n), "event": "e", "derived_at": NOW, "event_date": NOW.date()}
        | {"received_at": NOW - dt.timedelta(seconds=took)}
        for n, took in enumerate(seconds)
    ]
    site.put("fct_events", rows)
    site.put("fct_events", [{**rows[0], "event_id": "old", "received_at": NOW - dt.timedelta(hours=2)}])
    [row] = lag_of(site.context).rows
    assert row == pytest.approx((5, 3.0, 72.8, 90.0))
