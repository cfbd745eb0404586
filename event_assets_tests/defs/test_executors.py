"""The executor that a setting names does the steps of a run, and the rows are the same."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from event_assets.definitions import build_defs
from event_assets.defs.automation.partitions import partitions_of
from event_assets.defs.executors import executor_of
from event_assets.embedded.postgres import open_postgres
from event_assets.settings import Settings, SettingsError, load_settings
from event_assets.streams import open_stream
from event_assets_tests.end_to_end.visits import DAYS, Visits
from event_assets_tests.end_to_end.whole_run import RANGE_END, RANGE_START, Rows, days_ago, lake_rows, warehouse_rows

one_at_a_time = dg.multiprocess_executor.configured({"max_concurrent": 1}, name="one_at_a_time")
"""An executor of a deployment."""
no_executor = dg.in_process_executor.name

TABLES = (
    "raw_events",
    "clean_events",
    "quarantined_events",
    "event_ids",
    "duplicate_events",
    "enriched_events",
    "identities",
)
LOADS = ("fct_events", "dim_visitors")
"""What the run is about. The loads take the embedded PostgreSQL, which whoever comes first starts for the others."""


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("in_process", "in_process"),
        ("multiprocess", "multiprocess"),
        (f"{__name__}:one_at_a_time", "one_at_a_time"),
        ("dagster_aws.ecs:ecs_executor", "ecs"),
    ],
)
def test_the_executor_is_the_one_that_the_setting_names(named: str, found: str) -> None:
    assert executor_of(Settings(executor=named)).name == found


@pytest.mark.parametrize("name", ["absent_module:executor", f"{__name__}:absent", f"{__name__}:no_executor"])
def test_what_is_no_executor_stops_the_start_with_its_name(name: str) -> None:
    with pytest.raises(SettingsError, match=f"EVENT_ASSETS_EXECUTOR: {name}"):
        executor_of(Settings(executor=name))


def test_a_name_of_no_executor_is_refused_with_what_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_EXECUTOR", "threads")
    with pytest.raises(SettingsError, match="is none of in_process, multiprocess, "):
        load_settings()


def part() -> dg.JobDefinition:
    """A part of the graph, by the settings of the process."""
    assets = dg.AssetSelection.assets(*TABLES, *(["warehouse", name] for name in LOADS)).without_checks()
    jobs = dg.Definitions(jobs=[dg.define_asset_job("part", assets)])
    return dg.Definitions.merge(build_defs(load_settings()), jobs).resolve_job_def("part")


@pytest.fixture
def home() -> Iterator[Path]:
    """Not pytest's folder: a server that root starts runs as another user, who cannot go through that."""
    with tempfile.TemporaryDirectory(prefix="event-assets-") as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.release
def test_steps_in_processes_of_their_own_make_the_same_rows(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_FIRST_DAY", str(days_ago(DAYS)))
    with closing(open_stream(Settings(home=home / "in_process"))) as stream:
        stream.create(2)
        assert all(result.error is None for result in stream.put(Visits().first()))
    shutil.copytree(home / "in_process", home / "multiprocess")
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(home / "in_process"))
    settings = load_settings()
    assert part().execute_in_process(tags=all_days(settings)).success
    wanted = rows(settings)

    monkeypatch.setenv("EVENT_ASSETS_HOME", str(home / "multiprocess"))
    monkeypatch.setenv("EVENT_ASSETS_EXECUTOR", "multiprocess")
    settings = load_settings()
    with dg.instance_for_test(temp_dir=str(home)) as instance:
        run = dg.execute_job(dg.reconstructable(part), instance=instance, tags=all_days(settings))
    workers = [event.step_key for event in run.all_events if event.event_type_value == "STEP_WORKER_STARTED"]
    assert run.success and len(workers) == len(set(workers)) == 8

    assert wanted["enriched_events"] and wanted["fct_events"]
    assert rows(settings) == wanted


def all_days(settings: Settings) -> dict[str, str]:
    partitions = partitions_of(settings)
    first, last = partitions.get_first_partition_key(), partitions.get_last_partition_key()
    assert first and last
    return {RANGE_START: first, RANGE_END: last}


def rows(settings: Settings) -> Rows:
    with open_postgres(settings.home) as url:
        loaded = warehouse_rows(settings.model_copy(update={"warehouse_url": SecretStr(url)}))
    return {**lake_rows(settings), **loaded}
