"""minute_events: what came in each minute, kept while events come, at a cost in proportion to what came.

Files that came since the last time are counted and added to their hours, those that went are taken off again; so any
split of the stream and a day that is cleaned again end in the counts of all rows at once. An erasure is no change that
followers see: as other counts that name nobody, those of minutes keep who was erased.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.latency import DELAY_SECONDS, FRESH_SECONDS, LAG_SECONDS, SLOW_MS
from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS
from event_assets.contract.tables.minutes import MINUTE_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.enrichment.currency import Reporting
from event_assets.enrichment.measures import WEB_VITALS_EVENTS, measures_of
from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.changed_rows import files_between, readable
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.rules.anomalies import MEASURES

MINUTE_EVENTS_CODE = "2"
"""Version of the code that counts; raise it when the rows it gives change."""
MINUTE_SOURCES: tuple[Table, ...] = (CLEAN_EVENTS, QUARANTINED_EVENTS)
KEPT_DAYS = 10
"""Days before the newest whose minutes are kept: a week ago, and the day before that, must be there yesterday, too."""
_COLUMNS = {
    CLEAN_EVENTS.name: ("arrived_at", "received_at", "derived_at", "app_id", "platform", "event", "properties"),
    QUARANTINED_EVENTS.name: ("arrived_at", "event"),
}
_JUST, _LONG, _LAG = (
    pa.scalar(dt.timedelta(seconds=each), pa.duration("us")) for each in (FRESH_SECONDS, DELAY_SECONDS, LAG_SECONDS)
)
_ERROR, _PAINT = "app_error", r'"lcp_ms"|\\u'
_COUNTED = MEASURES["minute_events"]
_KEY = ["hour", "minute", "dimension", "value"]


def minute_rules(rules: Rules) -> str:
    """The version of the rules that minute_events goes by."""
    return f"{rules.sessions.conversion_events}"


def minute_events_step(run: Run) -> StepReport:
    """Brings minute_events up to date."""
    return retry_on_conflict(lambda: _count(run))


def _count(run: Run) -> StepReport:
    base = run.lake.table(MINUTE_EVENTS.name).snapshot()
    upstream = {table.name: run.lake.table(table.name).snapshot() for table in reversed(MINUTE_SOURCES)}
    code = f"{MINUTE_EVENTS_CODE}-{minute_rules(run.rules)}"
    progress = base.progress.with_code(code, (), ())
    for name, now in upstream.items():
        progress = progress.with_consumed(name, now.consumed)
    if progress == base.progress and not run.rebuild:
        return report_of(base)
    first = _first_hour(upstream.values())
    before = {name: readable(now, base.progress.consumed(name)) for name, now in upstream.items()}
    is_whole = run.rebuild or base.progress.code != code or None in before.values()
    parts = []
    for name, now in upstream.items():
        then = None if is_whole else before[name]
        came, went = (now.files, []) if then is None else files_between(then, now)
        parts += list(_counts(now, came, first, run.rules.sessions.conversion_events, 1))
        if then is not None:
            parts += list(_counts(then, went, first, run.rules.sessions.conversion_events, -1))
    counts = _summed(parts)
    hours = set(pc.unique(counts["hour"]).to_pylist())
    over = [file for file in base.files if is_whole or file.partition["hour"] < first]
    again = [file for file in base.of_dates(hours) if file not in over]
    rows = _summed([counts, base.arrow(again)]) if again else counts
    staged = _staged(base, rows)
    after = base.table.at(base.table.commit(base, progress, add=staged, remove=[*over, *again]))
    return report_of(after, staged)


def _first_hour(snapshots: Iterable[Snapshot]) -> str:
    """The first hour that is kept, by the newest day of arrival."""
    newest = max((day for snapshot in snapshots for day in snapshot.dates()), default="")
    return f"{dt.date.fromisoformat(newest) - dt.timedelta(days=KEPT_DAYS)}T00" if newest else ""


def _counts(
    snapshot: Snapshot, files: Sequence[LakeFile], first: str, conversions: Collection[str], sign: int
) -> Iterable[pa.Table]:
    """The counts of each of these files, each `sign` times, but for days that are not kept."""
    name = snapshot.table.spec.name
    for file in files:
        if file.partition["arrival_date"] >= first[:10]:
            rows = snapshot.arrow([file], _COLUMNS[name])
            counted = counted_by_minute(rows, conversions, are_clean=name == CLEAN_EVENTS.name)
            yield counted if sign > 0 else _negative(counted)


def counted_by_minute(rows: pa.Table, conversions: Collection[str], *, are_clean: bool) -> pa.Table:
    """The rows of minute_events for some of clean_events, or of quarantined_events where they are not clean."""
    minute = pc.floor_temporal(rows["arrived_at"], unit="minute")
    measures = _measures(rows, conversions) if are_clean else _of_quarantine(rows)
    places: dict[str, pa.ChunkedArray | pa.Scalar] = {"all": pa.scalar("(all)")}
    if are_clean:
        places |= {name: pc.fill_null(rows[name], "(none)") for name in ("app_id", "platform")}
    places["event"] = pc.fill_null(rows["event"], "(none)")
    parts = []
    for dimension, value in places.items():
        values = pa.repeat(value, len(rows)) if isinstance(value, pa.Scalar) else value
        placed = pa.table({"minute": minute, "value": values, **measures})
        sums = placed.group_by(["minute", "value"]).aggregate([(each, "sum") for each in _COUNTED])
        parts.append(_rows(dimension, sums))
    return pa.concat_tables(parts)


def _measures(rows: pa.Table, conversions: Collection[str]) -> dict[str, pa.Array]:
    delay, paint = pc.subtract(rows["arrived_at"], rows["derived_at"]), _paints(rows)
    is_new = pc.less_equal(delay, _JUST)
    of_event = rows["event"]
    named = {
        "errors": pc.equal(of_event, _ERROR),
        "conversions": pc.is_in(of_event, pa.array(sorted(conversions), pa.string())),
        "delayed": pc.greater(delay, _LONG),
        "lagged": pc.greater(pc.subtract(rows["arrived_at"], rows["received_at"]), _LAG),
        "timed": pc.is_valid(paint),
        "slow": pc.fill_null(pc.greater(paint, SLOW_MS), False),
    }
    ones = pa.repeat(pa.scalar(1, pa.int64()), len(rows))
    told = {name: pc.and_(is_new, is_it).cast(pa.int64()) for name, is_it in named.items()}
    return {"landed": ones, "quarantined": pc.subtract(ones, 1), "events": is_new.cast(pa.int64()), **told}


def _paints(rows: pa.Table) -> pa.Array:
    """How many milliseconds the largest contentful paint of a page took, where an event says it."""
    is_asked = pc.and_(
        pc.is_in(rows["event"], pa.array(WEB_VITALS_EVENTS)),
        pc.fill_null(pc.match_substring_regex(rows["properties"], _PAINT), False),
    )
    asked = rows.filter(is_asked)
    told = zip(asked["event"].to_pylist(), asked["properties"].to_pylist(), strict=True)
    paints = [measures_of(event, properties, dt.date.min, Reporting()).lcp_ms for event, properties in told]
    nothing = pa.nulls(len(rows), pa.float64())
    return pc.replace_with_mask(nothing, is_asked.combine_chunks(), pa.array(paints, pa.float64()))


def _of_quarantine(rows: pa.Table) -> dict[str, pa.Array]:
    ones, nothing = (pa.repeat(pa.scalar(each, pa.int64()), len(rows)) for each in (1, 0))
    return {name: ones if name in ("landed", "quarantined") else nothing for name in _COUNTED}


def _rows(dimension: str, sums: pa.Table) -> pa.Table:
    columns = {
        "hour": pc.strftime(sums["minute"], format="%Y-%m-%dT%H"),
        "minute": sums["minute"],
        "dimension": pa.repeat(pa.scalar(dimension), len(sums)),
        "value": sums["value"],
        **{name: sums[f"{name}_sum"] for name in _COUNTED},
    }
    schema = MINUTE_EVENTS.arrow_schema()
    return pa.table([columns[field.name].cast(field.type) for field in schema], schema=schema)


def _negative(counts: pa.Table) -> pa.Table:
    schema = MINUTE_EVENTS.arrow_schema()
    columns = [pc.negate(counts[name]) if name in _COUNTED else counts[name] for name in schema.names]
    return pa.table(columns, schema=schema)


def _summed(parts: Sequence[pa.Table]) -> pa.Table:
    """Counts of the same minute and value together."""
    schema = MINUTE_EVENTS.arrow_schema()
    every = pa.concat_tables([schema.empty_table(), *parts])
    sums = every.group_by(_KEY).aggregate([(name, "sum") for name in _COUNTED])
    return pa.table([sums[name if name in _KEY else f"{name}_sum"] for name in schema.names], schema=schema)


def _staged(base: Snapshot, rows: pa.Table) -> list[LakeFile]:
    """A file an hour, in the order of its minutes."""
    there = rows.filter(pc.not_equal(rows["landed"], 0)).sort_by([(name, "ascending") for name in _KEY])
    found = there["hour"].to_pylist()
    starts = [at for at in range(len(found)) if at == 0 or found[at] != found[at - 1]]
    name = uuid.uuid4().hex
    return [
        base.table.stage_arrow(there.slice(begin, end - begin), name, {"hour": found[begin]})
        for begin, end in pairwise([*starts, len(found)])
    ]
