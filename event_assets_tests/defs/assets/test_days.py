"""Runs name the days that they are about, and days need no partition to be worked on."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path

import dagster as dg
import pytest

from event_assets.contract.records import pack
from event_assets.definitions import build_defs
from event_assets.defs.assets.days import DAYS_TAG, key_of
from event_assets.defs.automation.partitions import partitions_of
from event_assets.defs.automation.turns import ARRIVAL, PAST, RUN_TAG
from event_assets.settings import Settings, load_settings
from event_assets.streams import StreamRecord, open_stream
from event_assets_tests.defs.automation.ticks import tick
from event_assets_tests.end_to_end.whole_run import lake_of, lake_rows
from event_assets_tests.postgres import new_database


@cache
def now() -> dt.datetime:
    """The time of these tests."""
    return dt.datetime.now(dt.UTC)


def day(number: int) -> str:
    """So many days from today."""
    return str(now().date() + dt.timedelta(days=number))


@pytest.mark.parametrize("partitions", ["hourly", "daily", "monthly"])
def test_a_day_has_a_partition_from_the_first_day_to_today(partitions: str) -> None:
    first = dt.date(2020, 1, 15)
    defined = partitions_of(Settings(partitions=partitions, first_day=first))
    for each in (str(first), "2021-02-10", day(0)):
        key = key_of(defined, each)
        assert key is not None and defined.has_partition_key(key)
        assert key.startswith(each[:7] if partitions == "monthly" else each)
    outside = [dt.date(1, 1, 1), dt.date(2019, 12, 31), now().date() + dt.timedelta(days=40), dt.date(9999, 12, 31)]
    assert [key_of(defined, str(day)) for day in outside] == [None] * len(outside)


def put(settings: Settings, *happened: dt.datetime) -> None:
    """Events on the stream, received now, that happened at these times."""
    lines = [
        json.dumps(
            {
                "event_id": f"e{number}",
                "event": "page_view",
                "platform": "web",
                "anonymous_id": f"a{number}",
                "derived_at": at.isoformat(),
                "received_at": now().isoformat(),
            }
        ).encode()
        for number, at in enumerate(happened)
    ]
    stream = open_stream(settings)
    stream.create(1)
    stream.put([StreamRecord("a", data) for data in pack(lines, "zstd")])
    stream.close()


def planned(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> int:
    """How many events Dagster wrote before the run could begin."""
    return len(instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED))


@pytest.mark.slow
def test_new_events_come_first_and_days_long_past_have_a_run_without_planned_events(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_URL", new_database(postgres_url))
    settings = load_settings(home=tmp_path / "home")
    old = [dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2010, 2013, 2016, 2019, 2022)]
    put(settings, *old, now(), now() + dt.timedelta(days=1) - dt.timedelta(minutes=1))
    definitions = build_defs(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        [arrival] = tick(definitions, instance).requests
        assert (arrival.job_name, arrival.tags[RUN_TAG]) == ("arrivals", ARRIVAL)
        stay = {"ops": {"take_in_events": {"config": {"idle_seconds": 0}}}}
        done = definitions.resolve_job_def("arrivals").execute_in_process(stay, tags=arrival.tags, instance=instance)
        assert done.success and planned(instance, done) == 0
        assert lake_of(settings).table("enriched_events").snapshot().dates() == {day(0), day(1)}
        past = next(each for each in tick(definitions, instance).requests if each.tags[RUN_TAG] == PAST)
        assert past.tags[DAYS_TAG] == ",".join(str(at.date()) for at in old)
        assert past.job_name == "late_days"
        late = definitions.resolve_job_def(past.job_name)
        done = late.execute_in_process(tags=past.tags, instance=instance)
        assert done.success and planned(instance, done) == 0
        made = instance.get_materialized_partitions(dg.AssetKey("sessions"))
        assert made == {day(0), *(str(at.date()) for at in old)}
    assert len(lake_rows(settings)["enriched_events"]) == len(old) + 2
