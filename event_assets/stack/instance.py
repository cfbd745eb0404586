"""Dagster's instance of a home: where its storage is, how it is set up, and what a killed stack left open in it.

`python -m event_assets.stack.instance COMMAND…` makes the storage, closes abandoned runs and goes on as `dagster
COMMAND…`. The stack starts its first Dagster process so, alone: a fresh SQLite storage does not survive being opened by
several processes at once.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from event_assets.permissions import make_private_folder

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun


def instance_settings(storage: str) -> dict[str, Any]:
    """What dagster.yaml holds for an instance that keeps everything in the folder `storage`."""
    return {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "storage": {"sqlite": {"base_dir": storage}},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": storage},
        },
        "compute_logs": {
            "module": "dagster._core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": f"{storage}/logs"},
        },
        "run_queue": {"dequeue_interval_seconds": 1},
        "concurrency": {"runs": {"max_concurrent_runs": 4}},
        "run_monitoring": {
            "enabled": True,
            "start_timeout_seconds": 180,
            "max_runtime_seconds": 21600,
            "poll_interval_seconds": 30,
        },
        "run_retries": {"enabled": True, "max_retries": 0},
        "retention": {
            "sensor": {"purge_after_days": {"skipped": 1, "success": 7, "failure": 30}},
            "schedule": {"purge_after_days": 30},
        },
        "sensors": {"use_threads": True, "num_workers": 4},
    }


def dagster_home(home: Path, folder: Path, given: str | None) -> Path:
    """The DAGSTER_HOME of a stack: the one given, else this folder where the home is its `.event-assets` and it holds a
    dagster.yaml (so that `dagster dev` and `dagster asset materialize` typed there see the same runs), else
    `<home>/dagster`, which is set up here."""
    if given:
        return Path(given)
    if home.absolute() == folder.absolute() / ".event-assets" and (folder / "dagster.yaml").exists():
        return folder.absolute()
    own = home.absolute() / "dagster"
    make_private_folder(own)
    config = own / "dagster.yaml"
    if not config.exists():
        config.write_text(yaml.safe_dump(instance_settings(str(own)), sort_keys=False), encoding="utf-8")
    return own


def close_abandoned_runs(instance: DagsterInstance) -> list[str]:
    """Mark as failed the runs whose process is gone, and return their ids.

    A stack that is killed cannot say so. Its runs would count as in flight for ever, and keep new ones from starting.
    """
    import dagster as dg

    active = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    closed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=active)):
        if not any(_lives(pid, since) for pid, since in _processes(instance, run)):
            instance.report_run_failed(run, "The process of this run is gone: the stack was stopped while it ran.")
            closed.append(run.run_id)
    return closed


def _processes(instance: DagsterInstance, run: DagsterRun) -> Iterator[tuple[int, float]]:
    """Process id and time of each process that said it works on the run."""
    import dagster as dg

    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event is not None else None
        if pid is not None:
            yield int(str(pid.value)), entry.timestamp


def _lives(pid: int, since: float) -> bool:
    """Whether the process that was `pid` at that time still runs (and is not a later one with the same number)."""
    try:
        process = psutil.Process(pid)
        return bool(process.create_time() <= since and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def main() -> None:
    """Make the storage of DAGSTER_HOME, close the runs that were abandoned, and become the `dagster` command."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        for run_id in close_abandoned_runs(instance):
            print(f"Closed the abandoned run {run_id}.")
    runpy.run_module("dagster", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
