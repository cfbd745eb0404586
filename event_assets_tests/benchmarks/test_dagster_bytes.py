"""Every byte of Dagster's storage is told by kind, and what repeats in it by event and by metadata."""

import datetime as dt
from pathlib import Path

import dagster as dg

from benchmarks.dagster_bytes import by_event, by_kind, by_metadata, runs_since, total


@dg.op
def tell(context: dg.OpExecutionContext) -> None:
    print("told")
    for _ in range(3):
        context.log_event(dg.AssetMaterialization("users", metadata={"picture": "x" * 1000, "rows": 1}))


@dg.job
def tells() -> None:
    tell()


def test_bytes_are_told_by_file_event_and_metadata(tmp_path: Path) -> None:
    began = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        assert tells.execute_in_process(instance=instance).success
        kinds = by_kind(tmp_path)
        assert sum(kinds.values()) == total(tmp_path)
        events, metadata = by_event(tmp_path), by_metadata(tmp_path)
        assert {"events of runs", "index of events", "runs", "printed by steps"} <= kinds.keys()
        assert events["ASSET_MATERIALIZATION (run)"] == events["ASSET_MATERIALIZATION (index)"] > 3000
        assert events["STEP_START (run)"] and "STEP_START (index)" not in events
        assert 7000 < metadata["picture"] < 9000 and metadata["picture"] > metadata["rows"]
        assert runs_since(tmp_path, began) == {"tells": 1}
        assert runs_since(tmp_path, began + dt.timedelta(days=1)) == {}
