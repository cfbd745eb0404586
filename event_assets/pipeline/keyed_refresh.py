"""How a table without days is brought up to date: whole, or only the rows of those whom a change upstream touches.

All rows are made the first time, after a change of the code or the rules, where the upstream as it was is not kept any
more, where the table's files are not in order, and where most of many rows change. Whom a change touches, and what
their rows are, is told by a table's `KeyedRefresh`. Their rows alone go through the engine; of the table only the files
are written again that may hold one of them (lake/clusters.py), as only those are read of what it is made of, where that
lies in the order of the same key.

Where days of what a table is made of went by retention, what it knows of them is in its rows alone. Whatever is made
again is then put beside the rows as they stood, in the way that the table says (`keeps`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.schema import Table
from event_assets.lake.clusters import holding, in_order, is_in_order, rewrite
from event_assets.lake.files import LakeFile
from event_assets.lake.horizons import is_before
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.lake.tombstones import Tombstones, read_tombstones
from event_assets.pipeline.changed_rows import files_between, readable, signed_rows
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import FEW, TIMES, frame_of, of_ids
from event_assets.transforms.checkpoint import Checkpoint


@dataclass(frozen=True)
class Work:
    """One table that is brought up to date: as it is (`base`), and what it is made of."""

    spark: SparkSession
    base: Snapshot
    upstream: Mapping[str, Snapshot]
    checkpoint: Checkpoint
    scanned: list[LakeFile] = field(default_factory=list)
    """The files that were read, each as often as it was."""
    tombstones: Callable[[], Tombstones] | None = None
    """Who was erased."""

    @cached_property
    def horizon(self) -> str:
        """The first day from which on all is whole that the table is made of; empty where all days are."""
        return max(each.whole_since for each in self.upstream.values())

    def standing(self, keys: Sequence[str] | None = None) -> DataFrame:
        """The rows of the table itself, or those of some things, as far as they are nobody's who was erased: what is
        known of them by days that are gone alone is not to stay."""
        rows = self.existing if keys is None else self.existing_of(keys)
        spec = self.base.table.spec
        names = "person_id" if "person_id" in spec.column_names else spec.clustered_by
        erased = self.tombstones() if self.tombstones is not None and names else None
        if not erased:
            return rows
        found = rows.select(names).distinct().toArrow().column(0)
        gone = [each for chunk in found.iterchunks() for each in chunk.drop_null().to_pylist() if erased.names(each)]
        theirs = frame_of(self.spark, gone).select(F.col("id").alias(names))
        return rows.join(theirs, names, "left_anti").select(*spec.column_names) if gone else rows

    def known_of(self, keys: Sequence[str] | None = None) -> DataFrame | None:
        """The same, where days are gone; None where all that the table is made of is there."""
        return self.standing(keys) if self.horizon else None

    @cached_property
    def before(self) -> dict[str, Snapshot | None]:
        """The upstream tables as they are taken in; None where that is not kept."""
        consumed = self.base.progress.consumed
        return {name: readable(now, consumed(name)) for name, now in self.upstream.items()}

    @property
    def existing(self) -> DataFrame:
        return self._read(self.base, self.base.files)

    def existing_of(self, keys: Sequence[str]) -> DataFrame:
        """The rows of the table itself of some things, read from files that may hold one of them."""
        return of_ids(self._read(self.base, holding(self.base, keys)), keys, self.base.table.spec.clustered_by)

    def rows(self, table: Table) -> DataFrame:
        """All rows of a table that it is made of, of the days that are whole."""
        snapshot = self.upstream[table.name]
        return self._read(snapshot, [file for file in snapshot.files if not is_before(file, snapshot.whole_since)])

    def rows_of(self, table: Table, keys: Sequence[str]) -> DataFrame:
        """The rows of some things, of a table that is clustered: only files that may hold one of them are read."""
        snapshot = self.upstream[table.name]
        return of_ids(self._read(snapshot, holding(snapshot, keys)), keys, table.clustered_by)

    def rows_on(self, table: Table, dates: Iterable[str]) -> DataFrame:
        """The rows of some days, of a table that is laid out by them."""
        snapshot = self.upstream[table.name]
        return self._read(snapshot, snapshot.of_dates(dates))

    def rows_that_came(self, table: Table) -> DataFrame:
        """The rows in files that came since the table was made: all that came, and others beside them."""
        return self._read(self.upstream[table.name], self._between(table)[0])

    def changed(self, table: Table, columns: Sequence[str]) -> DataFrame:
        """The rows that came or went since the table was made, in the columns that it depends on."""
        return self.signed(table, columns).drop(TIMES)

    def signed(self, table: Table, columns: Sequence[str]) -> DataFrame:
        """The same with `TIMES`, by which what came is told from what went."""
        for files in self._between(table):
            self.scanned.extend(files)
        return signed_rows(self.spark, self._then(table), self.upstream[table.name], columns)

    def is_same(self, table: Table) -> bool:
        """Whether the table has the same files as when it was taken in."""
        return not any(self._between(table))

    def lost(self, table: Table) -> bool:
        """Whether rows may have gone since the table was made: if not, others only came."""
        return bool(self._between(table)[1])

    def progress(self, code: str) -> Progress:
        progress = self.base.progress
        for name, snapshot in self.upstream.items():
            progress = progress.with_consumed(name, snapshot.consumed)
        return progress.with_code(code, (), ())

    def _then(self, table: Table) -> Snapshot:
        then = self.before[table.name]
        assert then is not None, table.name
        return then

    def _between(self, table: Table) -> tuple[list[LakeFile], list[LakeFile]]:
        return files_between(self._then(table), self.upstream[table.name])

    def _read(self, snapshot: Snapshot, files: Sequence[LakeFile]) -> DataFrame:
        self.scanned.extend(files)
        return snapshot.read(self.spark, files)


@dataclass(frozen=True)
class Result:
    """The rows of a whole table, and what else is worth reporting."""

    rows: DataFrame
    more: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class KeyedRefresh:
    """How a table is made: `whole`, or in `part`, of those that are `affected` by what changed: values of the column
    that the table is clustered by. Rows of others that a part gives are left out. What is affected may be told where
    there is no part too: nothing, or all. `keeps` puts rows that were made beside those that stood, where days are
    gone."""

    table: Table
    sources: tuple[Table, ...]
    code: str
    whole: Callable[[Work], Result]
    affected: Callable[[Work], list[str] | None] | None = None
    part: Callable[[Work, list[str]], Result | None] | None = None
    keeps: Callable[[Work, DataFrame, DataFrame], DataFrame] | None = None

    def kept(self, work: Work, made: Result, affected: list[str] | None = None) -> Result:
        """What was made, with what stood and is not known otherwise any more."""
        if self.keeps is None or not work.horizon or not work.base.files:
            return made
        return replace(made, rows=self.keeps(work, made.rows, work.standing(affected)))


def refresh_keys(run: Run, how: KeyedRefresh) -> StepReport:
    """Refreshes a table by the keys that a change affects, as far as anything changed."""
    return retry_on_conflict(lambda: _make(run, how))


def _make(run: Run, how: KeyedRefresh) -> StepReport:
    lake = run.lake
    base = lake.table(how.table.name).snapshot()
    # The last in the order of the data is read first: then none is ahead of what it is made of.
    upstream = {source.name: lake.table(source.name).snapshot() for source in reversed(how.sources)}
    with lake.scratch() as checkpoint:
        work = Work(
            run.spark, base, upstream, checkpoint, tombstones=lambda: read_tombstones(lake.storage, run.rules.erasure)
        )
        progress = work.progress(how.code)
        if progress == base.progress and not run.rebuild:
            return StepReport(base.table.spec.name, base.version, base.rows, base.bytes)
        if not run.rebuild and how.affected and _knows_changes(work, how):
            affected = how.affected(work)
            if affected == []:
                return report_of(base.table.at(base.table.commit(base, progress)), more=_scanned(work))
            made = how.part(work, affected) if affected and how.part and _are_minor(affected, base) else None
            if affected and made:
                return _write_part(work, progress, how.kept(work, made, affected), affected)
        return _write_whole(work, progress, how.kept(work, how.whole(work)))


def _knows_changes(work: Work, how: KeyedRefresh) -> bool:
    return how.code == work.base.progress.code and None not in work.before.values() and is_in_order(work.base)


def _are_minor(affected: Sequence[str], base: Snapshot) -> bool:
    """Whether their rows are few, or not most of all."""
    return len(affected) <= FEW or 2 * len(affected) <= base.rows


def _write_whole(work: Work, progress: Progress, made: Result) -> StepReport:
    base = work.base
    staged = base.table.stage(made.rows, 1, base.rows + 1)
    if base.table.spec.clustered_by:
        staged = in_order(base, staged)
    version = base.table.commit(base, progress, add=staged, remove=base.files)
    return report_of(base.table.at(version), staged, more={**made.more, **_scanned(work)})


def _write_part(work: Work, progress: Progress, made: Result, affected: list[str]) -> StepReport:
    base = work.base
    rows = base.table.collect(of_ids(made.rows, affected, base.table.spec.clustered_by))
    add, remove, changes = rewrite(base, rows, affected)
    after = base.table.at(base.table.commit(base, progress, add=add, remove=remove, rows=changes))
    more = {"affected": len(affected), **made.more, **_scanned(work)}
    return replace(report_of(after, more=more), new_rows=rows.num_rows)


def _scanned(work: Work) -> dict[str, int]:
    """Files that were opened for it, those of the table itself left out that are written again, and their bytes."""
    return {"scanned_files": len(work.scanned), "scanned_bytes": sum(file.size for file in work.scanned)}
