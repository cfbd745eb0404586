"""Lets the lake forget how its tables were: files that only older versions have, the log that tells of them and keeps
least and greatest values of columns, and the records of progress.

Nothing goes that a table which follows still needs to see what changed; until then it waits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

import pyarrow.fs as fs

from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.lake import Lake
from event_assets.lake.row_changes import FOLDER
from event_assets.lake.table import LakeTable
from event_assets.privacy.batches import Batch
from event_assets.warehouse.warehouse import Warehouse

_OF_VERSION = re.compile(r"^(\d{20})\.(json|crc|checkpoint)")


def waiting(lake: Lake, batch: Batch) -> list[str]:
    """The tables that have not taken the erasure in, each with what it is behind on, as a sentence."""
    days = set(batch.more.get("days", ()))
    return [
        f"{name} is behind on {upstream}"
        for name, upstream, watermark, pending in _followed(lake)
        if upstream in batch.tables and (watermark < batch.tables[upstream].last or days & pending)
    ]


def _followed(lake: Lake) -> Iterator[tuple[str, str, int, set[str]]]:
    """Which table has taken in which to what version, and on what days it is behind. Analyses, which are made whole of
    what stands, need no earlier version."""
    for spec in EVERY_TABLE:
        table = lake.table(spec.name)
        if not table.exists():
            continue
        for upstream, consumed in table.snapshot().progress.upstreams.items():
            if consumed.watermark >= 0:
                yield spec.name, upstream, consumed.watermark, set(consumed.pending)


def forget_history(lake: Lake, batch: Batch) -> dict[str, int]:
    """Deletes what is left of the versions before the batch in every table that it erased from. Gives the files by
    table. Doing it again deletes what a run that was killed left."""
    needed: dict[str, int] = {}
    for _, upstream, watermark, _ in _followed(lake):
        needed[upstream] = min(watermark, needed.get(upstream, watermark))
    deleted = {}
    for name, erased in batch.tables.items():
        table = lake.table(name)
        if table.exists():
            now = table.snapshot().version
            deleted[name] = _forget(table, max(erased.last, min(now, needed.get(name, now))), erased.last)
    return deleted


def needed_versions(lake: Lake, warehouse: Warehouse | None) -> dict[str, int]:
    """The oldest version of each table that something which follows has to see changes since; -1 where that is not
    known."""
    needed: dict[str, int] = {}
    for _, upstream, watermark, _ in _followed(lake):
        name = upstream.rpartition("/")[2]
        needed[name] = min(watermark, needed.get(name, watermark))
    for table in WAREHOUSE_TABLES:
        if warehouse is None:
            needed[table.lake.name] = -1
        elif lake.table(table.lake.name).exists():
            snapshot = lake.table(table.lake.name).snapshot()
            loaded = warehouse.loaded_versions(table, snapshot.id).get(None, -1)
            needed[table.lake.name] = min(loaded, needed.get(table.lake.name, loaded))
    return needed


def forget_before(table: LakeTable, needed: int | None, fence: int) -> int:
    """Deletes the history from before the commit `fence` of retention, once nothing needs it that follows. Gives how
    many files went."""
    now = table.snapshot().version
    oldest = now if needed is None else min(now, needed)
    return _forget(table, oldest, fence) if 0 <= fence <= oldest else 0


def _forget(table: LakeTable, oldest: int, fence: int) -> int:
    """Keeps the versions from `oldest` on. Unseen files from before the commit `fence` are nobody's: who staged them
    before it has to stage them anew."""
    storage, folder = table.storage, table.spec.name
    logs = {path.rpartition("/")[2]: path for path, _ in storage.walk(f"{folder}/_delta_log")}
    now = table.snapshot()
    base = now if oldest == now.version else table.at(oldest)
    kept = {file.path for snapshot in (base, now) for file in snapshot.files} | _added_after(table, oldest)
    files = [path for path, _ in storage.walk(folder) if path.endswith(".parquet") and path not in logs.values()]
    written = _times(table, [*files, f"{folder}/_delta_log/{fence:020d}.json"])
    fenced_at = written.pop(f"{folder}/_delta_log/{fence:020d}.json", None)
    # Rows that a commit says went may name who was erased, whenever it was: who follows compares files then.
    changes = [path for path in files if path.startswith(f"{folder}/{FOLDER}/")]
    gone = changes + [
        path
        for path in files
        if path.removeprefix(f"{folder}/") not in kept
        and path not in changes
        and fenced_at is not None
        and written[path] <= fenced_at
    ]
    base.delta.create_checkpoint()
    for path in gone:
        storage.delete(path)
    old = [path for name, path in logs.items() if (of := _OF_VERSION.match(name)) and int(of.group(1)) < oldest]
    for path in old:
        storage.delete(path)
    table.delete_progress_before(now.progress_number)
    return len(gone) + len(old)


def _added_after(table: LakeTable, version: int) -> set[str]:
    """The files that commits after a version added, compactions too."""

    added: set[str] = set()
    for number in range(version + 1, table.snapshot().version + 1):
        text = table.storage.read(f"{table.spec.name}/_delta_log/{number:020d}.json")
        actions = (json.loads(line) for line in text.splitlines() if line.strip())
        added |= {unquote(action["add"]["path"]) for action in actions if "add" in action}
    return added


def _times(table: LakeTable, paths: list[str]) -> dict[str, int]:
    infos = table.storage.filesystem.get_file_info([table.storage.path(path) for path in paths])
    return {path: info.mtime_ns for path, info in zip(paths, infos, strict=True) if info.type == fs.FileType.File}
