"""The job of days that are behind: one step, whatever the days and tables are, and a materialisation of each that is
due. As a job of assets it would leave five events a table beside, and more by the day.

What it does is told by `pipeline/late_days.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

import dagster as dg
from dagster_pyspark import LazyPySparkResource

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.defs.assets.days import DAYS_TAG, shown_lately
from event_assets.defs.assets.reporting import Reporting
from event_assets.defs.automation.partitions import Partitions
from event_assets.defs.automation.turns import ARRIVAL, MOST_DAYS_IN_A_PAUSE, RUN_TAG, UNFINISHED
from event_assets.defs.checks.events import event_ids_are_unique
from event_assets.defs.checks.together import evaluation_of
from event_assets.defs.checks.warehouse import WAREHOUSE_CHECKS
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.lake.lake import Lake
from event_assets.pipeline.following import OF_EVENT_DATES, Following
from event_assets.pipeline.late_days import LateDays
from event_assets.pipeline.pending_days import BY_EVENT_DATE, pending
from event_assets.pipeline.registry import step_of
from event_assets.pipeline.run import Run

JOB = "late_days"
CHECKS = [
    event_ids_are_unique,
    *(
        check
        for table, check in zip(WAREHOUSE_TABLES, WAREHOUSE_CHECKS, strict=True)
        if step_of(table.lake) in OF_EVENT_DATES
    ),
]
"""Checks of the days that a run has brought along."""


@dataclass(frozen=True)
class _Days:
    """What a check asks its context for: the days that a run was about."""

    tags: Mapping[str, str]

    @property
    def run(self) -> Self:
        return self


def late_days_job(partitions: Partitions) -> dg.JobDefinition:
    """The job that the sensor asks for when days are behind; started by hand it takes those that wait longest. It fails
    where a check of its days does not pass, and tells of those checks alone."""

    @dg.op(
        description="Brings days that late events touched along, and whatever follows from them.",
        out=dg.Out(dg.Nothing),
    )
    def bring_days_along(
        context: dg.OpExecutionContext,
        stream: StreamResource,
        lake: LakeResource,
        spark: LazyPySparkResource,
        rules: RulesResource,
        warehouse: WarehouseResource,
    ) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
        opened = lake.open()
        run = Run(opened, rules, stream.open, lambda: spark.spark_session)
        is_beside = partial(_is_beside, context.instance)
        late = LateDays(
            Following(run, warehouse.open(), rules.backdate_days),
            _days(context.run.tags.get(DAYS_TAG), opened),
            is_beside,
        )
        reporting = Reporting(partitions, lately=partial(shown_lately, context.instance))
        try:
            for each in late.stay():
                yield from reporting.told(each)
            given = {"context": _Days({DAYS_TAG: ",".join(late.done)}), "lake": lake, "spark": spark}
            found = (evaluation_of(check, given | {"warehouse": warehouse}) for check in CHECKS)
            yield from (each for each in found if not each.passed)
        finally:
            yield from reporting.rest_of_days() if is_beside() else reporting.rest()
            for name, error in late.faults.items():
                context.log.error(f"{name} was not brought along: {type(error).__name__}: {error}")

    @dg.job(
        name=JOB,
        description="Days that late events touched, and whatever follows from them.",
        executor_def=dg.in_process_executor,
    )
    def late_days() -> None:
        bring_days_along()

    return late_days


def _days(tag: str | None, lake: Lake) -> list[str]:
    if tag is not None:
        return [*filter(None, tag.split(","))]
    return pending(lake, BY_EVENT_DATE).in_turn()[:MOST_DAYS_IN_A_PAUSE]


def _is_beside(instance: dg.DagsterInstance) -> bool:
    """Whether a run of new records is in flight."""
    return bool(instance.get_runs(dg.RunsFilter(tags={RUN_TAG: ARRIVAL}, statuses=UNFINISHED), limit=1))
