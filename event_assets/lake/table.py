"""One Delta table: an engine writes Parquet files beside it, and one commit makes them visible.

Every commit is conditional on the version that it was made from, carries the table's progress, and notes which dates
it touched. So a repeat, a crash or a second writer can neither lose nor double a row: the later one starts again from
a fresh read. Which rows belong in a table is not known here.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction
from pyspark.sql import functions as F

from event_assets.contract.tables.schema import Table
from event_assets.lake.files import LakeFile, bounds_of, require_schema, single_value, statistics_of
from event_assets.lake.integrity import LakeDamaged, first_line, require_sound, seal_of_commit, sealed
from event_assets.lake.progress import Progress, Source
from event_assets.lake.session import SessionsInUse
from event_assets.lake.storage import Storage

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

T = TypeVar("T")
_PROGRESS = "progress"
NOTE = "event_assets"
SEAL = "event_assets_crc32"
_COPY = "_in_"
_SMALL_BATCH = 100_000
_MANY_PARTITIONS = 62
_MONTH = "_month"
_CONFIGURATION = {
    "delta.checkpointInterval": "25",
    "delta.logRetentionDuration": "interval 30 days",
    "delta.dataSkippingNumIndexedCols": "-1",
}


class CommitConflict(RuntimeError):
    """Somebody else changed the table since it was read. Start again from a fresh read."""


class Commit(NamedTuple):
    """What one version changed: the dates with how many rows came, the dates that lost rows, the files that came."""

    version: int
    touched: dict[str, int]
    replaced: frozenset[str]
    added: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What changed after a version. Not `known` where the log does not reach back so far, or is another table's."""

    known: bool
    commits: tuple[Commit, ...]


class LakeTable:
    """A table of the lake by its definition in the contract."""

    def __init__(self, storage: Storage, spec: Table, sessions: SessionsInUse | None = None) -> None:
        self.storage = storage
        self.spec = spec
        self.touch_column = spec.touch_column or (spec.partition_by or ("",))[0]
        self.sessions = sessions or SessionsInUse()
        self.uri = storage.uri(spec.name)

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(self.uri, storage_options=self.storage.delta_options)

    def snapshot(self) -> Snapshot:
        """The table as it is now; it is made where it is missing."""
        return Snapshot(self, self._open())

    def at(self, version: int) -> Snapshot:
        """The table as it was at a version."""
        return Snapshot(self, DeltaTable(self.uri, version=version, storage_options=self.storage.delta_options))

    def _open(self) -> DeltaTable:
        try:
            delta = self._load()
        except TableNotFoundError:
            self.storage.make_folder(self.spec.name)
            DeltaTable.create(
                self.uri,
                Schema.from_arrow(self.spec.arrow_schema()),
                mode="ignore",
                partition_by=list(self.spec.partition_by),
                name=self.spec.name,
                description=self.spec.description,
                configuration=dict(_CONFIGURATION),
                storage_options=self.storage.delta_options,
            )
            delta = self._load()
        return self._with_new_columns(delta)

    def _load(self) -> DeltaTable:
        try:
            return DeltaTable(self.uri, storage_options=self.storage.delta_options)
        except DeltaError as error:
            if isinstance(error, TableNotFoundError):
                raise
            raise LakeDamaged(f"{self.uri}/_delta_log", f"it cannot be read ({first_line(error)})") from error

    def _with_new_columns(self, delta: DeltaTable) -> DeltaTable:
        """Adds the columns that the contract has gained since the table was made."""
        has = {field.name for field in delta.schema().fields}
        new = [c for c in Schema.from_arrow(self.spec.arrow_schema()).fields if c.name not in has]
        if new:
            delta.alter.add_columns([Field(c.name, c.type, nullable=True) for c in new])
            delta = self._load()
        return delta

    def stage(self, rows: DataFrame, partitions: int, expected_rows: int) -> list[LakeFile]:
        """Writes rows as Parquet beside the table, not visible yet.

        How many partitions and rows are to be expected decides how the work is shared: one writer for a small batch,
        month by month where there are many days (an engine holds a writer open for each partition of a job), else as
        the engine likes. Raises `SessionLost` where the session is not as it was prepared, and `WrongSchema` where what
        was written is not of the table's types.
        """
        self.sessions.use(rows.sparkSession)
        self.sessions.require()
        folder = f"{self.spec.name}/data/{uuid.uuid4().hex}"
        frame = rows.select(*(F.col(c.name).cast(c.spark_type).alias(c.name) for c in self.spec.columns))
        if partitions > _MANY_PARTITIONS:
            self._write_by_month(frame, folder)
        else:
            small = expected_rows <= _SMALL_BATCH
            self._write(frame.coalesce(1) if small else frame, self.spec.partition_by, folder)
        return self.describe(folder)

    def _write_by_month(self, frame: DataFrame, folder: str) -> None:
        """Writes days by way of months, which are read back one at a time."""
        first, scratch = self.spec.partition_by[0], f"{folder}/_months"
        month = F.substring(F.col(first).cast("string"), 1, 7)
        self._write(frame.withColumn(_MONTH, month), (_MONTH,), scratch)
        months: dict[str, list[str]] = {}
        for path, _ in self.storage.walk(scratch):
            months.setdefault(path.rsplit("/", 1)[0], []).append(self.storage.uri(path))
        for number, (_, files) in enumerate(sorted(months.items())):
            rows = frame.sparkSession.read.schema(self.spec.spark_schema()).parquet(*files)
            self._write(rows.coalesce(1), self.spec.partition_by, f"{folder}/{number}")
        self.storage.delete_folder(scratch)

    def _write(self, frame: DataFrame, by: Sequence[str], folder: str) -> None:
        """Writes Parquet in folders by copies of these columns, so that the files hold the columns as well."""
        copies = [F.col(name).cast("string").alias(_COPY + name) for name in by]
        writer = frame.select("*", *copies).write.option("compression", "zstd")
        if by:
            writer = writer.partitionBy(*(_COPY + name for name in by))
        writer.mode("overwrite").parquet(self.storage.uri(folder))

    def stage_arrow(self, rows: pa.Table, name: str, partition: dict[str, str]) -> LakeFile:
        """Writes an Arrow table under a name of the caller's, so that the same name overwrites itself."""
        folder = "/".join([self.spec.name, *(f"{key}={value}" for key, value in partition.items())])
        self.storage.make_folder(folder)
        path = f"{folder}/{name}.parquet"
        with self.storage.filesystem.open_output_stream(self.storage.path(path)) as sink:
            pq.write_table(rows.cast(self.spec.arrow_schema()), sink, compression="zstd", write_page_checksum=True)
        path = sealed(self.storage, path)
        size = self.storage.filesystem.get_file_info(self.storage.path(path)).size
        return self._describe_file(path, size, partition)

    def describe(self, folder: str) -> list[LakeFile]:
        """The Parquet files below a folder, with rows and bounds from their footers. Empty ones are left out."""
        files = []
        for path, size in self.storage.walk(folder):
            if not path.endswith(".parquet"):
                continue
            parts = [part.partition("=") for part in path.split("/") if part.startswith(_COPY)]
            file = self._describe_file(
                sealed(self.storage, path), size, {key.removeprefix(_COPY): unquote(v) for key, _, v in parts}
            )
            if file.rows:
                files.append(file)
        return sorted(files)

    def _describe_file(self, path: str, size: int, partition: dict[str, str]) -> LakeFile:
        footer = pq.read_metadata(self.storage.path(path), filesystem=self.storage.filesystem)
        require_schema(footer, self.spec, self.storage.uri(path))
        low, high = bounds_of(footer, self.spec)
        relative = path.removeprefix(self.spec.name + "/")
        return LakeFile(self.storage.uri(path), size, footer.num_rows, partition, relative, low, high)

    def touched_by(self, files: Sequence[LakeFile]) -> dict[str, int]:
        """How many rows of each date the files hold."""
        column = self.touch_column
        touched: dict[str, int] = {}
        for file in files:
            value = file.partition.get(column) or single_value(file.low.get(column), file.high.get(column))
            if value is not None:
                touched[value] = touched.get(value, 0) + file.rows
            else:
                for date, rows in self._count_by(file, column).items():
                    touched[date] = touched.get(date, 0) + rows
        return touched

    def _count_by(self, file: LakeFile, column: str) -> dict[str, int]:
        if column not in self.spec.column_names:
            return {}
        path = self.storage.path(f"{self.spec.name}/{file.path}")
        values = pq.read_table(path, columns=[column], filesystem=self.storage.filesystem, partitioning=None)
        counts = pc.value_counts(values.column(column).combine_chunks())
        return {str(entry["values"]): int(entry["counts"]) for entry in counts.to_pylist()}

    def commit(
        self,
        base: Snapshot,
        progress: Progress,
        add: Sequence[LakeFile] = (),
        remove: Sequence[LakeFile] = (),
        touched: Mapping[str, int] | None = None,
    ) -> int:
        """Makes one new version of the table: `add` comes, `remove` goes, progress is what it says. Gives the version.

        Which dates it touches is found in the files, or given as date to rows. Raises `CommitConflict` where the table
        is not at `base` any more, and `SessionLost` where the session that rows were read or staged with is another.
        """
        arriving = self.touched_by(add) if touched is None else dict(touched)
        replaced = sorted(self.touched_by(remove)) if touched is None else sorted(touched)
        note = {"touched": {**dict.fromkeys(replaced, 0), **arriving}, "replaced": replaced}
        return self._commit(base, progress, add, remove, note)

    def compact(self, base: Snapshot, add: Sequence[LakeFile], remove: Sequence[LakeFile]) -> int:
        """Replaces files by others with the same rows. No reader and no downstream table sees a change."""
        return self._commit(base, base.progress, add, remove, None)

    def delete_progress_before(self, number: int) -> int:
        """Deletes progress records older than this number (a time in nanoseconds). Gives how many."""
        old = [p for p, _ in self.storage.walk(f"{self.spec.name}/_progress") if int(p.rsplit("/")[-1][:-5]) < number]
        for path in old:
            self.storage.filesystem.delete_file(self.storage.path(path))
        return len(old)

    def _commit(
        self,
        base: Snapshot,
        progress: Progress,
        add: Sequence[LakeFile],
        remove: Sequence[LakeFile],
        note: Mapping[str, Any] | None,
    ) -> int:
        self.sessions.require()
        number, record = time.time_ns(), progress.to_json()
        self.storage.write(f"{self.spec.name}/_progress/{number}.json", record)
        now, changes = number // 1_000_000, note is not None
        actions: list[AddAction | RemoveAction] = [
            RemoveAction(quote(f.path, safe="/=-_."), changes, now, f.size, {**f.partition}) for f in remove
        ]
        actions += [AddAction(f.path, f.size, f.partition, now, changes, statistics_of(f)) for f in add]
        try:
            base.delta.create_write_transaction(
                actions,
                "append",
                Schema.from_arrow(self.spec.arrow_schema()),
                list(self.spec.partition_by),
                commit_properties=CommitProperties(
                    custom_metadata={NOTE: note, SEAL: seal_of_commit(add, remove, note, record)},
                    max_commit_retries=0,
                    app_transactions=[Transaction(_PROGRESS, number)],
                ),
            )
        except CommitFailedError as error:
            raise CommitConflict(f"{self.spec.name}: {error}") from error
        return base.version + 1


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
    def consumed(self) -> Source:
        """What a table remembers that has all of this version in it."""
        return Source(self.version, table=self.id)

    @property
    def progress_number(self) -> int:
        """The name of this version's progress record; 0 where nothing was committed yet."""
        return self.delta.transaction_version(_PROGRESS) or 0

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
    def files(self) -> list[LakeFile]:
        """Every file of this version."""
        rows = pa.table(self.delta.get_add_actions(flatten=True)).to_pylist()
        return [self._file(row) for row in rows]

    def _file(self, row: dict[str, Any]) -> LakeFile:
        path = unquote(row["path"])
        values = {key.partition(".")[2]: value for key, value in row.items() if key.startswith("partition.")}
        return LakeFile(
            url=f"{self.table.uri}/{path}",
            size=row["size_bytes"],
            rows=row["num_records"],
            partition={key: str(value) for key, value in values.items()},
            path=path,
            low={key[4:]: value for key, value in row.items() if key.startswith("min.") and value is not None},
            high={key[4:]: value for key, value in row.items() if key.startswith("max.") and value is not None},
        )

    def select(self, column: str, first: Any, last: Any) -> list[LakeFile]:
        """The files that may hold rows with `first <= column <= last`."""
        return [file for file in self.files if file.may_hold(column, first, last)]

    def of_dates(self, dates: Iterable[str]) -> list[LakeFile]:
        """The files of these dates, in a table that is laid out by them."""
        wanted = set(dates)
        column = self.table.spec.partition_by[0]
        return [file for file in self.files if file.partition[column] in wanted]

    def dates(self) -> set[str]:
        """The dates that the table has rows of, in a table that is laid out by them."""
        return {file.partition[self.table.spec.partition_by[0]] for file in self.files}

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

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
        """The rows of these files (all by default) in memory, for what is small."""
        table = self.table
        chosen = self.files if files is None else files
        require_sound(table.storage, table.spec.name, chosen)
        wanted = list(columns or table.spec.column_names)
        schema = pa.schema([table.spec.arrow_schema().field(name) for name in wanted])
        parts = [
            pq.read_table(
                table.storage.path(f"{table.spec.name}/{file.path}"),
                columns=wanted,
                filesystem=table.storage.filesystem,
                partitioning=None,
            ).cast(schema)
            for file in chosen
        ]
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

    def committed_at(self, version: int) -> dt.datetime | None:
        """When a version came to be; None where the log does not reach back so far."""
        name = f"{self.table.spec.name}/_delta_log/{version:020d}.json"
        try:
            lines = self.table.storage.read(name).splitlines()
        except FileNotFoundError:
            return None
        told: dict[str, Any] = next((info for line in lines if (info := json.loads(line).get("commitInfo"))), {})
        return dt.datetime.fromtimestamp(told["timestamp"] / 1000, dt.UTC) if "timestamp" in told else None


def retry_on_conflict(step: Callable[[], T], attempts: int = 8) -> T:
    """Runs a step that reads and commits, again from the start where another writer came first."""
    for attempt in range(1, attempts + 1):
        try:
            return step()
        except CommitConflict:
            if attempt == attempts:
                raise
            time.sleep(0.05 * 2**attempt * random.uniform(0.5, 1.5))
    raise AssertionError("unreachable")


def _commit(version: int, text: bytes) -> Commit | None:
    actions = [json.loads(line) for line in text.splitlines() if line.strip()]
    note = next((a["commitInfo"].get(NOTE) for a in actions if "commitInfo" in a), None)
    if isinstance(note, str):
        note = json.loads(note)
    if note is None:
        return None
    added = tuple(unquote(action["add"]["path"]) for action in actions if "add" in action)
    return Commit(version, note["touched"], frozenset(note["replaced"]), added)
