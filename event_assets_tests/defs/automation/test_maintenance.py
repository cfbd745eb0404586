"""Runs that are old are forgotten, and their disk is given back."""

from pathlib import Path

import dagster as dg

from event_assets.defs.automation.maintenance import prune_runs


@dg.op
def work(context: dg.OpExecutionContext) -> None:
    context.log_event(dg.AssetMaterialization("users"))


@dg.job
def works() -> None:
    work()


def test_a_run_that_is_forgotten_leaves_no_file_and_others_keep_theirs(tmp_path: Path) -> None:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        runs = [works.execute_in_process(instance=instance).run_id for _ in range(3)]
        pruning = prune_runs.execute_in_process(
            instance=instance, run_config={"ops": {"forget_old_runs": {"config": {"days": 0, "most": 2}}}}
        )
        kept = {run.run_id for run in instance.get_runs()}
        assert kept == {runs[2], pruning.run_id}
        for run in kept:
            assert instance.all_logs(run)
        files = {path.name.partition(".")[0] for path in tmp_path.rglob("*.db*")}
        assert kept <= files and files.isdisjoint(runs[:2])
        assert len(instance.fetch_materializations(dg.AssetKey("users"), limit=9).records) == 1
