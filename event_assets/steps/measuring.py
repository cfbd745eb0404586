"""daily_metrics: the days whose events, sessions or page views changed, each made again from its own rows."""

from __future__ import annotations

<<<<<<< HEAD
from dataclasses import replace

from event_assets.contract.tables import DAILY_METRICS, ENRICHED_EVENTS, PAGE_VIEWS, SESSIONS
from event_assets.lake.files import LakeFile
from event_assets.lake.table import Snapshot
from event_assets.steps.date_refresh import DateRefresh, DateWork, refresh_dates
=======
from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables import CONVERSION_IDS, DAILY_METRICS, ENRICHED_EVENTS, PAGE_VIEWS, SESSIONS
from event_assets.lake.lake import Lake
from event_assets.lake.table import Snapshot, retry_on_conflict
from event_assets.steps.outstanding import outstanding
>>>>>>> c1fd50e (The same order counts once, and sums of money are exact)
from event_assets.steps.report import StepReport
from event_assets.steps.run import Run
from event_assets.transforms.metrics import daily_metrics

CODE = "2"
"""Version of the code that makes the metrics; raise it when the rows it gives change."""
_DAYS_SHOWN = 60
_FOLLOWS = (ENRICHED_EVENTS, SESSIONS, PAGE_VIEWS)


def metrics_step(run: Run) -> StepReport:
    """Refreshes daily_metrics for the days of the window."""
    rules = run.rules.sessions

    def stage(work: DateWork) -> list[LakeFile]:
        events, sessions, views = (
            work.of(table).read(run.spark, work.of(table).of_dates(work.dates)) for table in _FOLLOWS
        )
        rows = daily_metrics(events, sessions, views, rules)
        return work.base.table.stage(rows, len(work.dates), len(work.dates))

<<<<<<< HEAD
    report = refresh_dates(run, DateRefresh(DAILY_METRICS, _FOLLOWS, f"{CODE}-{rules}", stage, appends=False))
    made = run.lake.table(DAILY_METRICS.name).snapshot()
    return replace(report, bars=_events_per_day(made), bars_unit="events per day")
=======
def _measure(lake: Lake, spark: SparkSession, what: Measuring) -> StepReport:
    base = lake.table(DAILY_METRICS.name).snapshot()
    ids, *sources = (lake.table(name).snapshot() for name in (CONVERSION_IDS.name, *_SOURCES))
    todo = [outstanding(source, base.progress, base.dates()) for source in (ids, *sources)]
    known = set().union(*(source.dates() for source in sources), base.dates())
    again = {d for d in what.window.among(known) if what.rebuild or base.progress.is_outdated(what.code, d)}
    days = sorted({*what.window.among({day for each in todo for day in each.dates}), *again})
    if not days:
        return StepReport(DAILY_METRICS.name, base.version, base.rows, base.bytes)
    events, sessions, views = (source.read(spark, source.of_dates(days)) for source in sources)
    conversions = ids.read(spark).where(F.col("event_date").cast("string").isin(days))
    made_of = daily_metrics(events, sessions, views, what.rules, conversions)
    staged = base.table.stage(made_of, len(days), len(days))
    progress = base.progress.with_code(what.code, known, days)
    for name, each in zip((CONVERSION_IDS.name, *_SOURCES), todo, strict=True):
        progress = progress.with_source(name, each.after(days))
    version = base.table.commit(base, progress, add=staged, remove=base.of_dates(days))
    made = base.table.at(version)
    rows = sum(file.rows for file in staged)
    return StepReport(
        DAILY_METRICS.name,
        version,
        made.rows,
        made.bytes,
        rows,
        made.table.touched_by(staged),
        tuple(sorted(again)),
        bars=_events_per_day(made),
        bars_unit="events per day",
    )
>>>>>>> c1fd50e (The same order counts once, and sums of money are exact)


def _events_per_day(metrics: Snapshot) -> list[tuple[str, float]]:
    """The last days that have events."""
    last = sorted(metrics.dates())[-_DAYS_SHOWN:]
    events = dict.fromkeys(last, 0.0)
    for row in metrics.arrow(metrics.of_dates(last), ("event_date", "events")).to_pylist():
        events[str(row["event_date"])] += row["events"]
    return list(events.items())
