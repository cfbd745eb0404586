"""The job of the continuous form: a streaming query of Spark's that stays, and shows the tables that it brings along.

What it does is `pipeline/continuous.py`'s. Nobody asks for it but its owner, who starts it once; where it runs, the run
of new events finds little left to land.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pydantic import Field

from event_assets.defs.assets.days import shown_lately
from event_assets.defs.assets.reporting import Reporting
from event_assets.defs.automation.partitions import Partitions
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.lake.lake import Lake
from event_assets.pipeline.continuous import Continuous
from event_assets.pipeline.following import Followed
from event_assets.pipeline.registry import steps_of
from event_assets.pipeline.report import report_of
from event_assets.pipeline.run import GivenRules, Run

JOB = "continuous"


class Query(dg.Config):
    """How the query goes on."""

    ends: bool = Field(False, description="It ends with what is on the stream.")
    every_seconds: float = Field(0.0, ge=0, description="Seconds from one micro-batch to the next; 0: at once.")


def continuous_job(partitions: Partitions) -> dg.JobDefinition:
    """The job that stays with the stream."""

    @dg.op(
        description="A streaming query of Spark's from the stream through raw_events to enriched_events.",
        out=dg.Out(dg.Nothing),
    )
    def take_in_stream(
        context: dg.OpExecutionContext,
        config: Query,
        stream: StreamResource,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
    ) -> Iterator[dg.AssetMaterialization]:
        opened = lake.open()
        run = Run(opened, rules, stream.open, lambda: spark.spark_session)
        reporting = Reporting(partitions, lately=partial(shown_lately, context.instance))
        try:
            with stream.open() as events:
                query = Continuous(
                    run,
                    given(rules),
                    events,
                    rules.backdate_days,
                    config.ends,
                    every_seconds=config.every_seconds,
                )
                for batch in query.stay():
                    for each in _brought(opened, batch.seconds):
                        yield from reporting.told(each)
        finally:
            yield from reporting.rest()

    @dg.job(
        name=JOB,
        description="The stream on its way to enriched_events, by one streaming query of Spark's that stays.",
        executor_def=dg.in_process_executor,
    )
    def continuous() -> None:
        take_in_stream()

    return continuous


def given(rules: RulesResource) -> GivenRules:
    """The rules that a micro-batch goes by, as they are now: it is done elsewhere."""
    return GivenRules(
        rules.cleaning,
        rules.enriching,
        decoders=rules.decoders,
        cores=rules.cores,
        max_records_per_run=rules.max_records_per_run,
        erasure=rules.erasure,
    )


def _brought(lake: Lake, seconds: float) -> Iterator[Followed]:
    for step in steps_of("seconds"):
        for table in step.tables:
            yield Followed((table.name,), report_of(lake.table(table.name).snapshot()), seconds)
