"""daily_metrics: the days whose events, sessions or page views changed, each made again from its own rows."""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import functions as F

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.metrics import DAILY_METRICS
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.date_refresh import DateRefresh, DateWork, refresh_dates
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.metrics.daily_metrics import daily_metrics

CODE = "2"
"""Version of the code that makes the metrics; raise it when the rows it gives change."""
_DAYS_SHOWN = 60
_BY_DAY = (ENRICHED_EVENTS, SESSIONS, PAGE_VIEWS)


def metrics_step(run: Run) -> StepReport:
    """Refreshes daily_metrics for the days of the window."""
    rules = run.rules.sessions

    def stage(work: DateWork) -> list[LakeFile]:
        events, sessions, views = (
            work.of(table).read(run.spark, work.of(table).of_dates(work.dates)) for table in _BY_DAY
        )
        ids = work.of(CONVERSION_IDS).read(run.spark).where(F.col("event_date").cast("string").isin(work.dates))
        rows = daily_metrics(events, sessions, views, rules, ids)
        return work.base.table.stage(rows, len(work.dates), len(work.dates))

    follows = (*_BY_DAY, CONVERSION_IDS)
    report = refresh_dates(run, DateRefresh(DAILY_METRICS, follows, f"{CODE}-{rules.version}", stage, appends=False))
    made = run.lake.table(DAILY_METRICS.name).snapshot()
    return replace(report, bars=_events_per_day(made), bars_unit="events per day")


def _events_per_day(metrics: Snapshot) -> list[tuple[str, float]]:
    """The last days that have events."""
    last = sorted(metrics.dates())[-_DAYS_SHOWN:]
    events = dict.fromkeys(last, 0.0)
    for row in metrics.arrow(metrics.of_dates(last), ("event_date", "events")).to_pylist():
        events[str(row["event_date"])] += row["events"]
    return list(events.items())
