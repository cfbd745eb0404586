"""A table at its newest version as the end of its log tells it: which version, which table, how far it is.

The library that loads a Delta table loads what is known of every file, however many there are. Who only asks what is
behind needs none of it: what the end of the log costs does not grow with history. What is odd there is for the loader
to judge.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow.parquet as pq
from deltalake import DeltaTable

from event_assets.lake.snapshot import PROGRESS, Snapshot

if TYPE_CHECKING:
    from event_assets.lake.table import LakeTable

_BACK = 8
"""Commits without progress (of maintenance, new columns) that are passed over at most."""


class _End(NamedTuple):
    """The newest version, the table's id, the name of its progress record."""

    version: int
    id: str
    progress_number: int


class Tip(Snapshot):
    """The newest version of a table; its files are loaded where somebody asks for them."""

    def __init__(self, table: LakeTable, end: _End) -> None:
        self.table = table
        self.version = end.version
        self._end = end

    @cached_property
    def delta(self) -> DeltaTable:  # type: ignore[override]
        return self.table.at(self.version).delta

    @property
    def id(self) -> str:
        return self._end.id

    @property
    def progress_number(self) -> int:
        return self._end.progress_number


def tip(table: LakeTable) -> Snapshot:
    """The table as it is now, which is made where it is missing, without its files as long as nobody asks for them.
    Where nothing came since it was loaded, that is given. Raises what loading it raises."""
    if (known := table.known()) is not None:
        return known
    try:
        end = _end_of(table)
    except Exception:  # whatever it is: the loader tells what is wrong
        end = None
    return table.snapshot() if end is None else Tip(table, end)


def _end_of(table: LakeTable) -> _End | None:
    checkpoint = _checkpoint(table)
    version = _newest(table, checkpoint)
    if version < 0:
        return None
    number = 0
    for back in range(min(_BACK, version + 1)):
        txns = [action["txn"] for action in _commit(table, version - back) if "txn" in action]
        number = max((txn["version"] for txn in txns if txn["appId"] == PROGRESS), default=0)
        if number:
            break
    else:
        if version + 1 > _BACK:
            return None
    return _End(version, _id(table, checkpoint), number)


def _checkpoint(table: LakeTable) -> int:
    """The version of the last checkpoint; -1 where there is none. Raises `ValueError` where it is of several parts."""
    try:
        told = json.loads(table.storage.read(f"{table.spec.name}/_delta_log/_last_checkpoint"))
    except FileNotFoundError:
        return -1
    if told.get("parts") or told.get("v2Checkpoint"):
        raise ValueError("a checkpoint of several parts")
    return int(told["version"])


def _newest(table: LakeTable, checkpoint: int) -> int:
    """The newest version after this one: one follows the other, so that few have to be asked for."""
    here, step = checkpoint, 1
    while _is_there(table, here + step):
        here, step = here + step, 2 * step
    while step > 1:
        step //= 2
        if _is_there(table, here + step):
            here += step
    return here


def _is_there(table: LakeTable, version: int) -> bool:
    return table.storage.are_there([_name(table, version)])


def _commit(table: LakeTable, version: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in table.storage.read(_name(table, version)).splitlines() if line.strip()]


def _id(table: LakeTable, checkpoint: int) -> str:
    if checkpoint < 0:
        return str(next(action["metaData"]["id"] for action in _commit(table, 0) if "metaData" in action))
    path = table.storage.path(f"{table.spec.name}/_delta_log/{checkpoint:020d}.checkpoint.parquet")
    with table.storage.filesystem.open_input_file(path) as file:
        column = pq.ParquetFile(file).read(columns=["metaData.id"])["metaData"]
    return str(next(each["id"] for each in column.drop_null().to_pylist() if each["id"]))


def _name(table: LakeTable, version: int) -> str:
    return f"{table.spec.name}/_delta_log/{version:020d}.json"
