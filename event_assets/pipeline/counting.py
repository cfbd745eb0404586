"""conversion_ids: the index of conversion events that say which conversion they tell of, and of those that count.

Of the events only files that came or went are read, and only the conversions that these tell of go through the engine.
Rows that come lie in a file of their own; files in which a row goes or becomes another are written again, and no
others. A commit names the days on which a row counts that did not, or the other way round: these are the days that are
counted again.
"""

from __future__ import annotations

import uuid

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.progress import Progress
from event_assets.lake.row_changes import net
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.changed_rows import files_between, readable
from event_assets.pipeline.known_ids import holding
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.attribution.conversion_ids import COLUMNS, conversion_ids, with_repeats
from event_assets.transforms.kept import facts

CODE = "1"
"""Version of the code that makes the index; raise it when the rows it gives change."""

_CONVERSION = ["event", "conversion_id"]


def conversion_ids_step(run: Run) -> StepReport:
    """Brings the index up to date with all enriched events."""
    return retry_on_conflict(lambda: _refresh(run))


def _refresh(run: Run) -> StepReport:
    spark, rules = run.spark, run.rules.sessions
    base, events = (run.lake.table(table.name).snapshot() for table in (CONVERSION_IDS, ENRICHED_EVENTS))
    code = f"{CODE}-{rules.conversion_events}-{rules.conversion_ids}"
    progress = base.progress.with_consumed(ENRICHED_EVENTS.name, events.consumed).with_code(code, (), ())
    if progress == base.progress and not run.rebuild:
        return StepReport(base.table.spec.name, base.version, base.rows, base.bytes)
    knows_changes = base.progress.code == code and not run.rebuild
    then = readable(events, base.progress.consumed(ENRICHED_EVENTS.name)) if knows_changes else None
    with run.lake.scratch() as checkpoint:
        if then is not None:
            came, went = (
                checkpoint(conversion_ids(snapshot.read(spark, files), rules))
                for snapshot, files in zip((events, then), files_between(then, events), strict=True)
            )
            return _changed(base, progress, came, went)
        rows = conversion_ids(events.read(spark), rules)
        if events.whole_since and base.files:
            rows = facts(rows, base.read(spark).select(*COLUMNS), "event_date", events.whole_since)
        staged = base.table.stage(with_repeats(rows), 1, base.rows + 1)
    affected = dict.fromkeys(_days_counted_anew(base.arrow(), base.arrow(staged)), 0)
    version = base.table.commit(base, progress, add=staged, remove=base.files, affected=affected)
    made = base.table.at(version)
    return StepReport(base.table.spec.name, version, made.rows, made.bytes, made.rows)


def _changed(base: Snapshot, progress: Progress, came: DataFrame, went: DataFrame) -> StepReport:
    """Of the conversions that a row came or went of, the rows are made again; all others stay as they are."""
    of_both = came.unionByName(went).select("event_id", *_CONVERSION).toArrow()
    if not of_both.num_rows:
        version = base.table.commit(base, progress)
        return StepReport(base.table.spec.name, version, base.rows, base.bytes)
    files = holding(base, "conversion_id", of_both["conversion_id"])
    standing = base.arrow(files)
    of_both = of_both.cast(pa.schema([standing.schema.field(name) for name in of_both.column_names]))
    events = of_both["event_id"].combine_chunks()
    before = standing.join(of_both.select(_CONVERSION), _CONVERSION, join_type="left semi")
    kept = before.filter(pc.invert(pc.is_in(before["event_id"], value_set=events)))
    rows = came.sparkSession.createDataFrame(kept).select(*COLUMNS).unionByName(came) if kept.num_rows else came
    after = base.table.collect(with_repeats(rows))
    added, gone = net(after, before.cast(after.schema))
    remove, stay = _without(base, files, gone["event_id"].combine_chunks())
    together = pa.concat_tables([added, *stay])
    add = [base.table.stage_arrow(together, uuid.uuid4().hex, {})] if together.num_rows else []
    affected = dict.fromkeys(_days_counted_anew(before, after), 0)
    version = base.table.commit(base, progress, add=add, remove=remove, affected=affected)
    made = base.table.at(version)
    return StepReport(base.table.spec.name, version, made.rows, made.bytes, after.num_rows)


def _without(base: Snapshot, files: list[LakeFile], events: pa.Array) -> tuple[list[LakeFile], list[pa.Table]]:
    """Those of the files that hold rows of these events, and of each the rows of others."""
    remove, stay = list[LakeFile](), list[pa.Table]()
    for file in files if len(events) else []:
        rows = base.arrow([file])
        others = rows.filter(pc.invert(pc.is_in(rows["event_id"], value_set=events)))
        if others.num_rows < rows.num_rows:
            remove.append(file)
            stay.append(others)
    return remove, stay


def _days_counted_anew(before: pa.Table, after: pa.Table) -> list[str]:
    """The days of the rows that do not count in only one of the two."""
    one, other = (
        {(row["event_id"], row["event_date"]) for row in rows.filter(rows["is_repeated"]).to_pylist()}
        for rows in (before, after)
    )
    return sorted({str(date) for _, date in one ^ other})
