"""What is behind: also what no run has come to yet."""

from __future__ import annotations

from pathlib import Path

from event_assets.contract.records import pack
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.land import land_step
from event_assets.settings import Settings
from event_assets.stack.overview import IN_PAUSES, read_overview
from event_assets.streams import StreamRecord, open_stream
from event_assets_tests.pipeline.runs import a_run


def test_where_nothing_ever_came_nothing_is_behind(tmp_path: Path) -> None:
    assert read_overview(Settings(home=tmp_path), None).settled


def test_a_table_that_the_first_run_has_not_come_to_is_behind(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    stream = open_stream(settings)
    stream.create(1)
    stream.put([StreamRecord("k", data) for data in pack([b'{"event_id":"1"}'])])
    land_step(a_run(Lake(Storage(settings.lake)), None, stream=stream))
    stream.close()
    overview = read_overview(settings, None)
    assert overview.unread_shards == []
    assert not overview.settled
    assert overview.pending.keys() == {table.name for table in LAKE_TABLES} - {RAW_EVENTS.name} - IN_PAUSES
    assert overview.awaits_pause and not read_overview(Settings(home=tmp_path / "other"), None).awaits_pause
