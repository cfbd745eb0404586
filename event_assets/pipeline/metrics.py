"""daily_metrics and the marts: the days whose events, sessions or views changed, each made again from its own rows.

Distinct people of whole periods are made whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.metrics import (
    DAILY_EVENTS,
    DAILY_METRICS,
    DAILY_PAGES,
    DAILY_SESSIONS,
    HOURLY_EVENTS,
    PERIOD_PEOPLE,
)
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.date_refresh import DateRefresh, DateWork, days_beside, refresh_dates
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Rules, Run
from event_assets.transforms.kept import no_fewer
from event_assets.transforms.metrics.daily_marts import daily_events, daily_pages, daily_sessions, hourly_events
from event_assets.transforms.metrics.daily_metrics import daily_metrics
from event_assets.transforms.metrics.period_people import period_people
from event_assets.transforms.sessions.sessionise import SessionRules

CODE = "3"
"""Version of the code that makes the metrics; raise it when the rows it gives change."""
MARTS_CODE = "2"
"""The same of the marts of days."""
HOURLY_CODE = "3"
"""The same of hourly_events."""
PEOPLE_CODE = "3"
"""The same of period_people."""
EventsMart = Callable[[DataFrame, SessionRules, DataFrame], DataFrame]
_DAYS_SHOWN = 60
_SHARED_DAYS = 2
"""Days in UTC, before and after one, that may have part of the same day of some site: in Auckland a day begins on the
day before, in Honolulu it ends on the day after."""
_BY_DAY = (ENRICHED_EVENTS, SESSIONS, PAGE_VIEWS)
_OF_EVENTS = (ENRICHED_EVENTS, CONVERSION_IDS)
_OF_PEOPLE = (SESSIONS, ENRICHED_EVENTS, PAGE_VIEWS, IDENTITIES)


def metrics_step(run: Run) -> StepReport:
    """Refreshes daily_metrics for the days of the window."""
    rules = run.rules.sessions
    shared = 0 if rules.zones.is_utc else _SHARED_DAYS

    def stage(work: DateWork) -> list[LakeFile]:
        events, sessions, views = (_of_days(run, work, table, before=shared) for table in _BY_DAY)
        rows = daily_metrics(events, sessions, views, rules, _conversion_ids(run, work))
        if shared:
            rows = rows.where(F.col("event_date").cast("string").isin(work.dates))
        return work.base.table.stage(rows, len(work.dates), len(work.dates))

    follows = (*_BY_DAY, CONVERSION_IDS)
    how = DateRefresh(DAILY_METRICS, follows, f"{CODE}-{rules.version}", stage, appends=False, days_after=shared)
    report = refresh_dates(run, how)
    made = run.lake.table(DAILY_METRICS.name).snapshot()
    return replace(report, bars=_events_per_day(made), bars_unit="events per day")


def session_rules(rules: Rules) -> str:
    """The version of the rules by which sessions are cut and conversions counted."""
    return rules.sessions.version


def mart_step(table: Table, upstream: Table, transform: Callable[[DataFrame], DataFrame], run: Run) -> StepReport:
    """Refreshes a mart that is made of one table alone, for the days of the window."""
    return _mart_step(run, table, (upstream,), MARTS_CODE, lambda work: transform(_of_days(run, work, upstream)))


def events_mart_step(table: Table, transform: EventsMart, code: str, run: Run) -> StepReport:
    """Refreshes a mart of events and what of them converts, for the days of the window."""
    rules = run.rules.sessions

    def rows(work: DateWork) -> DataFrame:
        return transform(_of_days(run, work, ENRICHED_EVENTS), rules, _conversion_ids(run, work))

    return _mart_step(run, table, _OF_EVENTS, f"{code}-{rules.version}", rows)


MARTS: tuple[
    tuple[Table, str, tuple[Table, ...], Callable[[Rules], str] | None, Callable[[Run], StepReport]],
    ...,
] = (
    (DAILY_SESSIONS, MARTS_CODE, (SESSIONS,), None, partial(mart_step, DAILY_SESSIONS, SESSIONS, daily_sessions)),
    (DAILY_PAGES, MARTS_CODE, (PAGE_VIEWS,), None, partial(mart_step, DAILY_PAGES, PAGE_VIEWS, daily_pages)),
    *(
        (table, code, _OF_EVENTS, session_rules, partial(events_mart_step, table, transform, code))
        for table, code, transform in (
            (DAILY_EVENTS, MARTS_CODE, daily_events),
            (HOURLY_EVENTS, HOURLY_CODE, hourly_events),
        )
    ),
)
"""Each mart that is a sum of rows: the version of its code, what it follows, the version of its rules, and what brings
it up to date."""


def period_people_step(run: Run) -> StepReport:
    """Brings period_people up to date, as of the last day that the lake has events of."""

    def whole(work: Work) -> Result:
        sessions, events, views, identities = (work.rows(table) for table in _OF_PEOPLE)
        as_of = _last_site_date(work.upstream[ENRICHED_EVENTS.name])
        return Result(period_people(sessions, events, views, identities, as_of))

    return refresh_keys(run, KeyedRefresh(PERIOD_PEOPLE, _OF_PEOPLE, PEOPLE_CODE, whole, keeps=_months_kept))


def _months_kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    """Months of which days are gone with no fewer people than stood."""
    before = standing.where("period = 'month'").where(F.col("from_date") < F.lit(work.horizon).cast("date"))
    return no_fewer(made, before, [name for name in PERIOD_PEOPLE.column_names if name != "people"], "people")


def _last_site_date(enriched: Snapshot) -> dt.date:
    """The last day of a site that there are events of; without any, a day that is before all."""
    last = enriched.of_dates(sorted(enriched.dates())[-_SHARED_DAYS:])
    dates = [str(file.high.get("site_date") or file.partition["event_date"]) for file in last]
    return dt.date.fromisoformat(max(dates, default="1970-01-01"))


def people_are_outdated(lake: Lake) -> bool:
    """Whether period_people is not of the lake as it is now. Those of a lake without events are not."""
    if not all(lake.table(table.name).exists() for table in _OF_PEOPLE):
        return False
    snapshots, table = [lake.table(each.name).snapshot() for each in _OF_PEOPLE], lake.table(PERIOD_PEOPLE.name)
    if not snapshots[0].files:
        return False
    if not table.exists():
        return True
    base = table.snapshot()
    progress = base.progress.with_code(PEOPLE_CODE, (), ())
    for snapshot in snapshots:
        progress = progress.with_consumed(snapshot.table.spec.name, snapshot.consumed)
    return base.progress != progress


def _mart_step(
    run: Run, table: Table, follows: tuple[Table, ...], code: str, rows: Callable[[DateWork], DataFrame]
) -> StepReport:
    def stage(work: DateWork) -> list[LakeFile]:
        made = rows(work)
        expected = sum(file.rows for file in work.of(follows[0]).of_dates(work.dates))
        return work.base.table.stage(made, len(work.dates), expected)

    return refresh_dates(run, DateRefresh(table, follows, code, stage, appends=False))


def _of_days(run: Run, work: DateWork, table: Table, before: int = 0) -> DataFrame:
    """The rows of the days that are made; of sessions also those of so many days before each."""
    dates = set(work.dates)
    if table == SESSIONS:
        dates |= days_beside(work.dates, range(-before, 0))
    return work.of(table).read(run.spark, work.of(table).of_dates(dates))


def _conversion_ids(run: Run, work: DateWork) -> DataFrame:
    return work.of(CONVERSION_IDS).read(run.spark).where(F.col("event_date").cast("string").isin(work.dates))


def _events_per_day(metrics: Snapshot) -> list[tuple[str, float]]:
    """The last days that have events."""
    last = sorted(metrics.dates())[-_DAYS_SHOWN:]
    events = dict.fromkeys(last, 0.0)
    for row in metrics.arrow(metrics.of_dates(last), ("event_date", "events")).to_pylist():
        events[str(row["event_date"])] += row["events"]
    return list(events.items())
