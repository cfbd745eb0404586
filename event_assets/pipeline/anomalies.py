"""metric_anomalies and metric_incidents: what is unusual in the marts of days and hours, and what of it, and of
minutes, belongs together.

Both are made whole when what they are made of, or the file of anomalies, has changed: how a day is judged depends on
all days before it. They need the extra `models`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import reduce
from importlib.util import find_spec
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from event_assets.contract.tables.anomalies import METRIC_ANOMALIES, METRIC_INCIDENTS
from event_assets.contract.tables.events import EVENT_LEDGER
from event_assets.contract.tables.metrics import DAILY_EVENTS, DAILY_SESSIONS, HOURLY_EVENTS
from event_assets.contract.tables.minutes import LANDING_LAG, MINUTE_ANOMALIES
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.pipeline.incident_sayings import watched
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.rules.anomalies import Anomalies, Of
from event_assets.rules.rule_files import RuleError
from event_assets.transforms.metrics.metric_series import metric_series

ANOMALIES_CODE = "5"
"""Version of the code that makes these tables; raise it when the rows it gives change."""
SOURCES: dict[Of, Table] = {
    "daily_sessions": DAILY_SESSIONS,
    "daily_events": DAILY_EVENTS,
    "hourly_events": HOURLY_EVENTS,
    "event_ledger": EVENT_LEDGER,
    "hourly_landing": LANDING_LAG,
}
INCIDENT_SOURCES = (METRIC_ANOMALIES, MINUTE_ANOMALIES)
_HOURLY_DAYS = 63
"""Hours of so many last days are judged, of which the first weeks are history."""
NOT_INSTALLED = "Nothing is watched: pip install 'event-assets[models]'"
_SHOWN = 60


def can_detect() -> bool:
    """Whether the extra `models` is installed."""
    return find_spec("scipy") is not None


def anomaly_rules(rules: Rules) -> str:
    """The version of the rules that metric_anomalies goes by."""
    return rules.anomalies.digest


def incident_rules(rules: Rules) -> str:
    """The version of the rules that metric_incidents goes by."""
    return rules.anomalies.digest_of_incidents


def anomalies_step(run: Run) -> StepReport:
    """Brings metric_anomalies up to date."""
    why = blocked(run)
    if why:
        return replace(report_of(run.lake.table(METRIC_ANOMALIES.name).snapshot()), warnings=(why,))
    rules = watched(run.lake, run.rules)

    def whole(work: Work) -> Result:
        from event_assets.pipeline.metric_panel import anomaly_rows  # needs the extra models

        parts = [metric_series(table, _recent(work, SOURCES[table]), rules) for table in SOURCES]
        made = [part for part in parts if part is not None]
        if not made:
            return Result(_frame(work, METRIC_ANOMALIES.arrow_schema().empty_table(), METRIC_ANOMALIES))
        rows = anomaly_rows(reduce(DataFrame.unionByName, made).toArrow(), rules)
        return Result(_frame(work, rows, METRIC_ANOMALIES))

    return refresh_keys(
        run, KeyedRefresh(METRIC_ANOMALIES, tuple(SOURCES.values()), f"{ANOMALIES_CODE}-{rules.digest}", whole)
    )


def _recent(work: Work, table: Table) -> DataFrame:
    """The rows that are judged: all days, the last hours."""
    if table in (DAILY_SESSIONS, DAILY_EVENTS):
        return work.rows(table)
    return work.rows_on(table, sorted(work.upstream[table.name].dates())[-_HOURLY_DAYS:])


def incidents_step(run: Run) -> StepReport:
    """Brings metric_incidents up to date. Shows the worst that is open: what came, and the band of what was
    expected."""
    why = blocked(run)
    if why:
        return replace(report_of(run.lake.table(METRIC_INCIDENTS.name).snapshot()), warnings=(why,))
    rules = watched(run.lake, run.rules)

    def whole(work: Work) -> Result:
        rows = pa.concat_tables([work.upstream[table.name].arrow() for table in INCIDENT_SOURCES])
        return Result(_frame(work, incident_rows(rows, rules), METRIC_INCIDENTS))

    code = f"{ANOMALIES_CODE}-{rules.digest_of_incidents}"
    report = refresh_keys(run, KeyedRefresh(METRIC_INCIDENTS, INCIDENT_SOURCES, code, whole))
    is_open = open_among(incidents_in(run.lake))
    lines = band_of(run.lake, is_open[0]) if is_open else {}
    title = is_open[0]["what"] if is_open else ""
    return replace(report, more={"open": len(is_open)}, lines=lines, lines_unit=title)


def incidents_in(lake: Lake) -> list[dict[str, Any]]:
    """The rows of metric_incidents; none where it was never made."""
    table = lake.table(METRIC_INCIDENTS.name)
    rows: list[dict[str, Any]] = table.snapshot().arrow().to_pylist() if table.exists() else []
    return rows


def open_among(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that are open and that somebody is told of, the furthest off first."""
    told = [row for row in rows if row["is_open"] and not row["is_muted"] and row["was_real"] is not False]
    return sorted(told, key=lambda row: (-abs(row["score"]), row["incident_id"]))


def band_of(lake: Lake, incident: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The last days, hours or minutes of what an incident began with: what came, what was expected, and between which
    bounds, by name and time; rates in per cent."""
    table = MINUTE_ANOMALIES if incident["period"] == "minute" else METRIC_ANOMALIES
    rows = lake.table(table.name).snapshot().arrow()
    rows = rows.filter(pc.equal(rows["metric"], incident["metric"])).to_pylist()
    same = ("period", "metric", "dimension", "value")
    own = [row for row in rows if all(row[name] == incident[name] for name in same)]
    told = [row for row in own if row["observed"] is not None and row["expected"] is not None]
    shown = sorted(told, key=lambda row: row["period_start"])[-_SHOWN:]
    return {
        name: {
            f"{row['period_start']:%Y-%m-%d %H:%M}".removesuffix(" 00:00"): row[name]
            * (100 if row["kind"] == "rate" else 1)
            for row in shown
        }
        for name in ("observed", "expected", "low", "high")
    }


def are_outdated(lake: Lake, rules: Rules) -> bool:
    """Whether metric_anomalies or metric_incidents are not of the lake as it is now. Those of a lake without marts are
    not, nor those that a faulty file keeps as they stand."""
    if not can_detect() or not all(lake.table(table.name).exists() for table in SOURCES.values()):
        return False
    try:
        file = watched(lake, rules)
    except RuleError:
        return False
    digests = {METRIC_ANOMALIES: file.digest, METRIC_INCIDENTS: file.digest_of_incidents}
    return any(_is_outdated(lake, table, reads, digests[table]) for table, reads, _, _ in ANOMALIES)


def _is_outdated(lake: Lake, table: Table, sources: tuple[Table, ...], digest: str) -> bool:
    snapshots = [lake.table(each.name).snapshot() for each in sources]
    if not lake.table(table.name).exists():
        return any(snapshot.files for snapshot in snapshots)
    base = lake.table(table.name).snapshot()
    progress = base.progress.with_code(f"{ANOMALIES_CODE}-{digest}", (), ())
    for snapshot in snapshots:
        progress = progress.with_consumed(snapshot.table.spec.name, snapshot.consumed)
    return base.progress != progress


def incident_rows(rows: pa.Table, rules: Anomalies) -> pa.Table:
    """The incidents of rows of metric_anomalies and minute_anomalies, in the columns of `METRIC_INCIDENTS`."""
    from event_assets.pipeline.incident_rows import incidents  # needs the extra models

    return pa.Table.from_pylist(incidents(rows, rules), METRIC_INCIDENTS.arrow_schema())


def _frame(work: Work, rows: pa.Table, table: Table) -> DataFrame:
    if not rows.num_rows:
        return work.spark.createDataFrame([], table.spark_schema())
    return work.spark.createDataFrame(rows)


def blocked(run: Run) -> str:
    """Why nothing can be made, so that the tables stand as they are; empty where it can. It must not fail the run that
    analyses are made in."""
    if not can_detect():
        return NOT_INSTALLED
    try:
        _ = run.rules.anomalies
    except RuleError as fault:
        return str(fault)
    return ""


ANOMALIES: tuple[
    tuple[Table, tuple[Table, ...], Callable[[Rules], str], Callable[[Run], StepReport]],
    ...,
] = (
    (METRIC_ANOMALIES, tuple(SOURCES.values()), anomaly_rules, anomalies_step),
    (METRIC_INCIDENTS, INCIDENT_SOURCES, incident_rules, incidents_step),
)
"""Each table, what it is made of, the version of its rules, and what brings it up to date."""
