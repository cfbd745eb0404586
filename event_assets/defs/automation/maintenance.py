"""Jobs that keep the lake and Dagster's storage small, and the schedules of everything that is due by the clock."""

import datetime as dt

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.defs.assets.days import key_of
from event_assets.defs.assets.materialising import RETRY
from event_assets.defs.automation.forgetting import forget, give_back_disk, old_runs
from event_assets.defs.automation.partitions import Partitions
from event_assets.defs.resources.lake import LakeResource
from event_assets.lake.maintenance import compact, vacuum
from event_assets.settings import Settings


@dg.op(description="Puts small files of each table together; raw records stay as they were landed.", retry_policy=RETRY)
def compact_tables(context: dg.OpExecutionContext, lake: LakeResource, spark: LazyPySparkResource) -> None:
    opened = lake.open()
    for spec in EVERY_TABLE:
        if spec is RAW_EVENTS or not opened.table(spec.name).exists():
            continue
        done = compact(opened.table(spec.name), spark.spark_session)
        context.log.info(
            f"{done.table}: {done.files_before} files became {done.files_after}, {done.bytes_rewritten} bytes written"
        )


@dg.op(
    ins={"after": dg.In(dg.Nothing)}, description="Deletes files that no version of the last seven days needs any more."
)
def vacuum_tables(context: dg.OpExecutionContext, lake: LakeResource) -> None:
    opened = lake.open()
    for spec in EVERY_TABLE:
        if opened.table(spec.name).exists():
            context.log.info(f"{spec.name}: {vacuum(opened.table(spec.name))} files deleted")
    context.log.info(f"{opened.clear_scratch()} folders of steps that were killed deleted")


@dg.job(description="Compacts and vacuums the lake's tables.", executor_def=dg.in_process_executor)
def maintain_lake() -> None:
    vacuum_tables(after=compact_tables())


class KeepRuns(dg.Config):
    """Which runs are forgotten."""

    days: int = 14
    """Finished runs that are older are forgotten; the tables stay as they are, and the last that was told of them."""
    automatic_hours: int = 24
    """The same in hours for runs that sensors and schedules asked for and that succeeded."""
    most: int = 2_000
    """Runs that one go forgets at the most."""


@dg.op(description="Forgets old runs, whose events would fill Dagster's storage.")
def forget_old_runs(context: dg.OpExecutionContext, config: KeepRuns) -> None:
    now = dt.datetime.now(dt.UTC)
    before, automatic_before = now - dt.timedelta(days=config.days), now - dt.timedelta(hours=config.automatic_hours)
    runs = old_runs(context.instance, before, automatic_before, config.most)
    forget(context.instance, runs)
    context.log.info(
        f"{len(runs)} runs forgotten, {give_back_disk(context.instance)} bytes of their storage given back"
    )


def prune_runs(settings: Settings) -> dg.JobDefinition:
    """The job that forgets runs, as these settings say."""

    @dg.job(
        description="Forgets old runs.",
        executor_def=dg.in_process_executor,
        config=dg.RunConfig({"forget_old_runs": KeepRuns(automatic_hours=settings.automatic_runs_hours)}),
    )
    def prune_runs() -> None:
        forget_old_runs()

    return prune_runs


def schedules(settings: Settings, partitions: Partitions, pruning: dg.JobDefinition) -> list[dg.ScheduleDefinition]:
    """Compaction and pruning every six hours, and the aggregates of each day once it is over."""
    daily_aggregates = dg.define_asset_job(
        "daily_aggregates",
        selection=dg.AssetSelection.assets("daily_metrics", ["warehouse", "agg_daily"]),
        description="The aggregates of a day that is over, in the lake and in the warehouse.",
    )

    @dg.schedule(
        job=daily_aggregates,
        cron_schedule="20 0 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Closes the day before: its aggregates are made again from all of its rows.",
    )
    def aggregates_of_yesterday(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        yesterday = str((context.scheduled_execution_time - dt.timedelta(days=1)).date())
        key = key_of(partitions, yesterday)
        return dg.RunRequest(partition_key=key) if key else dg.SkipReason(f"There is no partition for {yesterday}.")

    return [
        dg.ScheduleDefinition(
            name="compaction",
            job=maintain_lake,
            cron_schedule="7 */6 * * *",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        ),
        dg.ScheduleDefinition(
            name="pruning", job=pruning, cron_schedule="37 */6 * * *", default_status=dg.DefaultScheduleStatus.RUNNING
        ),
        aggregates_of_yesterday,
    ]
