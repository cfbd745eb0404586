"""Forgets runs of Dagster's that are over: their events, what they printed, and the disk that both took.

What tells of the tables stays: of every partition the last materialisation, of every asset and check the last few. A
table's own history is in the lake's log; nothing here touches it.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Checked
from dagster._core.storage.event_log.schema import AssetEventTagsTable as EventTags
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
from dagster._core.storage.runs import SqlRunStorage
from dagster._core.storage.runs.schema import RunTagsTable as RunTags
from dagster._core.storage.tags import SCHEDULE_NAME_TAG, SENSOR_NAME_TAG

_T = TypeVar("_T")

KEPT = 30
"""Materialisations of each asset, and results of each check, that stay whatever run they are of."""
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_MATERIALISED = dg.DagsterEventType.ASSET_MATERIALIZATION.value
_PAGE = 500
_PRAGMAS = ("page_count", "freelist_count", "page_size")
_FREE_SHARE, _FREE_BYTES = 0.25, 4_000_000
"""From so much of a file of SQLite's, and so many bytes, that hold nothing it is written anew without them."""


def old_runs(instance: dg.DagsterInstance, before: dt.datetime, automatic_before: dt.datetime, most: int) -> list[str]:
    """Ids of runs that are over, the oldest first, so many at the most: all from before the one time, and from before
    the other those that a sensor or a schedule asked for and that succeeded."""
    finished = dg.RunsFilter(statuses=_FINISHED, created_before=max(before, automatic_before))
    found: list[str] = []
    cursor = None
    while len(found) < most:
        page = instance.get_run_records(finished, limit=_PAGE, ascending=True, cursor=cursor)
        if not page:
            break
        cursor = page[-1].dagster_run.run_id
        found += [
            record.dagster_run.run_id
            for record in page
            if record.create_timestamp < (automatic_before if _is_automatic(record.dagster_run) else before)
        ]
    return found[:most]


def _is_automatic(run: dg.DagsterRun) -> bool:
    return run.status == dg.DagsterRunStatus.SUCCESS and not run.tags.keys().isdisjoint(
        (SENSOR_NAME_TAG, SCHEDULE_NAME_TAG)
    )


def forget(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> None:
    """Deletes runs that are over, and whatever of runs that are gone nobody needs."""
    events = instance.event_log_storage
    if not isinstance(events, SqlEventLogStorage):
        for run_id in run_ids:
            instance.delete_run(run_id)
        return
    for run_id in run_ids:
        _forget_run(instance, events, run_id)
    _trim(instance, events, Events, (Events.c.asset_key,), Events.c.dagster_event_type == _MATERIALISED)
    _trim(instance, events, Checked, (Checked.c.asset_key, Checked.c.check_name), db.true())


def _forget_run(instance: dg.DagsterInstance, events: SqlEventLogStorage, run_id: str) -> None:
    """Deletes a run but for what it has told of assets and checks."""
    runs = instance.run_storage
    if isinstance(runs, SqlRunStorage):
        with runs.connect() as session:  # SQLite does not, whatever the schema says
            session.execute(db.delete(RunTags).where(RunTags.c.run_id == run_id))
    runs.delete_run(run_id)
    others = Events.c.dagster_event_type.is_(None) | (Events.c.dagster_event_type != _MATERIALISED)
    with events.index_connection() as session:
        session.execute(db.delete(Events).where(Events.c.run_id == run_id, others))
    if isinstance(events, SqliteEventLogStorage):
        _unlink(Path(events.path_for_shard(run_id)))
    instance.compute_log_manager.delete_logs(prefix=[run_id])


def _trim(
    instance: dg.DagsterInstance,
    events: SqlEventLogStorage,
    table: db.Table,
    subject: Sequence[db.Column[str]],
    about: db.ColumnElement[bool],
) -> None:
    """Deletes rows of runs that are gone, but for the last of each subject, and the last of each of its partitions;
    subject by subject, so that whoever tells of one waits for no other."""
    with events.index_connection() as session:
        subjects = session.execute(db.select(*subject).where(about).distinct()).all()
    for values in subjects:
        of_it = about, *(column == value for column, value in zip(subject, values, strict=True))
        last = db.select(table.c.id).where(*of_it).order_by(table.c.id.desc()).limit(KEPT)
        latest = db.select(db.func.max(table.c.id)).where(*of_it).group_by(table.c.partition)
        with events.index_connection() as session:
            stays = {*session.execute(last).scalars(), *session.execute(latest).scalars()}
            rows = session.execute(db.select(table.c.id, table.c.run_id).where(*of_it)).all()
        run_of = {number: run_id for number, run_id in rows if number not in stays}
        left = _known(instance, {*run_of.values()})
        for some in _pages([number for number, run_id in run_of.items() if run_id not in left]):
            with events.index_connection() as session:
                if table is Events:
                    session.execute(db.delete(EventTags).where(EventTags.c.event_id.in_(some)))
                session.execute(db.delete(table).where(table.c.id.in_(some)))


def _known(instance: dg.DagsterInstance, run_ids: set[str]) -> set[str]:
    """Those of these runs that are not forgotten."""
    found = (instance.get_runs(dg.RunsFilter(run_ids=some)) for some in _pages(sorted(run_ids)))
    return {run.run_id for runs in found for run in runs}


def give_back_disk(instance: dg.DagsterInstance) -> int:
    """Writes files of SQLite's that hold much that is deleted anew without it; gives the bytes that were freed. A file
    that another process writes to keeps what it has until the next time. PostgreSQL does so by itself."""
    events = instance.event_log_storage
    if not isinstance(events, SqliteEventLogStorage):
        return 0
    index = Path(events.path_for_shard("index"))
    root = index.parents[2]
    return sum(map(_written_anew, (index, root / "history" / "runs.db", root / "schedules" / "schedules.db")))


def _written_anew(path: Path) -> int:
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path, timeout=5)) as file:
        before, free, page = (file.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS)
        if free * page < _FREE_BYTES or free < _FREE_SHARE * before:
            return 0
        try:
            file.execute("VACUUM")
        except sqlite3.OperationalError:
            return 0
        return int((before - file.execute("PRAGMA page_count").fetchone()[0]) * page)


def _pages(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """As many as one statement may name."""
    return (values[start : start + _PAGE] for start in range(0, len(values), _PAGE))


def _unlink(file: Path) -> None:
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        path.unlink(missing_ok=True)
