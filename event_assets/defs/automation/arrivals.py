"""The job of new events: one run that stays while they come, and shows every table that it brings along; and that of
the runs that land parts of the stream beside it.

What they do is told by `pipeline/arrivals.py` and `pipeline/landing.py`. They are no jobs of assets: those have a step
a table, and events that are planned before the first begins, which would take longer than the events are given. The
tables are the same, and any of them can be materialised beside it.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pydantic import Field

from event_assets.defs.assets.days import shown_lately
from event_assets.defs.assets.reporting import Reporting
from event_assets.defs.automation.partitions import Partitions
from event_assets.defs.automation.turns import ARRIVAL, RUN_TAG, landing_of
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.pipeline.arrivals import Arrivals
from event_assets.pipeline.following import Following
from event_assets.pipeline.landing import Landing
from event_assets.pipeline.run import Run
from event_assets.streams import ShardPart

JOB, LANDING_JOB = "arrivals", "landing"
_LAND = "land_events"
_LOOK_FOR_NEXT = 5.0


class Stay(dg.Config):
    """How long the run stays."""

    idle_seconds: float = Field(30.0, ge=0, description="Seconds without events after which it ends.")
    most_minutes: float = Field(
        60.0, ge=0, description="Minutes after which it gives way to the next one, as soon as that has started."
    )


class Land(Stay):
    """Which part of the stream's shards the run lands."""

    number: int = Field(1, ge=0, description="Of the parts which, from 0. The run of new events lands the first.")
    parts: int = Field(2, ge=1, description="Into how many parts the shards are divided.")


def arrivals_job(partitions: Partitions, landing_runs: int) -> dg.JobDefinition:
    """The job that the sensor asks for when the stream holds something. Where several runs land, this one lands the
    first part of the shards."""

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
        arrivals_spark: LazyPySparkResource,
        rules: RulesResource,
        warehouse: WarehouseResource,
    ) -> Iterator[dg.AssetMaterialization]:
        part = ShardPart(0, landing_runs)
        run = Run(lake.open(), rules, stream.open, lambda: arrivals_spark.spark_session, part=part)
        following = Following(run, warehouse.open(), rules.backdate_days)
        slower = replace(following, run=replace(run, open_spark=lambda: spark.spark_session))
        has_next = _has_next(context, config.most_minutes, ARRIVAL)
        arrivals = Arrivals(following, config.idle_seconds, has_next, slower)
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


def landing_job(partitions: Partitions) -> dg.JobDefinition:
    """The job that the sensor asks for, where several runs land, for each part of the shards but the first."""

    @dg.op(
        name=_LAND,
        description="Lands what is on a part of the stream's shards, and what comes, until nothing has for a while.",
        out=dg.Out(dg.Nothing),
    )
    def land_events(
        context: dg.OpExecutionContext,
        config: Land,
        stream: StreamResource,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
    ) -> Iterator[dg.AssetMaterialization]:
        part = ShardPart(config.number, config.parts)
        run = Run(lake.open(), rules, stream.open, lambda: spark.spark_session, part=part)
        has_next = _has_next(context, config.most_minutes, landing_of(config.number))
        reporting = Reporting(partitions, lately=partial(shown_lately, context.instance))
        try:
            for each in Landing(run, config.idle_seconds, has_next).stay():
                yield from reporting.told(each)
        finally:
            yield from reporting.rest()

    @dg.job(
        name=LANDING_JOB,
        description="A part of the stream's shards on its way to raw_events, beside the run of new events.",
        executor_def=dg.in_process_executor,
    )
    def landing() -> None:
        land_events()

    return landing


def config_of_landing(number: int, parts: int) -> dict[str, Any]:
    """The run config of the job that lands a part."""
    return {"ops": {_LAND: {"config": {"number": number, "parts": parts}}}}


def _has_next(context: dg.OpExecutionContext, most_minutes: float, kind: str) -> Callable[[], bool]:
    """Whether the run has lasted long enough, and the next of its kind has started."""
    began = dt.datetime.now(dt.UTC)
    until = time.monotonic() + 60 * most_minutes
    next_look = until

    def has_next() -> bool:
        nonlocal next_look
        if time.monotonic() < next_look:
            return False
        next_look = time.monotonic() + _LOOK_FOR_NEXT
        started = dg.RunsFilter(tags={RUN_TAG: kind}, statuses=[dg.DagsterRunStatus.STARTED], created_after=began)
        return any(run.run_id != context.run_id for run in context.instance.get_runs(started))

    return has_next
