"""landing_lag: how long events lay on the stream before they were landed, by the minute in which they came.

When records were landed is told by the commits of raw_events alone, so that no row of theirs depends on it and the same
range still gives the same object. A commit is counted once, when it is first seen, and never again: what it said stands
when its objects are put together, when people in them are erased, and when raw_events is made anew from the stream.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.latency import LANDING_SECONDS
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.contract.tables.minutes import LANDING_LAG
from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Commit, Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.pending_changes import was_recreated
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run

LANDING_LAG_CODE = "1"
"""Version of the code that counts. What was counted by another stands."""
KEPT_DAYS = 70
"""Days of which minutes are kept: a few more than hours are judged by."""
_SECOND = 1_000_000


def landing_rules(rules: Rules) -> str:
    """The version of the rules that landing_lag goes by."""
    return f"{LANDING_SECONDS}"


def landing_lag_step(run: Run) -> StepReport:
    """Brings landing_lag up to date."""
    return retry_on_conflict(lambda: _count(run))


def _count(run: Run) -> StepReport:
    base = run.lake.table(LANDING_LAG.name).snapshot()
    raw = run.lake.table(RAW_EVENTS.name).snapshot()
    consumed = base.progress.consumed(RAW_EVENTS.name)
    code = f"{LANDING_LAG_CODE}-{landing_rules(run.rules)}"
    progress = base.progress.with_code(code, (), ()).with_consumed(RAW_EVENTS.name, raw.consumed)
    if progress == base.progress:
        return report_of(base)
    is_new = was_recreated(raw, consumed)
    landed = _landed(raw, -1 if is_new else consumed.watermark)
    if is_new:  # the same records, landed again
        landed = landed.filter(pc.greater(landed["minute"], _newest(base)))
    first = _first_day(raw)
    landed = landed.filter(pc.greater_equal(landed["day"], first))
    days = set(pc.unique(landed["day"]).to_pylist())
    again = base.of_dates(days)
    over = [file for file in base.files if file.partition["day"] < first]
    staged = _staged(base, _together([base.arrow(again), landed])) if days else []
    after = base.table.at(base.table.commit(base, progress, add=staged, remove=[*over, *again]))
    return replace(report_of(after, staged), more={"waited": pc.sum(landed["waited"]).as_py() or 0})


def _first_day(raw: Snapshot) -> str:
    newest = max(raw.dates(), default="")
    return str(dt.date.fromisoformat(newest) - dt.timedelta(days=KEPT_DAYS)) if newest else ""


def _newest(base: Snapshot) -> pa.Scalar:
    """The last minute that is counted."""
    days = base.of_dates(sorted(base.dates())[-1:])
    type_ = LANDING_LAG.arrow_schema().field("minute").type
    last = pc.max(base.arrow(days)["minute"]).as_py() if days else None
    return pa.scalar(last or dt.datetime(1, 1, 1, tzinfo=dt.UTC), type_)


def _landed(raw: Snapshot, since: int) -> pa.Table:
    """The rows of what was landed by the commits after a version, as far as the log is kept."""
    times: dict[int, dt.datetime] = {}
    for version in range(raw.version, since, -1):
        at = raw.committed_at(version)
        if at is None:
            break
        times[version] = at
    commits = raw.changes_since(min(times, default=raw.version + 1) - 1).commits
    parts = [_of_commit(raw, commit, times[commit.version]) for commit in commits if not commit.replaced]
    return _together(parts)


def _of_commit(raw: Snapshot, commit: Commit, at: dt.datetime) -> pa.Table:
    rows = raw.arrow(list(_files(raw, commit)), ("arrived_at", "events"))
    arrived = rows["arrived_at"]
    took = pc.subtract(pa.scalar(at, arrived.type), arrived).cast(pa.int64())
    is_long = pc.greater(took, LANDING_SECONDS * _SECOND)
    return _rows(
        pc.floor_temporal(arrived, unit="minute"),
        rows["events"],
        pc.if_else(is_long, rows["events"], 0),
        pc.divide(pc.max_element_wise(took, 0).cast(pa.float64()), _SECOND),
    )


def _files(raw: Snapshot, commit: Commit) -> Iterator[LakeFile]:
    """The objects of a commit, those too that were put together since, as far as they are still kept."""
    found = raw.of_paths(commit.added)
    if len(found) < len(commit.added):
        found = raw.table.at(commit.version).of_paths(commit.added)
    name, storage = raw.table.spec.name, raw.table.storage
    return (file for file in found if storage.are_there([f"{name}/{file.path}"]))


def _rows(minute: pa.ChunkedArray, events: pa.ChunkedArray, waited: pa.ChunkedArray, took: pa.ChunkedArray) -> pa.Table:
    columns = {
        "day": pc.strftime(minute, format="%Y-%m-%d"),
        "minute": minute,
        "events": events,
        "waited": waited,
        "longest_seconds": took,
    }
    schema = LANDING_LAG.arrow_schema()
    return _together([pa.table([columns[field.name].cast(field.type) for field in schema], schema=schema)])


def _together(parts: Sequence[pa.Table]) -> pa.Table:
    """Counts of the same minute as one, in the order of the minutes."""
    schema = LANDING_LAG.arrow_schema()
    every = pa.concat_tables([schema.empty_table(), *parts])
    measures = [("events", "sum"), ("waited", "sum"), ("longest_seconds", "max")]
    sums = every.group_by(["day", "minute"]).aggregate(measures).sort_by("minute")
    names = {name: f"{name}_{how}" for name, how in measures}
    return pa.table([sums[names.get(name, name)].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _staged(base: Snapshot, rows: pa.Table) -> list[LakeFile]:
    name = uuid.uuid4().hex
    return [
        base.table.stage_arrow(rows.filter(pc.equal(rows["day"], day)), name, {"day": day})
        for day in sorted(pc.unique(rows["day"]).to_pylist())
    ]
