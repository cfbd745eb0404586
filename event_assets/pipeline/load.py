"""The warehouse's tables: what changed in the lake is loaded, date by date, in one transaction each time.

What is loaded is known from the warehouse's own record, written by the transaction that loaded it. Where rows only
came, only the new files are staged; a date that lost rows, and a table that is one whole, is replaced. Of tables whose
rows are events a setting says which days are there: a day that is not to be there is removed with its record, and one
that is and has no record is loaded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow.compute as pc

from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed
from event_assets.lake.snapshot import Changes, Snapshot
from event_assets.pipeline.pending_changes import REBUILD, PendingChanges
from event_assets.pipeline.window import Window
from event_assets.warehouse.loads import OF_ANOTHER, LoadReport, PartitionDate, Totals
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
    snapshot = lake.table(table.lake.name).snapshot()
    if not table.partition_by:
        return _load_whole(snapshot, warehouse, table, rebuild)
    is_wanted = wanted(snapshot, warehouse, table)
    _remove(warehouse, table, is_wanted)
    pending = behind(snapshot, warehouse, table)
    to_rebuild = set(filter(is_wanted, window.among(snapshot.dates()))) if rebuild else set()
    taken = _taken(pending, window, most_never) - to_rebuild
    appended, replaced = pending.appended_and_replaced(taken)
    to_rebuild |= set(replaced)
    remaining = dict(pending.dates)
    reports = []
    for dates, files, mode in [
        *((each.dates, each.files, "append") for each in appended),
        *([(tuple(sorted(to_rebuild)), tuple(snapshot.of_dates(to_rebuild)), "replace")] if to_rebuild else []),
    ]:
        for date in dates:
            remaining.pop(date, None)
        of_dates = [file for file in files if file.partition[table.partition_by] in dates]
        reports.append(
            warehouse.load_partition(
                table,
                [dt.date.fromisoformat(date) for date in dates],
                of_dates,
                partial(lake_totals, snapshot, table, dates),
                "append" if mode == "append" else "replace",
                snapshot.version,
                through=_through(snapshot, remaining),
                lake_table=snapshot.id,
                grown=_grown(snapshot, table, dates, of_dates) if mode == "append" else None,
            )
        )
    done = sorted(set(pending.dates) - remaining.keys() | to_rebuild)
    there = [file for file in snapshot.files if is_wanted(file.partition[table.partition_by])]
    rows, size = sum(file.rows for file in there), sum(file.size for file in there)
    return Loaded(snapshot.version, rows, size, tuple(done), tuple(reports))


def wanted(snapshot: Snapshot, warehouse: Warehouse, table: WarehouseTable) -> Callable[[str], bool]:
    """Which dates the warehouse is to have: all; of a table whose rows are events the last ones, or none."""
    days = warehouse.event_days if table.are_events else None
    if days is None:
        return lambda date: True
    last = max(snapshot.dates(), default=None)
    if not days or last is None:
        return lambda date: False
    first = str(dt.date.fromisoformat(last) - dt.timedelta(days=days - 1))
    return lambda date: date >= first


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


def _remove(warehouse: Warehouse, table: WarehouseTable, is_wanted: Callable[[str], bool]) -> None:
    if table.are_events and warehouse.event_days is not None:
        gone = [date for date in warehouse.loaded_versions(table) if date and not is_wanted(str(date))]
        if gone:
            warehouse.remove_dates(table, gone)


def _taken(pending: PendingChanges, window: Window, most_never: int | None) -> set[str]:
    if most_never is None:
        return set(window.among(pending.dates))
    never = sorted((date for date, version in pending.dates.items() if version == REBUILD), reverse=True)
    return set(window.among(pending.dates.keys() - set(never))) | set(never[:most_never])


def _through(snapshot: Snapshot, remaining: Mapping[str, int]) -> int:
    """The version up to which every date is loaded. One that was never loaded is known by that it has no record."""
    return max(min((version for version in remaining.values() if version != REBUILD), default=snapshot.version), -1)


def _load_whole(snapshot: Snapshot, warehouse: Warehouse, table: WarehouseTable, rebuild: bool) -> Loaded:
    if loaded_version(snapshot, warehouse, table) == snapshot.version and not rebuild:
        return Loaded(snapshot.version, snapshot.rows, snapshot.bytes)
    report = warehouse.load_partition(
        table,
        None,
        snapshot.files,
        lake_totals(snapshot, table, None),
        "replace",
        snapshot.version,
        lake_table=snapshot.id,
    )
    return Loaded(snapshot.version, snapshot.rows, snapshot.bytes, (), (report,))


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
    rows = snapshot.arrow(files, table.sums)
    return Totals(count, {name: pc.sum(rows[name]).as_py() or 0 for name in table.sums})
