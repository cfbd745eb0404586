"""conversion_ids: the index of conversion events that say which conversion they tell of, and of those that count.

It is as narrow as `conversions` and written whole; of the events only files that came or went are read. A commit names
the days on which a row counts that did not, or the other way round: these are the days that are counted again.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.changed_rows import files_between, readable
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.attribution.conversion_ids import COLUMNS, conversion_ids, with_repeats
from event_assets.transforms.kept import facts

CODE = "1"
"""Version of the code that makes the index; raise it when the rows it gives change."""


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
        if then is None:
            rows = conversion_ids(events.read(spark), rules)
            if events.whole_since and base.files:
                rows = facts(rows, base.read(spark).select(*COLUMNS), "event_date", events.whole_since)
        else:
            came, went = (
                checkpoint(conversion_ids(snapshot.read(spark, files), rules))
                for snapshot, files in zip((events, then), files_between(then, events), strict=True)
            )
            changed = came.select("event_id").unionByName(went.select("event_id"))
            if changed.isEmpty():
                version = base.table.commit(base, progress)
                return StepReport(base.table.spec.name, version, base.rows, base.bytes)
            existing = base.read(spark).select(*COLUMNS)
            rows = existing.join(changed, "event_id", "left_anti").unionByName(came)
        staged = base.table.stage(with_repeats(rows), 1, base.rows + 1)
    affected = dict.fromkeys(_days_counted_anew(base.read(spark), base.read(spark, staged)), 0)
    version = base.table.commit(base, progress, add=staged, remove=base.files, affected=affected)
    made = base.table.at(version)
    return StepReport(base.table.spec.name, version, made.rows, made.bytes, made.rows)


def _days_counted_anew(before: DataFrame, after: DataFrame) -> list[str]:
    """The days of the rows that do not count in only one of the two."""
    one, other = (rows.where("is_repeated").select("event_id", "event_date") for rows in (before, after))
    changed = one.exceptAll(other).unionByName(other.exceptAll(one))
    return sorted(str(row["event_date"]) for row in changed.select("event_date").distinct().collect())
