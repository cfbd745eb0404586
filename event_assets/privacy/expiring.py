"""Takes the days away that are due: from the tables of the lake, their history, and the warehouse.

Each step does nothing where it was done before, so that a run that was killed goes on where it was: first is noted
since when each table is whole, so that nothing is made again of what is left; then each table loses its days by one
commit that no table follows; then bytes and log go. What a legal hold covers stays.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.audit.log import AuditLog
from event_assets.contract.tables.sessions import EVENT_DAYS, SESSIONS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.files import LakeFile
from event_assets.lake.horizons import day_of, raise_horizons, read_horizons
from event_assets.lake.lake import Lake
from event_assets.lake.rewriting import without_rows
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable, retry_on_conflict
from event_assets.lake.tombstones import ErasureRules
from event_assets.pipeline.load import remove_unwanted
from event_assets.privacy.due import Due, due_tables
from event_assets.privacy.forgetting import forget_before, needed_versions
from event_assets.privacy.held import Held
from event_assets.privacy.holds import active_holds
from event_assets.rules.retention import Retention
from event_assets.warehouse.erasing import vacuum
from event_assets.warehouse.warehouse import Warehouse

LAST = "privacy/retention.json"
"""What the last run did, or is doing."""
_DAY = re.compile(r"/(?:_?in_)?(?:event_date|arrival_date)=(\d{4}-\d\d-\d\d)/")


@dataclass
class Expired:
    """What went of one table: rows, files and days; rows of days that are over and that a hold keeps; and what the rest
    waits for."""

    table: str
    horizon: str = ""
    rows: int = 0
    files: int = 0
    days: int = 0
    first_day: str = ""
    last_day: str = ""
    held_rows: int = 0
    version: int = -1
    """Of the last commit that took days away, in this run or before."""
    waits: list[str] = field(default_factory=list)


@dataclass
class RetentionRun:
    """One run, as it is kept."""

    at: str
    tables: dict[str, Expired] = field(default_factory=dict)
    warehouse: dict[str, int] = field(default_factory=dict)
    is_done: bool = False

    @property
    def rows(self) -> int:
        """How many rows went from the lake."""
        return sum(each.rows for each in self.tables.values())


@dataclass(frozen=True)
class _Going:
    """The files of a table that go, and those that come in the place of some of them."""

    add: list[LakeFile]
    remove: list[LakeFile]
    rows: int
    held: int


def plan_retention(
    lake: Lake, retention: Retention, rules: ErasureRules, now: dt.datetime, warehouse: Warehouse | None = None
) -> RetentionRun:
    """What `apply_retention` would do; nothing is changed."""
    held = Held(lake, active_holds(lake.storage), rules, now)
    run = RetentionRun(now.isoformat(timespec="seconds"))
    for due in due_tables(lake, retention, now.date(), warehouse):
        going = _going(lake.table(due.table).snapshot(), due, held, stage=False)
        run.tables[due.table] = _told(due, going)
    return run


def apply_retention(
    lake: Lake,
    retention: Retention,
    rules: ErasureRules,
    now: dt.datetime,
    warehouse: Warehouse | None = None,
    audit: AuditLog | None = None,
) -> RetentionRun:
    """Takes away what is due. A run that was killed is finished first, so that what it did is told once."""
    storage = lake.storage
    last = last_run(storage)
    run = last if last is not None and not last.is_done else RetentionRun(now.isoformat(timespec="seconds"))
    fences = {name: each.version for name, each in last.tables.items()} if last else {}
    held = Held(lake, active_holds(storage), rules, now)
    every = due_tables(lake, retention, now.date(), warehouse)
    raise_horizons(storage, {due.table: due.horizon for due in every if _has_gone(lake, due)})
    for due in every:
        table = lake.table(due.table)
        done = retry_on_conflict(partial(_expire, table, due, held))
        done.version = max(done.version, fences.get(due.table, -1))
        run.tables[due.table] = _together(run.tables.get(due.table), done)
        _keep(storage, run)
    index = retry_on_conflict(partial(_expire_index, lake))
    needed = needed_versions(lake, warehouse)
    for name, fence in ((EVENT_DAYS.name, index), *((name, each.version) for name, each in run.tables.items())):
        if lake.table(name).exists():
            _delete_bytes(lake.table(name), read_horizons(storage).get(name, ""))
            forget_before(lake.table(name), needed.get(name), fence)
    if warehouse is not None:
        _expire_warehouse(lake, warehouse, run)
    run.is_done = True
    if audit is not None and (run.rows or run.warehouse):
        told = {name: each.rows for name, each in run.tables.items() if each.rows}
        audit.append("retention_applied", run.at, rows=told, warehouse=run.warehouse)
    _keep(storage, run)
    return run


def last_run(storage: Storage) -> RetentionRun | None:
    """What the last run did; None before the first."""
    try:
        told: dict[str, Any] = json.loads(storage.read(LAST))
    except FileNotFoundError:
        return None
    return RetentionRun(**{**told, "tables": {name: Expired(**each) for name, each in told["tables"].items()}})


def _keep(storage: Storage, run: RetentionRun) -> None:
    storage.replace(LAST, json.dumps(asdict(run), indent=1).encode())


def _has_gone(lake: Lake, due: Due) -> bool:
    """Whether the table has a day before the horizon: a table of which nothing goes stays whole."""
    return any(day < due.horizon for day in lake.table(due.table).snapshot().dates())


def _expire(table: LakeTable, due: Due, held: Held) -> Expired:
    base = table.snapshot()
    going = _going(base, due, held, stage=True)
    told = _told(due, going)
    if going.remove:
        told.version = table.expire(base, going.add, going.remove, {"before": due.horizon, "rows": going.rows})
    return told


def _going(base: Snapshot, due: Due, held: Held, *, stage: bool) -> _Going:
    going = _Going([], [], 0, 0)
    rows = kept = 0
    for file in base.files:
        day = day_of(file) or ""
        if not day < due.horizon:
            continue
        mask = _over(base, file, due, day)
        stays = held.rows(base, file) if mask is None or pc.any(mask).as_py() else None
        if stays is not None:
            over = pa.array([True] * file.rows) if mask is None else mask
            kept += pc.sum(pc.and_(over, stays)).as_py() or 0
            mask = pc.and_(over, pc.invert(stays))
        gone = file.rows if mask is None else pc.sum(mask).as_py() or 0
        if not gone:
            continue
        rows += gone
        going.remove.append(file)
        left = without_rows(base, file, mask, f"kept-{uuid.uuid4().hex}") if gone < file.rows and stage else None
        if left is not None:
            going.add.append(left)
    return _Going(going.add, going.remove, rows, kept)


def _over(base: Snapshot, file: LakeFile, due: Due, day: str) -> pa.Array | None:
    """Which rows' time is over: a mask; None where that of all is."""
    if day < due.whole_before:
        return None
    apps = base.arrow([file], ("app_id",))["app_id"].combine_chunks() if due.apps else None
    if apps is None:
        return pa.array([day < due.before] * file.rows)
    over = [app for app, end in due.apps.items() if day < end]
    stays = [app for app, end in due.apps.items() if not day < end]
    special = pc.is_in(apps, value_set=pa.array([*over, *stays], pa.string()))
    mine = pc.is_in(apps, value_set=pa.array(over, pa.string()))
    return pc.if_else(special, mine, pa.scalar(day < due.before))


def _told(due: Due, going: _Going) -> Expired:
    days = sorted({day_of(file) or "" for file in going.remove})
    return Expired(
        due.table,
        due.horizon,
        going.rows,
        len(going.remove),
        len(days),
        days[0] if days else "",
        days[-1] if days else "",
        going.held,
        waits=list(due.waits),
    )


def _together(before: Expired | None, done: Expired) -> Expired:
    """What a run that was killed did, and what is done now."""
    if before is None or not before.rows:
        return done
    days = [day for each in (before, done) for day in (each.first_day, each.last_day) if day]
    counts = {name: getattr(before, name) + getattr(done, name) for name in ("rows", "files", "days")}
    return Expired(**{**asdict(done), **counts, "first_day": min(days), "last_day": max(days)})


def _expire_index(lake: Lake) -> int:
    """The index of days follows the sessions: it is to find none that is gone. Gives the version without them; -1 where
    there was none."""
    horizon, table = read_horizons(lake.storage).get(SESSIONS.name, ""), lake.table(EVENT_DAYS.name)
    if not horizon or not table.exists():
        return -1
    base, add, remove = table.snapshot(), list[LakeFile](), list[LakeFile]()
    for file in base.files:
        if not file.may_hold("event_date", "", str(dt.date.fromisoformat(horizon) - dt.timedelta(days=1))):
            continue
        days = base.arrow([file], ("event_date",))["event_date"]
        gone = pc.less(days.cast(pa.string()), horizon).combine_chunks()
        if pc.any(gone).as_py():
            remove.append(file)
            left = without_rows(base, file, gone, f"kept-{uuid.uuid4().hex}")
            add += [] if left is None else [left]
    return table.expire(base, add, remove, {"before": horizon}) if remove else -1


def _delete_bytes(table: LakeTable, horizon: str) -> None:
    """Deletes the files of days before the horizon that the table has no more. Nobody stages such days any more, and
    no step that follows reads them."""
    now = {file.path for file in table.snapshot().files}
    for path in [*_old_files(table, horizon)]:
        if path.removeprefix(f"{table.spec.name}/") not in now:
            table.storage.delete(path)


def _old_files(table: LakeTable, horizon: str) -> Iterator[str]:
    for path, _ in table.storage.walk(table.spec.name):
        found = _DAY.search(path)
        if path.endswith(".parquet") and found is not None and found.group(1) < horizon:
            yield path


def _expire_warehouse(lake: Lake, warehouse: Warehouse, run: RetentionRun) -> None:
    for table in WAREHOUSE_TABLES:
        if table.partition_by and lake.table(table.lake.name).exists():
            days = remove_unwanted(lake.table(table.lake.name).snapshot(), warehouse, table)
            if days:
                run.warehouse[table.name] = run.warehouse.get(table.name, 0) + len(days)
                _keep(lake.storage, run)
    if run.warehouse and warehouse.dialect.name == "postgres":
        vacuum(warehouse)
