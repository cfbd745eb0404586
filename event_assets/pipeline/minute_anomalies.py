"""minute_anomalies: what of the last minutes is unusual, while they go on.

A minute is judged when the next one has begun, and again when more is known of it or of what it is held against; what
was said of others stands. While nothing comes at all nothing is written: that is judged whenever somebody looks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.contract.tables.minutes import LANDING_LAG, MINUTE_ANOMALIES, MINUTE_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.anomalies import blocked
from event_assets.pipeline.changed_rows import files_between, readable
from event_assets.pipeline.domains import Group
from event_assets.pipeline.incident_sayings import watched
from event_assets.pipeline.landing_lag import LANDING_LAG_CODE, landing_lag_step, landing_rules
from event_assets.pipeline.minute_events import (
    MINUTE_EVENTS_CODE,
    MINUTE_SOURCES,
    minute_events_step,
    minute_rules,
)
from event_assets.pipeline.pending_changes import pending_changes
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.rules.anomalies import Anomalies

MINUTE_ANOMALIES_CODE = "5"
"""Version of the code that judges; raise it when the rows it gives change."""
_SHOWN = dt.timedelta(hours=2)
_MOST_SILENT = dt.timedelta(hours=2)
"""So long after the last event silence is judged: what is not unusual by then is how it is."""
_UNUSUAL = "unusual"
_SOURCES = (LANDING_LAG, MINUTE_EVENTS)
_MINUTE = LANDING_LAG.column_names.index("minute")


def minute_anomaly_rules(rules: Rules) -> str:
    """The version of the rules that minute_anomalies goes by."""
    return rules.anomalies.digest


def minute_anomalies_step(run: Run) -> StepReport:
    """Brings minute_anomalies up to date."""
    why = blocked(run)
    if why:
        return replace(report_of(run.lake.table(MINUTE_ANOMALIES.name).snapshot()), warnings=(why,))
    return retry_on_conflict(lambda: _judge(run))


def _judge(run: Run) -> StepReport:
    base = run.lake.table(MINUTE_ANOMALIES.name).snapshot()
    now = _Counted(*(run.lake.table(table.name).snapshot() for table in _SOURCES))
    rules = watched(run.lake, run.rules)
    code = f"{MINUTE_ANOMALIES_CODE}-{rules.digest}"
    progress = base.progress.with_code(code, (), ())
    for table in now:
        progress = progress.with_consumed(table.table.spec.name, table.consumed)
    if progress == base.progress and not run.rebuild:
        return report_of(base)
    is_whole = run.rebuild or base.progress.code != code
    then = None if is_whole else _as_judged(now, base)
    if then is not None and _is_same_but_for_the_newest(then, now):
        return report_of(base.table.at(base.table.commit(base, progress)))
    rows = _rows(base, now, rules, None if then is None else _changed_since(then, now))
    staged = [base.table.stage_arrow(rows, f"v{base.version}", {})] if rows.num_rows else []
    after = base.table.at(base.table.commit(base, progress, add=staged, remove=base.files))
    return replace(report_of(after, staged), more={"unusual": _number_unusual(rows)})


class _Counted(NamedTuple):
    """What minutes are judged by."""

    landing: Snapshot
    events: Snapshot


def _as_judged(now: _Counted, base: Snapshot) -> _Counted | None:
    """The tables as they were judged; None where that is not kept."""
    landing, events = (readable(each, base.progress.consumed(each.table.spec.name)) for each in now)
    return None if landing is None or events is None else _Counted(landing, events)


def _is_same_but_for_the_newest(then: _Counted, now: _Counted) -> bool:
    """Whether only the newest minute, which is not over, has other counts than before."""
    hours, newest = _changed_hours(then.events, now.events), {max(now.events.dates(), default="")}
    if hours and not hours == newest == {max(then.events.dates(), default="")}:
        return False
    rows, before = (_in_order(each.events.arrow(each.events.of_dates(newest)), MINUTE_EVENTS) for each in (now, then))
    minute, landed = pc.max(rows["minute"]), _minutes_landed(then, now)
    if not minute.is_valid:
        return not landed
    over, was_over = (each.filter(pc.less(each["minute"], minute)) for each in (rows, before))
    is_same = pc.max(before["minute"]).equals(minute) and over.equals(was_over)
    return is_same and all(each >= minute.as_py() for each in landed)


def _in_order(rows: pa.Table, table: Table) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in table.key])


def _changed_since(then: _Counted, now: _Counted) -> str:
    """The first hour whose counts are others than when they were judged."""
    hours = now.events.dates()
    changed = _changed_hours(then.events, now.events)
    changed |= {f"{minute:%Y-%m-%dT%H}" for minute in _minutes_landed(then, now)}
    changed |= {max(then.events.dates(), default="")}  # its last minute was not over
    return min(changed & hours, default=max(hours, default=""))  # what was before is not kept any more


def _changed_hours(then: Snapshot, counts: Snapshot) -> set[str]:
    came, went = files_between(then, counts)
    return {file.partition["hour"] for file in (*came, *went)}


def _minutes_landed(then: _Counted, now: _Counted) -> set[dt.datetime]:
    """The minutes of which something else is known of how they were landed."""
    came, went = files_between(then.landing, now.landing)
    rows, gone = (
        {tuple(row.values()) for row in snapshot.arrow(files).to_pylist()}
        for snapshot, files in ((now.landing, came), (then.landing, went))
    )
    return {row[_MINUTE] for row in rows ^ gone}


def _rows(
    base: Snapshot, counts: _Counted, rules: Anomalies, since: str | None, until: dt.datetime | None = None
) -> pa.Table:
    """The rows as they are to be: those from the hour `since` on are made, all where it is None; up to the newest
    minute, or `until`."""
    from event_assets.models.minutes import LEAST_AGE  # needs the extra models
    from event_assets.pipeline.metric_panel import worth_keeping
    from event_assets.pipeline.minute_panel import HOUR, MINUTE, MinuteCounts, judged_hour

    nothing = MINUTE_ANOMALIES.arrow_schema().empty_table()
    given = MinuteCounts(counts.events, counts.landing)
    newest = until or given.newest
    if newest is None or not rules.metrics_of("minute"):
        return nothing
    first = newest.replace(hour=0, minute=0) - dt.timedelta(days=1)
    first = max(first, ((given.first or newest) + LEAST_AGE * MINUTE).replace(minute=0))  # nothing is judged before it
    hour = first if since is None else max(first, dt.datetime.fromisoformat(f"{since}:00+00:00"))
    standing = nothing if since is None else base.arrow()
    begins = standing["period_start"]
    from_, to = (pa.scalar(at, begins.type) for at in (first, hour))
    parts = [nothing, standing.filter(pc.and_(pc.greater_equal(begins, from_), pc.less(begins, to)))]
    while hour < newest:
        parts.append(judged_hour(given, hour, min(hour + HOUR, newest), rules))
        hour += HOUR
    return worth_keeping(pa.concat_tables(parts), newest - _SHOWN)


def _number_unusual(rows: pa.Table) -> int:
    return int(pc.sum(pc.equal(rows["state"], _UNUSUAL)).as_py() or 0)


def unusual_minutes(lake: Lake, rules: Anomalies, silent_until: dt.datetime | None = None) -> pa.Table:
    """The rows of minute_anomalies; with those of minutes in which nothing came, up to `silent_until`, where it is
    known that nothing did. Empty where nothing is unusual."""
    base = lake.table(MINUTE_ANOMALIES.name).snapshot()
    rows = base.arrow()
    if silent_until is not None:
        counts = _Counted(*(lake.table(table.name).snapshot() for table in _SOURCES))
        until = _silence(counts, silent_until)
        if until is not None:
            rows = _rows(base, counts, rules, max(counts.events.dates()), until)
    return rows if _number_unusual(rows) else rows.slice(0, 0)


def _silence(counts: _Counted, now: dt.datetime) -> dt.datetime | None:
    """Up to when silence is to be judged; None where there is none, or less than a day of counts to hold it against."""
    from event_assets.models.minutes import DAY  # needs the extra models
    from event_assets.pipeline.minute_panel import MINUTE, MinuteCounts

    given = MinuteCounts(counts.events, counts.landing)
    newest, first = given.newest, given.first
    if newest is None or first is None or newest - first < DAY * MINUTE:
        return None
    until = min(now.replace(second=0, microsecond=0), newest + _MOST_SILENT)
    return until if until - newest > 2 * MINUTE else None


def is_caught_up(lake: Lake) -> bool:
    """Whether minute_events has all that clean_events and quarantined_events have."""
    progress = lake.table(MINUTE_EVENTS.name).snapshot().progress
    sources = [lake.table(table.name).snapshot() for table in (CLEAN_EVENTS, QUARANTINED_EVENTS)]
    return not any(pending_changes(source, progress).dates for source in sources)


MINUTES: tuple[
    tuple[Table, Group, str, Callable[[Rules], str], tuple[Table, ...], Callable[[Run], StepReport]],
    ...,
] = (
    (LANDING_LAG, "metrics", LANDING_LAG_CODE, landing_rules, (RAW_EVENTS,), landing_lag_step),
    (MINUTE_EVENTS, "metrics", MINUTE_EVENTS_CODE, minute_rules, MINUTE_SOURCES, minute_events_step),
    (
        MINUTE_ANOMALIES,
        "models",
        MINUTE_ANOMALIES_CODE,
        minute_anomaly_rules,
        _SOURCES,
        minute_anomalies_step,
    ),
)
"""What follows the stream by the minute: table, domain, versions of code and rules, what it is made of, how."""
