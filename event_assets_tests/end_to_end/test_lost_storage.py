"""Dagster's storage is deleted between two ticks of the sensor: nothing is lost, nothing is doubled."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pytest

from event_assets.definitions import build_defs
from event_assets.settings import Settings
from event_assets.streams import EventStream, StreamRecord, open_stream
from event_assets_tests.defs.automation.ticks import tick
from event_assets_tests.end_to_end.visits import DAYS, Visits
from event_assets_tests.end_to_end.whole_run import (
    BY_PLACE,
    OF_PLACES,
    days_ago,
    lake_rows,
    ledger,
    run_everything,
    warehouse_rows,
)
from event_assets_tests.postgres import new_database

pytestmark = [pytest.mark.slow, pytest.mark.release]


@pytest.fixture
def settings(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A platform on a folder and a database of its own."""
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_URL", new_database(postgres_url))
    return Settings(home=tmp_path / "home", first_day=days_ago(DAYS))


def put(stream: EventStream, records: list[StreamRecord]) -> None:
    assert all(result.error is None for result in stream.put(records))


_AT_ONCE = {"arrivals": {"ops": {"take_in_events": {"config": {"idle_seconds": 0}}}}}
"""The run that stays for new events, for no longer than there are some."""


class Daemon:
    """Dagster's sensor daemon and run launcher in one: a tick of a sensor asks for runs, and they are run."""

    def __init__(self, settings: Settings, storage: Path) -> None:
        self.settings = settings
        self.storage = storage

    def tick(self) -> list[str]:
        """One tick of the stream's sensor, and every run that it asks for. Gives the kinds of the runs."""
        return [tags["event_assets/run"] for tags in self._tick("event_stream_sensor")]

    def analyse(self) -> None:
        """One tick of the analyses' sensor, which asks for a run when no events are on their way."""
        assert len(self._tick("product_analyses_sensor")) == 1

    def _tick(self, sensor: str) -> list[Mapping[str, str]]:
        definitions = build_defs(self.settings)
        self.storage.mkdir(exist_ok=True)
        with dg.DagsterInstance.local_temp(str(self.storage)) as instance:
            requests = tick(definitions, instance, sensor).requests
            for request in requests:
                job = definitions.resolve_job_def(request.job_name or "")
                done = job.execute_in_process(_AT_ONCE.get(job.name), tags=request.tags, instance=instance)
                assert done.success
        return [request.tags for request in requests]

    def tick_until_quiet(self) -> list[str]:
        kinds: list[str] = []
        while asked := self.tick():
            kinds += asked
            assert len(kinds) < 8, "the sensor asks for ever more runs"
        return kinds

    def lose_storage(self) -> None:
        shutil.rmtree(self.storage)


def test_dagsters_storage_may_be_lost_between_two_ticks(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    stream, visits = open_stream(settings), Visits()
    stream.create(2)
    daemon = Daemon(settings, tmp_path / "dagster")

    put(stream, visits.first())
    assert daemon.tick()[:1] == ["arrival"]
    daemon.lose_storage()
    daemon.tick_until_quiet()
    daemon.lose_storage()
    assert daemon.tick() == []
    put(stream, visits.second())
    daemon.lose_storage()
    assert daemon.tick()[:1] == ["arrival"]
    daemon.lose_storage()
    daemon.tick_until_quiet()
    daemon.analyse()
    counted = ledger(lake_rows(settings))
    found = {**lake_rows(settings, BY_PLACE), **warehouse_rows(settings, BY_PLACE)}

    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_URL", new_database(postgres_url))
    at_once = Settings(home=tmp_path / "at_once", first_day=settings.first_day)
    everything = open_stream(at_once)
    everything.create(2)
    put(everything, [*visits.first(), *visits.second()])
    assert run_everything(at_once).success
    assert counted == ledger(lake_rows(at_once)) and counted["pending"] == 0
    for table, rows in {**lake_rows(at_once, BY_PLACE), **warehouse_rows(at_once, BY_PLACE)}.items():
        assert table in OF_PLACES or found[table] == rows, table
