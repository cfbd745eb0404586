"""The job of new events: one run that stays while they come, and shows every table that it brings along.

What it does is `pipeline/arrivals.py`'s. It is no job of assets: those have a step a table, and events that are planned
before the first begins, which would take longer than the events are given. The tables are the same, and any of them can
be materialised beside it.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from functools import partial

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pydantic import Field

from event_assets.defs.assets.days import shown_lately
from event_assets.defs.assets.reporting import Reporting
from event_assets.defs.automation.partitions import Partitions
from event_assets.defs.automation.turns import ARRIVAL, RUN_TAG
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.pipeline.arrivals import Arrivals
from event_assets.pipeline.following import Following
from event_assets.pipeline.run import Run

JOB = "arrivals"
_LOOK_FOR_NEXT = 5.0


class Stay(dg.Config):
    """How long the run stays."""

    idle_seconds: float = Field(30.0, ge=0, description="Seconds without events after which it ends.")
    most_minutes: float = Field(
        60.0, ge=0, description="Minutes after which it gives way to the next one, as soon as that has started."
    )


def arrivals_job(partitions: Partitions) -> dg.JobDefinition:
    """The job that the sensor asks for when the stream holds something."""

    @dg.op(
        description="Takes in what is on the stream, and what comes, until nothing has come for a while.",
        out=dg.Out(dg.Nothing),
    )
    def take_in_events(
        context: dg.OpExecutionContext,
        config: Stay,
        stream: StreamResource,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
        warehouse: WarehouseResource,
    ) -> Iterator[dg.AssetMaterialization]:
        run = Run(lake.open(), rules, stream.open, lambda: spark.spark_session)
        following = Following(run, warehouse.open(), rules.backdate_days)
        arrivals = Arrivals(following, config.idle_seconds, _has_next(context, config.most_minutes))
        reporting = Reporting(partitions, lately=partial(shown_lately, context.instance))
        try:
            for each in arrivals.stay():
                yield from reporting.told(each)
        finally:
            yield from reporting.rest()
            for name, error in arrivals.faults.items():
                context.log.error(f"{name} did not follow: {type(error).__name__}: {error}")

    @dg.job(
        name=JOB,
        description="New events on their way to the warehouse, for as long as they come.",
        executor_def=dg.in_process_executor,
    )
    def arrivals() -> None:
        take_in_events()

    return arrivals


def _has_next(context: dg.OpExecutionContext, most_minutes: float) -> Callable[[], bool]:
    """Whether the run has lasted long enough, and the next has started."""
    began = dt.datetime.now(dt.UTC)
    until = time.monotonic() + 60 * most_minutes
    next_look = until

    def has_next() -> bool:
        nonlocal next_look
        if time.monotonic() < next_look:
            return False
        next_look = time.monotonic() + _LOOK_FOR_NEXT
        started = dg.RunsFilter(tags={RUN_TAG: ARRIVAL}, statuses=[dg.DagsterRunStatus.STARTED], created_after=began)
        return any(run.run_id != context.run_id for run in context.instance.get_runs(started))

    return has_next
