"""Since when tables are whole never goes back, and what is made of several is made of whole days alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS
from event_assets.lake.horizons import MADE_OF, closed_before, raise_horizons, read_horizons
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.registry import STEPS
from event_assets.rules.retention import TABLES


def test_a_horizon_never_goes_back(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    assert read_horizons(storage) == {}
    raise_horizons(storage, {"sessions": "2026-03-01"})
    raise_horizons(storage, {"sessions": "2026-02-01", "raw_events": "2026-04-01"})
    assert read_horizons(storage) == {"raw_events": "2026-04-01", "sessions": "2026-03-01"}


def test_a_table_that_is_made_anew_while_days_are_gone_is_whole_since_what_it_is_made_of(tmp_path: Path) -> None:
    lake = Lake(Storage(str(tmp_path)))
    lake.table("clean_events").snapshot()
    assert read_horizons(lake.storage) == {}
    raise_horizons(lake.storage, {"raw_events": "2026-03-01", "sessions": "2025-01-01"})
    shutil.rmtree(tmp_path / "clean_events")
    for name in ("clean_events", "enriched_events", "sessions", "users"):
        Lake(lake.storage).table(name).snapshot()
    assert set(read_horizons(lake.storage).values()) == {"2026-03-01"}
    assert lake.table("sessions").snapshot().whole_since == "2026-03-01"


def test_the_tables_of_which_days_go_are_made_of_what_the_graph_says() -> None:
    for table, upstream in MADE_OF.items():
        step = next(step for step in STEPS if table in {each.name for each in step.tables})
        assert upstream in {each.name for each in step.follows}
    assert {table for table in TABLES if not table.startswith(("daily_", "hourly_"))} == {*MADE_OF, "raw_events"}


def test_what_reaches_over_days_is_made_of_days_a_while_after_the_latest_horizon() -> None:
    assert closed_before(ENRICHED_EVENTS, ["", ""]) == ""
    assert closed_before(ENRICHED_EVENTS, ["2026-02-27", "2026-01-01", ""]) == "2026-03-02"
    assert closed_before(CLEAN_EVENTS, ["2026-02-27"]) == "2026-02-27", "days of arrival end with the day"
