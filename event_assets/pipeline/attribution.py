"""conversion_paths, attribution and channel_performance: tables about persons, without days.

Who a person is can change for any day at once, so that a layout by days would not spare anything. Of paths only the
rows of those persons are made again whom a change affects (see keyed_refresh.py). Credits depend on all paths
(data-driven attribution compares them), so the last two are always made whole.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.attribution import (
    ATTRIBUTION,
    CHANNEL_PERFORMANCE,
    CONVERSION_PATHS,
    CONVERSIONS,
    TOUCHES,
)
from event_assets.lake.lake import Lake
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.pipeline.spend import SpendError
from event_assets.transforms.affected import listed
from event_assets.transforms.attribution.attribution import attribution, channel_performance
from event_assets.transforms.attribution.conversion_paths import conversion_paths

CODE = "3"
"""Version of the code that makes these tables; raise it when the rows it gives change."""


def conversion_paths_step(run: Run) -> StepReport:
    """Brings conversion_paths up to date."""
    rules = run.rules.attribution

    def whole(work: Work) -> Result:
        return Result(conversion_paths(work.rows(TOUCHES), work.rows(CONVERSIONS), rules.lookback_days))

    def affected(work: Work) -> list[str] | None:
        visits = work.changed(TOUCHES, ("person_id", "session_id", "at", "is_touch", "channel_group"))
        converted = work.changed(CONVERSIONS, ("person_id", "event_id", "at", "revenue", "site_date"))
        return _persons_of(visits, converted)

    def part(work: Work, persons: list[str]) -> Result:
        visits, converted = (work.rows_of(table, persons) for table in (TOUCHES, CONVERSIONS))
        rows = conversion_paths(visits, converted, rules.lookback_days)
        return Result(rows)

    how = KeyedRefresh(CONVERSION_PATHS, (TOUCHES, CONVERSIONS), f"{CODE}-{rules.lookback_days}", whole, affected, part)
    return refresh_keys(run, how)


def attribution_step(run: Run) -> StepReport:
    """Brings attribution up to date."""
    rules = run.rules.attribution

    def whole(work: Work) -> Result:
        return Result(attribution(work.rows(CONVERSION_PATHS), rules))

    how = KeyedRefresh(ATTRIBUTION, (CONVERSION_PATHS,), f"{CODE}-{rules.version}", whole)
    report = refresh_keys(run, how)
    return replace(report, more=_without_touch(run.lake), groups=_credits(run.lake), groups_unit="conversions by model")


def channel_performance_step(run: Run) -> StepReport:
    """Brings channel_performance up to date.

    A spend file that cannot be used leaves the table as it stands, and is told by a check: it must not fail the runs
    that bring in events.
    """
    rules = run.rules.attribution
    try:
        spend = run.rules.spend.read() if run.rules.spend else None
    except SpendError as error:
        return report_of(run.lake.table(CHANNEL_PERFORMANCE.name).snapshot(), more={"spend_file": str(error)})

    def whole(work: Work) -> Result:
        spent = work.spark.createDataFrame(list(spend.rows), spend.SCHEMA) if spend else None
        return Result(channel_performance(work.rows(CONVERSION_PATHS), spent, rules))

    code = f"{CODE}-{rules.version}-{spend.version if spend else 'none'}"
    return refresh_keys(run, KeyedRefresh(CHANNEL_PERFORMANCE, (CONVERSION_PATHS,), code, whole))


def performance_rules(rules: Rules) -> str:
    """The version of the rules that channel_performance goes by. Raises `SpendError`."""
    return f"{rules.attribution.version}-{rules.spend.read().version if rules.spend else 'none'}"


def _persons_of(one: DataFrame, other: DataFrame) -> list[str] | None:
    persons = one.select("person_id").unionByName(other.select("person_id"))
    return listed(persons.where(F.col("person_id").isNotNull()).distinct())


def _without_touch(lake: Lake) -> dict[str, int]:
    paths = lake.table(CONVERSION_PATHS.name).snapshot().arrow(columns=("conversions", "touches"))
    untouched = paths.filter(pc.equal(paths["touches"], 0))
    return {"conversions_without_touch": untouched.num_rows}


def _credits(lake: Lake) -> dict[str, dict[str, float]]:
    """Conversions by channel group and model."""
    credits: dict[str, dict[str, float]] = {}
    for row in lake.table(ATTRIBUTION.name).snapshot().arrow().to_pylist():
        credits.setdefault(row["channel_group"], {})[row["model"]] = row["conversions"]
    return credits
