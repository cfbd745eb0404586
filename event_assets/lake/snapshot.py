"""A Delta table at one version: its files, its progress, its rows, and what changed since an earlier one.

Nothing is written here.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from event_assets.lake.at_once import at_once
from event_assets.lake.files import LakeFile
from event_assets.lake.horizons import read_horizons
from event_assets.lake.integrity import LakeDamaged, require_sound
from event_assets.lake.known_files import of_paths, only, smaller_than, values_of
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.row_changes import ROWS, RowChanges, told

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from event_assets.lake.table import LakeTable

PROGRESS = "progress"
"""The Delta app transaction that names a version's progress record."""
NOTE = "event_assets"
"""Where a commit notes which dates it affected."""

ERASURE = "event_assets_erasure"
"""Where a commit that erased people's rows says of which batch, and what."""
RETENTION = "event_assets_retention"
"""Where a commit that took old days away says which."""


class Commit(NamedTuple):
    """What one version changed: the dates with how many rows came, the dates that lost rows, the files that came."""

    version: int
    affected: dict[str, int]
    replaced: frozenset[str]
    added: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What changed after a version. Not `known` where the log does not reach back so far, or is another table's."""

    known: bool
    commits: tuple[Commit, ...]


class Snapshot:
    """A table at one version. It stays readable while newer versions are made."""

    def __init__(self, table: LakeTable, delta: DeltaTable) -> None:
        self.table = table
        self.delta = delta
        self.version: int = delta.version()

    @cached_property
    def id(self) -> str:
        """The id of this table: one that is made anew under the same name has another."""
        return str(self.delta.metadata().id)

    @property
    def consumed(self) -> Consumed:
        """What a table remembers that has all of this version in it."""
        return Consumed(self.version, table=self.id)

    @property
    def progress_number(self) -> int:
        """The name of this version's progress record; 0 where nothing was committed yet."""
        return self.delta.transaction_version(PROGRESS) or 0

    @cached_property
    def progress(self) -> Progress:
        number = self.progress_number
        if not number:
            return Progress()
        name = f"{self.table.spec.name}/_progress/{number}.json"
        try:
            return Progress.from_json(self.table.storage.read(name))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
            fault = f"it cannot be read ({type(error).__name__}: {error})"
            raise LakeDamaged(self.table.storage.uri(name), fault) from error

    @cached_property
    def whole_since(self) -> str:
        """The first day from which on a table by days is whole; empty where none of its days went by retention."""
        return read_horizons(self.table.storage).get(self.table.spec.name, "")

    @cached_property
    def _actions(self) -> pa.Table:
        return pa.table(self.delta.get_add_actions(flatten=True))

    @cached_property
    def files(self) -> list[LakeFile]:
        """Every file of this version."""
        return self.table.known_files.of(self._actions)

    def select(self, column: str, first: Any, last: Any) -> list[LakeFile]:
        """The files that may hold rows with `first <= column <= last`."""
        return [file for file in self.files if file.may_hold(column, first, last)]

    def of_dates(self, dates: Iterable[str]) -> list[LakeFile]:
        """The files of these dates, in a table that is laid out by them."""
        column = self.table.spec.partition_by[0]
        return self.table.known_files.of(only(self._actions, column, sorted({*dates})))

    def smaller_than(self, size: int) -> list[LakeFile]:
        """The files of fewer bytes than these."""
        return self.table.known_files.of(smaller_than(self._actions, size))

    def of_paths(self, paths: Iterable[str]) -> list[LakeFile]:
        """Those of the files at these paths that are still there."""
        return self.table.known_files.of(of_paths(self._actions, paths))

    @property
    def count(self) -> int:
        """How many files this version has."""
        return len(self._actions)

    def dates(self) -> set[str]:
        """The dates that the table has rows of, in a table that is laid out by them."""
        return values_of(self._actions, self.table.spec.partition_by[0])

    @property
    def rows(self) -> int:
        return pc.sum(self._actions["num_records"]).as_py() or 0

    @property
    def bytes(self) -> int:
        return pc.sum(self._actions["size_bytes"]).as_py() or 0

    def read(self, spark: SparkSession, files: Sequence[LakeFile] | None = None) -> DataFrame:
        """The rows of these files (all of them by default)."""
        self.table.sessions.use(spark)
        chosen = self.files if files is None else files
        schema = self.table.spec.spark_schema()
        if not chosen:
            return spark.createDataFrame([], schema)
        require_sound(self.table.storage, self.table.spec.name, chosen)
        return spark.read.schema(schema).parquet(*(file.url for file in chosen))

    def arrow(self, files: Sequence[LakeFile] | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of these files (all by default) in memory, for what is small. Files from before a column was added
        have nulls in it."""
        table = self.table
        chosen = self.files if files is None else files
        require_sound(table.storage, table.spec.name, chosen)
        wanted = list(table.spec.column_names if columns is None else columns)
        schema = pa.schema([table.spec.arrow_schema().field(name) for name in wanted])

        def rows_of(file: LakeFile) -> pa.Table:
            return pq.read_table(
                table.storage.path(f"{table.spec.name}/{file.path}"),
                columns=wanted,
                schema=schema,
                filesystem=table.storage.filesystem,
                partitioning=None,
            )

        parts = at_once(rows_of, chosen)
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def changes_since(self, version: int) -> Changes:
        """What came after a version. Compactions change nothing and are left out.

        A version that the table has not reached yet is one of a table that was deleted: nothing is known since then.
        Only a log file that is not there any more says so; a storage that fails or throttles raises `OSError`.
        """
        commits: list[Commit] = []
        if version > self.version:
            return Changes(False, ())
        for number in range(version + 1, self.version + 1):
            name = f"{self.table.spec.name}/_delta_log/{number:020d}.json"
            try:
                commit = _commit(number, self.table.storage.read(name))
            except FileNotFoundError:
                return Changes(False, tuple(commits))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                fault = f"it cannot be read ({type(error).__name__}: {error})"
                raise LakeDamaged(self.table.storage.uri(name), fault) from error
            if commit is not None:
                commits.append(commit)
        return Changes(True, tuple(commits))

    def rows_since(self, version: int) -> RowChanges | None:
        """The rows that came and went after a version, each as often as it did; None where a commit does not tell, as
        one that erased people does not, and where what it told is not kept."""
        found = RowChanges([], [])
        for number in range(version + 1, self.version + 1):
            name = f"{self.table.spec.name}/_delta_log/{number:020d}.json"
            try:
                changes = _row_changes(self.table, self.table.storage.read(name))
            except FileNotFoundError:
                return None
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                fault = f"it cannot be read ({type(error).__name__}: {error})"
                raise LakeDamaged(self.table.storage.uri(name), fault) from error
            if changes is None:
                return None
            found.came.extend(changes.came)
            found.went.extend(changes.went)
        paths = [f"{self.table.spec.name}/{file.path}" for file in (*found.came, *found.went)]
        return found if self.table.storage.are_there(paths) else None

    def erasures_since(self, version: int) -> list[tuple[int, dict[str, Any]]]:
        """What commits after a version say of erased rows, each with its version; older ones are not told where the log
        does not reach back so far."""
        return self.told_since(ERASURE, version)

    def told_since(self, what: str, version: int) -> list[tuple[int, dict[str, Any]]]:
        """What commits after a version say under this name, in the same way."""
        found = []
        for number in range(self.version, version, -1):
            try:
                text = self.table.storage.read(f"{self.table.spec.name}/_delta_log/{number:020d}.json")
            except FileNotFoundError:
                break
            for line in text.splitlines():
                about = json.loads(line).get("commitInfo", {}).get(what) if what.encode() in line else None
                if about:
                    found.append((number, json.loads(about) if isinstance(about, str) else about))
        return found[::-1]

    def committed_at(self, version: int) -> dt.datetime | None:
        """When a version came to be; None where the log does not reach back so far."""
        name = f"{self.table.spec.name}/_delta_log/{version:020d}.json"
        try:
            lines = self.table.storage.read(name).splitlines()
        except FileNotFoundError:
            return None
        told: dict[str, Any] = next((info for line in lines if (info := json.loads(line).get("commitInfo"))), {})
        return dt.datetime.fromtimestamp(told["timestamp"] / 1000, dt.UTC) if "timestamp" in told else None


def _commit(version: int, text: bytes) -> Commit | None:
    actions = [json.loads(line) for line in text.splitlines() if line.strip()]
    note = next((a["commitInfo"].get(NOTE) for a in actions if "commitInfo" in a), None)
    if isinstance(note, str):
        note = json.loads(note)
    if note is None:
        return None
    added = tuple(unquote(action["add"]["path"]) for action in actions if "add" in action)
    return Commit(version, note["touched"], frozenset(note["replaced"]), added)


def _row_changes(table: LakeTable, text: bytes) -> RowChanges | None:
    """The rows that a commit says it changed, none where it changed none; None where it does not say."""
    actions = [json.loads(line) for line in text.splitlines() if line.strip()]
    about: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    note = about.get(NOTE)
    note = json.loads(note) if isinstance(note, str) else note
    if note and ROWS in note:
        return told(table.uri, note[ROWS])
    files = (action.get("add") or action.get("remove") or {} for action in actions)
    return None if ERASURE in about or any(file.get("dataChange") for file in files) else RowChanges([], [])
