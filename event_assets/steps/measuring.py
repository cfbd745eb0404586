"""daily_metrics: the days whose events, sessions or page views changed, each made again from its own rows."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import SparkSession

from event_assets.contract.tables import DAILY_METRICS, ENRICHED_EVENTS, PAGE_VIEWS, SESSIONS
from event_assets.lake.lake import Lake
from event_assets.lake.table import Snapshot, retry_on_conflict
from event_assets.steps.outstanding import outstanding
from event_assets.steps.report import StepReport
from event_assets.steps.run import Run
from event_assets.steps.window import Window
from event_assets.transforms.metrics import daily_metrics
from event_assets.transforms.sessionise import SessionRules

CODE = "1"
"""Version of the code that makes the metrics; raise it when the rows it gives change."""
_DAYS_SHOWN = 60
_SOURCES = (ENRICHED_EVENTS.name, SESSIONS.name, PAGE_VIEWS.name)


@dataclass(frozen=True)
class Measuring:
    """What to measure: the days, by which rules, whether from scratch."""

    window: Window
    rules: SessionRules
    rebuild: bool = False

    @property
    def code(self) -> str:
        return f"{CODE}-{self.rules}"


def metrics_step(run: Run) -> StepReport:
    """Brings daily_metrics up to date for the days of the window."""
    what = Measuring(run.window, run.rules.sessions, run.rebuild)
    return retry_on_conflict(lambda: _measure(run.lake, run.spark, what))


def _measure(lake: Lake, spark: SparkSession, what: Measuring) -> StepReport:
    base = lake.table(DAILY_METRICS.name).snapshot()
    sources = [lake.table(name).snapshot() for name in _SOURCES]
    todo = [outstanding(source, base.progress, base.dates) for source in sources]
    known = set().union(*(source.dates() for source in sources), base.dates())
    again = {d for d in what.window.among(known) if what.rebuild or base.progress.is_outdated(what.code, d)}
    days = sorted({*what.window.among({day for each in todo for day in each.dates}), *again})
    if not days:
        return StepReport(DAILY_METRICS.name, base.version, base.rows, base.bytes)
    events, sessions, views = (source.read(spark, source.of_dates(days)) for source in sources)
    staged = base.table.stage(daily_metrics(events, sessions, views, what.rules), len(days), len(days))
    progress = base.progress.with_code(what.code, known, days)
    for name, each in zip(_SOURCES, todo, strict=True):
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


def _events_per_day(metrics: Snapshot) -> list[tuple[str, float]]:
    """The last days that have events."""
    last = sorted(metrics.dates())[-_DAYS_SHOWN:]
    events = dict.fromkeys(last, 0.0)
    for row in metrics.arrow(metrics.of_dates(last), ("event_date", "events")).to_pylist():
        events[str(row["event_date"])] += row["events"]
    return list(events.items())
