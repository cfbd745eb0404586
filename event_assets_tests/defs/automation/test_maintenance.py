"""The job that forgets runs goes by its config, which the settings give."""

from pathlib import Path

import dagster as dg

from event_assets.defs.automation.maintenance import prune_runs
from event_assets.settings import Settings


@dg.op
def work(context: dg.OpExecutionContext) -> None:
    context.log_event(dg.AssetMaterialization("users"))


@dg.job
def works() -> None:
    work()


def test_the_oldest_runs_go_as_many_as_one_go_may_take(tmp_path: Path) -> None:
    job = prune_runs(Settings())
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        runs = [works.execute_in_process(instance=instance).run_id for _ in range(3)]
        assert job.execute_in_process(instance=instance).success and len(instance.get_runs()) == 4
        pruning = job.execute_in_process(
            instance=instance, run_config={"ops": {"forget_old_runs": {"config": {"days": 0, "most": 2}}}}
        )
        kept = {run.run_id for run in instance.get_runs()}
        assert pruning.run_id in kept and kept.isdisjoint(runs[:2]) and runs[2] in kept
        assert all(instance.all_logs(run) for run in kept)
        assert len(instance.fetch_materializations(dg.AssetKey("users"), limit=9).records) == 3


def test_how_long_runs_of_sensors_stay_is_a_setting() -> None:
    config = prune_runs(Settings(automatic_runs_hours=3)).run_config
    assert config is not None and config["ops"]["forget_old_runs"]["config"]["automatic_hours"] == 3
