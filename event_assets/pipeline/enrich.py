"""enriched_events: every event once, by the date on which it happened.

Which copy of an event counts is decided here, over all dates at once, by a narrow index of ids (`event_ids`) and the
short list of copies that do not count (`duplicate_events`). A date to which rows only came gets the new rows; a date
that lost one (an earlier copy came later, a day of arrival was cleaned again) is made again from all clean rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.events import CLEAN_EVENTS, DUPLICATE_EVENTS, ENRICHED_EVENTS, EVENT_IDS
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.date_refresh import DateRefresh, DateWork, refresh_dates
from event_assets.pipeline.known_ids import may_repeat, that_may_hold
from event_assets.pipeline.pending_changes import PendingChanges, pending_changes, was_recreated
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Run
from event_assets.transforms.events.deduplicate import POSITION, duplicates, index_entries, same_ids, without
from event_assets.transforms.events.enrich import enrich

CODE = "4"
"""Version of the code that decides which copies count; raise it when the rows it gives change."""


def index_step(run: Run) -> tuple[StepReport, ...]:
    """Takes every new clean event into the index and lists the copies that do not count, whatever date they are of."""
    retry_on_conflict(lambda: _index(run))
    return tuple(report_of(run.lake.table(table.name).snapshot()) for table in (EVENT_IDS, DUPLICATE_EVENTS))


def _index(run: Run) -> None:
    lake = run.lake
    clean, ids = lake.table(CLEAN_EVENTS.name).snapshot(), lake.table(EVENT_IDS.name).snapshot()
    pending = pending_changes(clean, ids.progress)
    listed = lake.table(DUPLICATE_EVENTS.name).snapshot()
    if pending.was_recreated or was_recreated(listed, ids.progress.consumed(DUPLICATE_EVENTS.name)):
        _index_again(lake, run.spark, clean, ids)
        return
    if not pending.dates:
        return
    appended, replaced = pending.appended_and_replaced(pending.dates)
    if replaced:
        _index_again(lake, run.spark, clean, ids)
        return
    files = [file for each in appended for file in each.files]
    staged = ids.table.stage(index_entries(clean.read(run.spark, files)), 1, sum(file.rows for file in files))
    candidates = that_may_hold(ids, _overlapping(ids.files, staged), staged)
    if candidates or may_repeat(ids, staged):
        fresh = ids.read(run.spark, staged)
        known = [same_ids(ids.read(run.spark, candidates), fresh)] if candidates else []
        _list_duplicates(lake, run.spark, duplicates(reduce(DataFrame.unionByName, [*known, fresh])), fresh)
    ids.table.commit(ids, _indexed_to(lake, ids, pending), add=staged)


def _overlapping(files: Sequence[LakeFile], staged: Sequence[LakeFile]) -> list[LakeFile]:
    """The files that may hold an id of the staged ones."""
    if not staged or any("event_id" not in file.low for file in staged):
        return list(files)
    low, high = min(f.low["event_id"] for f in staged), max(f.high["event_id"] for f in staged)
    return [file for file in files if file.may_hold("event_id", low, high)]


def _list_duplicates(lake: Lake, spark: SparkSession, found: DataFrame, fresh: DataFrame) -> None:
    """Adds copies that are not listed yet. Dates that lose a row which counted until now are noted as affected."""
    listed = lake.table(DUPLICATE_EVENTS.name).snapshot()
    new = found.join(listed.read(spark).select(*POSITION), list(POSITION), "left_anti") if listed.files else found
    staged = listed.table.stage(new, 1, 1)
    if not staged:
        return
    dethroned = listed.read(spark, staged).join(fresh.select(*POSITION), list(POSITION), "left_anti")
    affected = {str(row["event_date"]): 0 for row in dethroned.select("event_date").distinct().collect()}
    listed.table.commit(listed, listed.progress, add=staged, affected=affected)


def _index_again(lake: Lake, spark: SparkSession, clean: Snapshot, ids: Snapshot) -> None:
    """Makes the index and the list of copies anew: clean rows went, so any copy may count again. What it knows of days
    that went by retention stays: a copy that comes later is one all the same."""
    entries = index_entries(clean.read(spark))
    if clean.whole_since:
        horizon = F.lit(clean.whole_since).cast("date")
        known = ids.read(spark).where(F.col("arrival_date") < horizon)
        entries = entries.where(F.col("arrival_date") >= horizon).unionByName(known.select(*entries.columns))
    staged = ids.table.stage(entries, 1, clean.rows)
    listed = lake.table(DUPLICATE_EVENTS.name).snapshot()
    copies = listed.table.stage(duplicates(ids.read(spark, staged)), 1, 1)
    before, after = listed.read(spark), listed.read(spark, copies)
    keys = [*POSITION, "event_id", "event_date"]
    changed = (
        before.select(*keys)
        .exceptAll(after.select(*keys))
        .unionByName(after.select(*keys).exceptAll(before.select(*keys)))
    )
    affected = {str(row["event_date"]): 0 for row in changed.select("event_date").distinct().collect()}
    listed.table.commit(listed, listed.progress, add=copies, remove=listed.files, affected=affected)
    ids.table.commit(ids, _indexed_to(lake, ids, pending_changes(clean, ids.progress)), add=staged, remove=ids.files)


def _indexed_to(lake: Lake, ids: Snapshot, pending: PendingChanges) -> Progress:
    """The index's progress with all clean events in it, and the list of copies that goes with it."""
    listed = lake.table(DUPLICATE_EVENTS.name).snapshot()
    progress = ids.progress.with_consumed(CLEAN_EVENTS.name, pending.after(pending.dates))
    return progress.with_consumed(DUPLICATE_EVENTS.name, listed.consumed)


def enrich_step(run: Run) -> StepReport:
    """Refreshes enriched_events for the days of the window."""
    index_step(run)
    rules = run.rules.enriching

    def stage(work: DateWork) -> list[LakeFile]:
        counted = without(_rows(run.spark, work), _listed_in(run.spark, work.of(DUPLICATE_EVENTS), work.dates))
        expected = sum(file.rows for each in work.appended for file in each.files) + 10**6 * bool(work.rebuilt)
        return work.base.table.stage(enrich(counted, rules), len(work.dates), expected)

    how = DateRefresh(
        ENRICHED_EVENTS,
        (CLEAN_EVENTS, DUPLICATE_EVENTS),
        f"{CODE}-{rules.version}",
        stage,
        upstream=lambda: {CLEAN_EVENTS.name: _indexed(run.lake)},
    )
    return refresh_dates(run, how)


def _indexed(lake: Lake) -> Snapshot:
    """The clean events as far as the index has them. What is listed as duplicate later lists all of their copies."""
    clean = lake.table(CLEAN_EVENTS.name)
    watermark = lake.table(EVENT_IDS.name).snapshot().progress.consumed(CLEAN_EVENTS.name).watermark
    return clean.at(watermark) if watermark >= 0 else clean.snapshot()


def _rows(spark: SparkSession, work: DateWork) -> DataFrame:
    """The clean rows to take in: new ones of dates that only grew, all of the dates that are made again."""
    clean = work.of(CLEAN_EVENTS)
    frames = [_of_dates(clean.read(spark, each.files), each.dates) for each in work.appended]
    if work.rebuilt:
        files = clean.select("event_date", min(work.rebuilt), max(work.rebuilt))
        frames.append(_of_dates(clean.read(spark, files), work.rebuilt))
    return reduce(lambda one, other: one.unionByName(other), frames)


def _of_dates(rows: DataFrame, dates: Sequence[str]) -> DataFrame:
    """The rows of these dates."""
    spark = rows.sparkSession
    if len(dates) <= 100:
        return rows.where(F.col("event_date").isin([F.lit(date).cast("date") for date in dates]))
    wanted = spark.createDataFrame([(date,) for date in dates], "wanted string")
    return rows.join(wanted.select(F.col("wanted").cast("date").alias("event_date")), "event_date", "left_semi")


def _listed_in(spark: SparkSession, listed: Snapshot, dates: Sequence[str]) -> DataFrame:
    files = listed.select("event_date", dates[0], dates[-1]) if dates else []
    return listed.read(spark, files)
