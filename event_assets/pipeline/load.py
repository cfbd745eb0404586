"""The warehouse's tables: what changed in the lake is loaded, date by date, in one transaction each time.

What is loaded is known from the warehouse's own record, written by the transaction that loaded it. Where rows only
came, only the new files are loaded. A date that was written again, and a table that is one whole, is compared with what
is loaded, as the lake has kept it: the rows that differ are loaded. Where it is not kept, all rows are replaced. Of
tables whose rows are events a setting says which days are there: a day that is not to be there is removed with its
record, and one that is and has no record is loaded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed
from event_assets.lake.snapshot import Changes, Snapshot
from event_assets.pipeline.changed_rows import readable
from event_assets.pipeline.load_difference import beside, difference
from event_assets.pipeline.pending_changes import REBUILD, PendingChanges
from event_assets.pipeline.telling import telling_load
from event_assets.pipeline.window import Window
from event_assets.warehouse.dialect import Mode
from event_assets.warehouse.external import EXTERNAL_TABLES, list_of, place_of_list
from event_assets.warehouse.loads import (
    OF_ANOTHER,
    LoadExpectation,
    LoadMismatch,
    LoadReport,
    PartitionDate,
    Totals,
)
from event_assets.warehouse.redshift import RedshiftDialect
from event_assets.warehouse.relation import match_columns
from event_assets.warehouse.warehouse import Warehouse


@dataclass(frozen=True)
class Loaded:
    """What a load step did: the version that the table is from now, the lake's rows of the dates that the warehouse is
    to have, and a report per transaction."""

    lake_version: int
    rows: int
    bytes: int
    dates: tuple[str, ...] = ()
    reports: tuple[LoadReport, ...] = ()


def load_step(
    lake: Lake,
    warehouse: Warehouse,
    table: WarehouseTable,
    window: Window,
    rebuild: bool = False,
    most_never: int | None = None,
) -> Loaded:
    """Brings a table of the warehouse up to date: the window's dates, or the whole of a table without any.

    Dates that the warehouse is to have and has no record of are loaded like others; where `most_never` is given, the
    newest so many, in the window or not. Dates that it is not to have are removed, wherever they lie.
    """
    with telling_load(table.name) as tell:
        loaded = _load(lake, warehouse, table, window, rebuild, most_never)
        if table in EXTERNAL_TABLES and isinstance(warehouse.dialect, RedshiftDialect):
            _list_files(lake.table(table.lake.name).snapshot(), warehouse.dialect, table)
        tell(loaded)
    return loaded


def _load(
    lake: Lake, warehouse: Warehouse, table: WarehouseTable, window: Window, rebuild: bool, most_never: int | None
) -> Loaded:
    snapshot = lake.table(table.lake.name).snapshot()
    if not table.partition_by:
        return _load_whole(snapshot, warehouse, table, rebuild)
    is_wanted = wanted(snapshot, warehouse, table)
    remove_unwanted(snapshot, warehouse, table)
    pending = behind(snapshot, warehouse, table)
    to_rebuild = set(filter(is_wanted, window.among(snapshot.dates()))) if rebuild else set()
    appended, replaced = pending.appended_and_replaced(_taken(pending, window, most_never) - to_rebuild)
    load = _Loads(snapshot, warehouse, table, dict(pending.dates))
    for each in appended:
        of_dates = [file for file in each.files if file.partition[table.partition_by] in each.dates]
        load.append(each.dates, of_dates, _grown(snapshot, table, each.dates, of_dates))
    for version, dates in _by_version(replaced, pending):
        if not load.difference(version, dates):
            to_rebuild |= set(dates)
    if to_rebuild:
        load.replace(tuple(sorted(to_rebuild)))
    done = sorted(set(pending.dates) - load.remaining.keys() | to_rebuild)
    there = [file for file in snapshot.files if is_wanted(file.partition[table.partition_by])]
    rows, size = sum(file.rows for file in there), sum(file.size for file in there)
    return Loaded(snapshot.version, rows, size, tuple(done), tuple(load.reports))


def _list_files(snapshot: Snapshot, redshift: RedshiftDialect, table: WarehouseTable) -> None:
    """Has Spectrum read this version of the table. Doing it again changes nothing."""
    if redshift.listed.get(table.name) != (snapshot.id, snapshot.version):
        snapshot.table.storage.replace(place_of_list(table), list_of(snapshot.files))
        redshift.listed[table.name] = (snapshot.id, snapshot.version)


def wanted(snapshot: Snapshot, warehouse: Warehouse, table: WarehouseTable) -> Callable[[str], bool]:
    """Which dates the warehouse is to have: those that the lake keeps, of a table whose rows are events the last ones
    of these, or none."""
    kept, days = snapshot.whole_since, warehouse.event_days if table.are_events else None
    if days is None:
        return lambda date: date >= kept
    last = max(snapshot.dates(), default=None)
    if not days or last is None:
        return lambda date: False
    first = max(kept, str(dt.date.fromisoformat(last) - dt.timedelta(days=days - 1)))
    return lambda date: date >= first


@dataclass
class _Loads:
    """The loads of one table that follow each other: what the dates that `remain` are loaded from, and what each did.
    Dates None: of a table that is one whole."""

    snapshot: Snapshot
    warehouse: Warehouse
    table: WarehouseTable
    remaining: dict[str, int] = field(default_factory=dict)
    reports: list[LoadReport] = field(default_factory=list)

    def append(
        self,
        dates: Sequence[str] | None,
        files: Sequence[LakeFile],
        grown: LoadExpectation | None,
        gone: Sequence[LakeFile] = (),
    ) -> None:
        self._load(dates, files, "append", grown, gone)

    def replace(self, dates: Sequence[str] | None) -> None:
        files = self.snapshot.files if dates is None else self.snapshot.of_dates(dates)
        self._load(dates, files, "replace")

    def difference(self, version: int, dates: Sequence[str] | None) -> bool:
        """Loads what differs from a version of the lake. Gives whether it did: not where that is not kept, where most
        rows differ, and where what stands is not of that version."""
        then = readable(self.snapshot, Consumed(version, table=self.snapshot.id))
        found = difference(then, self.snapshot, match_columns(self.table), dates) if then else None
        if found is None:
            return False
        try:
            with beside(self.snapshot, found) as (came, gone):
                self.append(dates, came, _with_sums(self.snapshot, self.table, dates, found.rows), gone)
        except LoadMismatch:
            return False
        return True

    def _load(
        self,
        dates: Sequence[str] | None,
        files: Sequence[LakeFile],
        mode: Mode,
        grown: LoadExpectation | None = None,
        gone: Sequence[LakeFile] = (),
    ) -> None:
        remaining = {date: version for date, version in self.remaining.items() if date not in (dates or ())}
        report = self.warehouse.load_partition(
            self.table,
            None if dates is None else [dt.date.fromisoformat(date) for date in dates],
            files,
            partial(lake_totals, self.snapshot, self.table, dates),
            mode,
            self.snapshot.version,
            through=None if dates is None else _through(self.snapshot, remaining),
            lake_table=self.snapshot.id,
            grown=grown,
            gone=gone,
        )
        self.remaining = remaining
        self.reports.append(report)


def _by_version(dates: Iterable[str], pending: PendingChanges) -> Iterable[tuple[int, list[str]]]:
    """The dates by the version of the lake that they are loaded from."""
    versions: dict[int, list[str]] = {}
    for date in dates:
        versions.setdefault(pending.dates[date], []).append(date)
    return versions.items()


def behind(snapshot: Snapshot, warehouse: Warehouse, table: WarehouseTable) -> PendingChanges:
    """The dates on which the table is behind the lake, each with the lake's version that it is loaded from."""
    is_wanted = wanted(snapshot, warehouse, table)
    if table.are_events and warehouse.event_days == 0:
        return PendingChanges(snapshot, Consumed(), Changes(True, ()), {})
    loaded = warehouse.loaded_versions(table, snapshot.id)
    if any(_is_of_another(version, snapshot) for version in loaded.values()):
        every = snapshot.dates() | {str(date) for date in loaded if date}
        to_rebuild = [date for date in every if loaded.get(dt.date.fromisoformat(date)) != snapshot.version]
        rebuilt = dict.fromkeys(filter(is_wanted, to_rebuild), REBUILD)
        return PendingChanges(snapshot, Consumed(), Changes(False, ()), rebuilt)
    watermark = loaded.get(None, -1)
    changes = snapshot.changes_since(watermark)
    dates: dict[str, int] = {}
    if changes.known:
        for commit in changes.commits:
            for date in commit.affected:
                version = max(loaded.get(dt.date.fromisoformat(date), -1), watermark)
                if commit.version > version:
                    dates[date] = version
        added = {path for commit in changes.commits for path in commit.added}
        known = {str(date) for date in loaded}
        files = snapshot.of_dates(snapshot.dates() - known) if table.partition_by else []
        dates |= {file.partition[table.partition_by]: REBUILD for file in files if file.path not in added}
    else:
        dates = dict.fromkeys(snapshot.dates(), -1)
    return PendingChanges(
        snapshot, Consumed(watermark), changes, {date: version for date, version in dates.items() if is_wanted(date)}
    )


def loaded_version(snapshot: Snapshot, warehouse: Warehouse, table: WarehouseTable) -> int | None:
    """The lake's version that a table that is one whole is loaded from; None where it is from no version of this lake
    table."""
    version = warehouse.loaded_versions(table, snapshot.id).get(None)
    return None if version is None or _is_of_another(version, snapshot) else version


def _is_of_another(version: int, snapshot: Snapshot) -> bool:
    """Whether what was loaded from this version is from a lake table that was deleted and made anew."""
    return version == OF_ANOTHER or version > snapshot.version


def remove_unwanted(snapshot: Snapshot, warehouse: Warehouse, table: WarehouseTable) -> list[str]:
    """Removes the dates that the warehouse is not to have, with what is known of them. Gives them."""
    if not snapshot.whole_since and (not table.are_events or warehouse.event_days is None):
        return []
    is_wanted = wanted(snapshot, warehouse, table)
    gone = sorted(date for date in warehouse.loaded_versions(table) if date and not is_wanted(str(date)))
    if gone:
        warehouse.remove_dates(table, gone)
    return [str(date) for date in gone]


def _taken(pending: PendingChanges, window: Window, most_never: int | None) -> set[str]:
    if most_never is None:
        return set(window.among(pending.dates))
    never = sorted((date for date, version in pending.dates.items() if version == REBUILD), reverse=True)
    return set(window.among(pending.dates.keys() - set(never))) | set(never[:most_never])


def _through(snapshot: Snapshot, remaining: Mapping[str, int]) -> int:
    """The version up to which every date is loaded. One that was never loaded is known by that it has no record."""
    return max(min((version for version in remaining.values() if version != REBUILD), default=snapshot.version), -1)


def _load_whole(snapshot: Snapshot, warehouse: Warehouse, table: WarehouseTable, rebuild: bool) -> Loaded:
    loaded = loaded_version(snapshot, warehouse, table)
    if loaded == snapshot.version and not rebuild:
        return Loaded(snapshot.version, snapshot.rows, snapshot.bytes)
    load = _Loads(snapshot, warehouse, table)
    if rebuild or not load.difference(-1 if loaded is None else loaded, None):
        load.replace(None)
    return Loaded(snapshot.version, snapshot.rows, snapshot.bytes, (), tuple(load.reports))


def _grown(
    snapshot: Snapshot, table: WarehouseTable, dates: Iterable[str], came: Sequence[LakeFile]
) -> dict[PartitionDate, Totals]:
    """The rows of each date, and the sums of those that came: no other file is read."""
    rows = dict.fromkeys(dates, 0)
    for file in snapshot.of_dates(rows):
        rows[file.partition[table.partition_by]] += file.rows
    added = {date: [file for file in came if file.partition[table.partition_by] == date] for date in rows}
    return {
        dt.date.fromisoformat(date): Totals(count, _total(snapshot, table, added[date]).sums)
        for date, count in rows.items()
    }


def _with_sums(
    snapshot: Snapshot, table: WarehouseTable, dates: Sequence[str] | None, came: pa.Table
) -> dict[PartitionDate, Totals]:
    """The rows of each date, and the sums of those that came."""
    if dates is None:
        return {None: Totals(snapshot.rows, _sums(table, came))}
    rows = dict.fromkeys(dates, 0)
    for file in snapshot.of_dates(rows):
        rows[file.partition[table.partition_by]] += file.rows
    of_date = came[table.partition_by].cast(pa.string())
    return {
        dt.date.fromisoformat(date): Totals(count, _sums(table, came.filter(pc.equal(of_date, date))))
        for date, count in rows.items()
    }


def lake_totals(snapshot: Snapshot, table: WarehouseTable, dates: Iterable[str] | None) -> dict[PartitionDate, Totals]:
    """Rows and sums of each date as the lake has them; dates None: of a table that is one whole."""
    if dates is None:
        return {None: _total(snapshot, table, snapshot.files)}
    by_date: dict[str, list[LakeFile]] = {date: [] for date in dates}
    for file in snapshot.of_dates(by_date):
        by_date[file.partition[table.partition_by]].append(file)
    return {dt.date.fromisoformat(d): _total(snapshot, table, files) for d, files in by_date.items()}


def _total(snapshot: Snapshot, table: WarehouseTable, files: Sequence[LakeFile]) -> Totals:
    count = sum(file.rows for file in files)
    if not table.sums:
        return Totals(count, {})
    return Totals(count, _sums(table, snapshot.arrow(files, table.sums)))


def _sums(table: WarehouseTable, rows: pa.Table) -> dict[str, int | float]:
    return {name: pc.sum(rows[name]).as_py() or 0 for name in table.sums}
