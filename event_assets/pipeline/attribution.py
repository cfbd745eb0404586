"""touches, conversions, conversion_paths, attribution and channel_performance: tables about persons, without days.

Who a person is can change for any day at once, so that a layout by days would not spare anything. Of touches,
conversions and paths only the rows of those persons are made again whom a change affects (see keyed_refresh.py).
Credits depend on all paths (data-driven attribution compares them), so the last two are always made whole.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

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
from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.lake.lake import Lake
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.pipeline.spend import SpendError
from event_assets.transforms.affected import CARRIERS, carrying, listed, of_ids
from event_assets.transforms.attribution.attribution import attribution, channel_performance
from event_assets.transforms.attribution.conversion_paths import conversion_paths
from event_assets.transforms.attribution.conversions import conversions, is_conversion
from event_assets.transforms.attribution.touches import touches
from event_assets.transforms.identity.stitching import PERSON_COLUMNS, regrouped
from event_assets.transforms.people.users import affected_persons, ids_of

CODE = "3"
"""Version of the code that makes these tables; raise it when the rows it gives change."""

_OF_SESSIONS = (
    *("person_id", "session_id", "start_at", "page_views", "entry_url", "platform", "is_bot"),
    *("source", "medium", "campaign", "channel_group"),
)


def touches_step(run: Run) -> StepReport:
    """Brings touches up to date."""
    rules = run.rules.attribution

    def whole(work: Work) -> Result:
        return Result(touches(work.rows(SESSIONS), work.rows(PAGE_VIEWS), rules.source_days))

    def affected(work: Work) -> list[str] | None:
        views = work.changed(PAGE_VIEWS, ("session_id", "start_at", "index_in_session"))
        first = views.where("index_in_session = 1").select("session_id").distinct()
        viewed = work.rows(SESSIONS).join(first, "session_id", "left_semi")
        return _persons_of(work.changed(SESSIONS, _OF_SESSIONS), viewed)

    def part(work: Work, persons: list[str]) -> Result:
        sessions = of_ids(work.rows(SESSIONS), persons, "person_id")
        rows = touches(sessions, work.rows(PAGE_VIEWS), rules.source_days)
        return Result(rows)

    how = KeyedRefresh(TOUCHES, (SESSIONS, PAGE_VIEWS), f"{CODE}-{rules.source_days}", whole, affected, part)
    return refresh_keys(run, how)


def conversions_step(run: Run) -> StepReport:
    """Brings conversions up to date."""
    rules = run.rules.sessions

    def converting(work: Work) -> DataFrame:
        return work.rows(ENRICHED_EVENTS).where(is_conversion(rules))

    def whole(work: Work) -> Result:
        return Result(conversions(converting(work), work.rows(IDENTITIES), rules, work.rows(CONVERSION_IDS)))

    def affected(work: Work) -> list[str] | None:
        columns = (*CARRIERS, "event_id", "event", "derived_at", "revenue_reporting", "is_bot", "site_date")
        changed = work.changed(ENRICHED_EVENTS, columns).where(is_conversion(rules))
        counted_anew = work.changed(CONVERSION_IDS, CONVERSION_IDS.column_names).where("is_repeated")
        carriers = changed.select(*CARRIERS).unionByName(counted_anew.select(*CARRIERS))
        known = regrouped(work.changed(IDENTITIES, PERSON_COLUMNS))
        return affected_persons(
            known, carriers, partial(work.rows_of, IDENTITIES), lambda: converting(work).select(*CARRIERS)
        )

    def part(work: Work, persons: list[str]) -> Result | None:
        identities = work.rows(IDENTITIES)
        ids = ids_of(persons, identities)
        if ids is None:
            return None
        rows = conversions(carrying(converting(work), ids), identities, rules, work.rows(CONVERSION_IDS))
        return Result(rows)

    sources, code = (IDENTITIES, ENRICHED_EVENTS, CONVERSION_IDS), f"{CODE}-{rules.conversion_events}"
    return refresh_keys(run, KeyedRefresh(CONVERSIONS, sources, code, whole, affected, part))


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
