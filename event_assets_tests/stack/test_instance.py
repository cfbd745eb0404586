"""Dagster's instance of a home, and the runs that a killed stack left open in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.events import EngineEventData

from event_assets.stack.instance import close_abandoned_runs, dagster_home, instance_settings

ROOT = Path(__file__).parents[2]


@dg.op
def _nothing() -> None: ...


@dg.job
def _empty() -> None:
    _nothing()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def run_of(instance: dg.DagsterInstance, pid: int) -> str:
    """A run that a process said it works on, and no more."""
    run = instance.create_run_for_job(_empty, status=dg.DagsterRunStatus.STARTED)
    instance.report_engine_event("Executing steps", run, EngineEventData.in_process(pid))
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_whose_process_is_gone_is_closed_and_one_that_works_is_left(instance: dg.DagsterInstance) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    abandoned, working = run_of(instance, gone.pid), run_of(instance, os.getpid())

    assert close_abandoned_runs(instance) == [abandoned]

    assert status(instance, abandoned) is dg.DagsterRunStatus.FAILURE
    assert status(instance, working) is dg.DagsterRunStatus.STARTED
    assert close_abandoned_runs(instance) == []


def test_a_run_that_has_not_begun_is_left_alone(instance: dg.DagsterInstance) -> None:
    waiting = instance.create_run_for_job(_empty, status=dg.DagsterRunStatus.NOT_STARTED)
    assert close_abandoned_runs(instance) == []
    assert status(instance, waiting.run_id) is dg.DagsterRunStatus.NOT_STARTED


def test_the_dagster_yaml_of_the_repository_is_that_of_every_home() -> None:
    assert yaml.safe_load((ROOT / "dagster.yaml").read_text()) == instance_settings(".dagster")


def test_the_default_home_shares_the_folders_instance(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("")
    assert dagster_home(tmp_path / ".event-assets", tmp_path, None) == tmp_path


def test_another_home_has_an_instance_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("")
    home = dagster_home(tmp_path / "elsewhere", tmp_path, None)
    assert home == tmp_path / "elsewhere" / "dagster"
    assert yaml.safe_load((home / "dagster.yaml").read_text()) == instance_settings(str(home))


def test_a_given_dagster_home_is_taken(tmp_path: Path) -> None:
    assert dagster_home(tmp_path / ".event-assets", tmp_path, str(tmp_path / "mine")) == tmp_path / "mine"
