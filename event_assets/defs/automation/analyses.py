"""Product analyses and segments: the job of all that is made in pauses, and the sensor that asks for it when they are
not of the lake as it is.

They have a run of their own, not more often than a setting says. Each is made whole, from all events, so in the run of
every new record they would make everything else wait; and a number about weeks need not be of this second. While new
events keep coming they wait for a pause, but not longer than for twelve times their interval, the first time for one.
Nothing is remembered: what is outdated is told by the tables' own progress.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.contract.tables.anomalies import METRIC_ANOMALIES
from event_assets.contract.tables.metrics import PERIOD_PEOPLE
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS, SEGMENT_WEBHOOKS
from event_assets.defs.assets.materialising import RETRY
from event_assets.defs.assets.together import Together, Told
from event_assets.defs.automation.sensors import shards_to_land
from event_assets.defs.automation.turns import RUN_TAG, UNFINISHED
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.online import OnlineResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.defs.resources.webhooks import WebhooksResource, receivers_of
from event_assets.lake.lake import Lake
from event_assets.pipeline import anomalies
from event_assets.pipeline.metrics import people_are_outdated
from event_assets.pipeline.product import outdated
from event_assets.pipeline.segment_webhooks import is_up_to_date
from event_assets.pipeline.segments import are_outdated
from event_assets.rules.analysis import Analyses
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings

JOB = "analyses"
ANALYSES_TAG = "event_assets/analyses"
"""Marks the runs that this sensor asks for. Not `RUN_TAG`: they are none of the stream sensor's, and block none."""
_LOOK_SECONDS = 30
_MOST_INTERVALS = 12


def analyses_job(assets: Sequence[dg.AssetsDefinition], checks: Sequence[dg.AssetChecksDefinition]) -> dg.JobDefinition:
    """The job of these assets and their checks, in one step; it is tried again after a passing fault, and does then
    what is left."""

    @dg.op(
        description="Makes product analyses and segments, and what follows from them.",
        out=dg.Out(dg.Nothing),
        retry_policy=RETRY,
    )
    def make_in_pauses(
        context: dg.OpExecutionContext,
        stream: StreamResource,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
        warehouse: WarehouseResource,
        online: OnlineResource,
        webhooks: WebhooksResource,
    ) -> Iterator[Told]:
        given = {"stream": stream, "lake": lake, "spark": spark, "rules": rules, "warehouse": warehouse}
        given |= {"online": online, "webhooks": webhooks}
        yield from Together(context, assets, checks, given).run()

    @dg.job(
        name=JOB,
        description="Product analyses and segments, and what follows from them.",
        executor_def=dg.in_process_executor,
    )
    def made_in_pauses() -> None:
        make_in_pauses()

    return made_in_pauses


def analyses_sensor(
    settings: Settings, analyses: Analyses, segments: Segments, job: dg.JobDefinition
) -> dg.SensorDefinition:
    """The sensor that asks for a run of this job: the analyses, the segments and what follows them."""
    interval, receivers = dt.timedelta(seconds=settings.analytics_interval_seconds), receivers_of(settings)

    @dg.sensor(
        name="product_analyses_sensor",
        description="Asks for a run of the product analyses and the segments when they are outdated.",
        job=job,
        minimum_interval_seconds=min(_LOOK_SECONDS, settings.analytics_interval_seconds),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def product_analyses_sensor(
        context: dg.SensorEvaluationContext, stream: StreamResource, lake: LakeResource, rules: RulesResource
    ) -> dg.SensorResult | dg.SkipReason:
        instance = context.instance
        if instance.get_runs(dg.RunsFilter(tags={ANALYSES_TAG: "true"}, statuses=UNFINISHED), limit=1):
            return dg.SkipReason("A run of the analyses is in flight.")
        waited = _since_last(instance)
        if waited is not None and waited < interval:
            return dg.SkipReason(f"The next look is in {(interval - waited).total_seconds():.0f} s.")
        try:
            opened = lake.open()
            behind = outdated(opened, analyses, rules.sessions)
            behind += [SEGMENT_MEMBERSHIPS.name] if are_outdated(opened, segments, rules.sessions) else []
            behind += [PERIOD_PEOPLE.name] if people_are_outdated(opened) else []
            behind += [METRIC_ANOMALIES.name] if anomalies.are_outdated(opened, rules) else []
            behind += [] if is_up_to_date(opened, segments, receivers) else [SEGMENT_WEBHOOKS.name]
        except Exception as error:
            fault = f"What is outdated cannot be told: {type(error).__name__}: {error}."
            context.log.error(fault)
            return dg.SkipReason(fault)
        if not behind:
            return dg.SkipReason("All analyses and segments are of the lake as it is.")
        if _is_busy(instance, stream, opened) and not _has_waited_long(instance, waited, interval):
            return dg.SkipReason(f"New events come first; {len(behind)} tables or analyses wait for a pause.")
        return dg.SensorResult([dg.RunRequest(job_name=JOB, tags={ANALYSES_TAG: "true"})])

    return product_analyses_sensor


def _since_last(instance: dg.DagsterInstance) -> dt.timedelta | None:
    """How long ago the last run of the analyses was asked for; None before the first."""
    last = instance.get_run_records(dg.RunsFilter(tags={ANALYSES_TAG: "true"}), limit=1)
    return dt.datetime.now(dt.UTC) - last[0].create_timestamp if last else None


def _is_busy(instance: dg.DagsterInstance, stream: StreamResource, lake: Lake) -> bool:
    """Whether events are on their way: a run of the stream sensor is in flight, or has something to do."""
    if any(RUN_TAG in run.tags for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))):
        return True
    try:
        with stream.open() as events:
            return bool(shards_to_land(events, lake))
    except Exception:  # what is wrong with the stream is told by its own sensor
        return False


def _has_waited_long(instance: dg.DagsterInstance, waited: dt.timedelta | None, interval: dt.timedelta) -> bool:
    """Whether it is time whatever else goes on; before the first run of the analyses, since the first run of all."""
    if waited is not None:
        return waited > _MOST_INTERVALS * interval
    first = instance.get_run_records(limit=1, ascending=True)
    return bool(first) and dt.datetime.now(dt.UTC) - first[0].create_timestamp > interval
