"""One Delta table: an engine writes Parquet files beside it, and one commit makes them visible.

Every commit is conditional on the version that it was made from, carries the table's progress, and notes which dates
it affected. So a repeat, a crash or a second writer can neither lose nor double a row: the later one starts again from
a fresh read. Which rows belong in a table is not known here.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Field, PostCommitHookProperties, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from pyspark.sql import functions as F

from event_assets.contract.tables.schema import Table
from event_assets.lake.at_once import at_once
from event_assets.lake.claims import claim, give_way
from event_assets.lake.files import LakeFile, actions_of, bounds_of, require_schema, single_value
from event_assets.lake.horizons import note_made_anew
from event_assets.lake.integrity import LakeDamaged, first_line, seal_of_commit, sealed
from event_assets.lake.known_files import KnownFiles
from event_assets.lake.newest import Newest
from event_assets.lake.progress import Progress
from event_assets.lake.row_changes import ROWS, RowChanges, noted
from event_assets.lake.session import SessionsInUse
from event_assets.lake.snapshot import ERASURE, NOTE, PROGRESS, RETENTION, Snapshot
from event_assets.lake.storage import Storage

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

T = TypeVar("T")
SEAL = "event_assets_crc32"
_COPY = "in_"
_CLAIM_SECONDS = 5.0
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

    def __init__(self, table: LakeTable, error: Exception) -> None:
        super().__init__(f"{table.spec.name}: {error}")
        self.table = table


class LakeTable:
    """A table of the lake by its definition in the contract."""

    def __init__(self, storage: Storage, spec: Table, sessions: SessionsInUse | None = None) -> None:
        self.storage = storage
        self.spec = spec
        self.day_column = spec.day_column or (spec.partition_by or ("",))[0]
        self.sessions = sessions or SessionsInUse()
        self.uri = storage.uri(spec.name)
        self.known_files = KnownFiles(self.uri)
        self._newest = Newest(storage, spec.name)

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(self.uri, storage_options=self.storage.delta_options)

    def snapshot(self) -> Snapshot:
        """The table as it is now; it is made where it is missing.

        The same as before while the log has nothing after it: two files are asked for then instead of the whole log.
        """
        return self.known() or self._newest.keep(Snapshot(self, self._open()))

    def known(self) -> Snapshot | None:
        """The snapshot that was given last, where it is still the newest."""
        return self._newest.known()

    def at(self, version: int) -> Snapshot:
        """The table as it was at a version; each of the last is opened once."""
        if (opened := self._newest.at(version)) is not None:
            return Snapshot(self, opened.delta)  # what retention took since is not to be what it knew
        delta = DeltaTable(self.uri, version=version, storage_options=self.storage.delta_options)
        return self._newest.keep_later(Snapshot(self, delta))

    def _open(self) -> DeltaTable:
        try:
            delta = self._load()
        except TableNotFoundError:
            self.storage.make_folder(self.spec.name)
            note_made_anew(self.storage, self.spec.name)
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

    def collect(self, rows: DataFrame) -> pa.Table:
        """Rows for this table in memory, for what is small. Raises `SessionLost` as `stage` does."""
        self.sessions.use(rows.sparkSession)
        self.sessions.require()
        frame = rows.select(*(F.col(c.name).cast(c.spark_type).alias(c.name) for c in self.spec.columns))
        return frame.toArrow().cast(self.spec.arrow_schema())

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
        typed, options = rows.cast(self.spec.arrow_schema()), {"compression": "zstd", "write_page_checksum": True}
        return self.stage_file(name, partition, lambda sink: pq.write_table(typed, sink, **options))

    def stage_file(self, name: str, partition: dict[str, str], write: Callable[[pa.NativeFile], None]) -> LakeFile:
        """The same of what `write` writes."""
        folder = "/".join([self.spec.name, *(f"{key}={value}" for key, value in partition.items())])
        self.storage.make_folder(folder)
        path = f"{folder}/{name}.parquet"
        with self.storage.filesystem.open_output_stream(self.storage.path(path)) as sink:
            write(sink)
        path = sealed(self.storage, path)
        return self._describe_file(path, self.storage.filesystem.get_file_info(self.storage.path(path)).size, partition)

    def describe(self, folder: str) -> list[LakeFile]:
        """The Parquet files below a folder, with rows and bounds from their footers. Empty ones are left out."""
        staged = [(path, size) for path, size in self.storage.walk(folder) if path.endswith(".parquet")]
        return sorted(file for file in at_once(self._describe_staged, staged) if file.rows)

    def _describe_staged(self, staged: tuple[str, int]) -> LakeFile:
        path, size = staged
        parts = [part.partition("=") for part in path.split("/") if part.startswith(_COPY) and "=" in part]
        partition = {key.removeprefix(_COPY): unquote(value) for key, _, value in parts}
        return self._describe_file(sealed(self.storage, path), size, partition)

    def _describe_file(self, path: str, size: int, partition: dict[str, str]) -> LakeFile:
        footer = pq.read_metadata(self.storage.path(path), filesystem=self.storage.filesystem)
        require_schema(footer, self.spec, self.storage.uri(path))
        low, high = bounds_of(footer, self.spec)
        relative = path.removeprefix(self.spec.name + "/")
        return LakeFile(self.storage.uri(path), size, footer.num_rows, partition, relative, low, high)

    def dates_of(self, files: Sequence[LakeFile]) -> dict[str, int]:
        """How many rows of each date the files hold."""
        column = self.day_column
        affected: dict[str, int] = {}
        for file in files:
            value = file.partition.get(column) or single_value(file.low.get(column), file.high.get(column))
            if value is not None:
                affected[value] = affected.get(value, 0) + file.rows
            else:
                for date, rows in self._count_by(file, column).items():
                    affected[date] = affected.get(date, 0) + rows
        return affected

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
        affected: Mapping[str, int] | None = None,
        rows: RowChanges | None = None,
    ) -> int:
        """Makes one new version of the table: `add` comes, `remove` goes, progress is what it says. Gives the version.

        Which dates it touches is found in the files, or given as date to rows; `rows` are the files that tell which
        rows it changes, where somebody is to read no others. Raises `CommitConflict` where the table
        is not at `base` any more, and `SessionLost` where the session that rows were read or staged with is another.
        """
        arriving = self.dates_of(add) if affected is None else dict(affected)
        replaced = sorted(self.dates_of(remove)) if affected is None else sorted(affected)
        note: dict[str, Any] = {"touched": {**dict.fromkeys(replaced, 0), **arriving}, "replaced": replaced}
        if rows is not None:
            note[ROWS] = noted(rows)
        return self._commit(base, progress, add, remove, note)

    def compact(self, base: Snapshot, add: Sequence[LakeFile], remove: Sequence[LakeFile]) -> int:
        """Replaces files by others with the same rows. No reader and no downstream table sees a change."""
        return self._commit(base, base.progress, add, remove, None)

    def erase(
        self,
        base: Snapshot,
        progress: Progress,
        add: Sequence[LakeFile],
        remove: Sequence[LakeFile],
        erasure: Mapping[str, Any],
        affected: Iterable[str] | None = None,
    ) -> int:
        """Replaces files by others without the rows of people who were erased; `erasure` is kept in the log.

        Tables that follow see no change, so that nothing is made again; where `affected` dates are given they see that
        these lost rows. Raises as `commit` does.
        """
        dates = None if affected is None else sorted(affected)
        note = None if dates is None else {"touched": dict.fromkeys(dates, 0), "replaced": dates}
        return self._commit(base, progress, add, remove, note, {ERASURE: dict(erasure)})

    def expire(
        self, base: Snapshot, add: Sequence[LakeFile], remove: Sequence[LakeFile], said: Mapping[str, Any]
    ) -> int:
        """Takes away files of days whose time is over; `add` are others with the rows of them that stay. `said` is kept
        in the log. Tables that follow see no change. Raises as `commit` does."""
        return self._commit(base, base.progress, add, remove, None, {RETENTION: dict(said)})

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
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> int:
        give_way(self.storage, self.spec.name)
        self.sessions.require()
        number, record = time.time_ns(), progress.to_json()
        self.storage.write(f"{self.spec.name}/_progress/{number}.json", record)
        now, changes = number // 1_000_000, note is not None
        try:
            base.delta.create_write_transaction(
                actions_of(add, remove, now, changes),
                "append",
                Schema.from_arrow(self.spec.arrow_schema()),
                list(self.spec.partition_by),
                commit_properties=CommitProperties(
                    custom_metadata={NOTE: note, SEAL: seal_of_commit(add, remove, note, record), **more},
                    max_commit_retries=0,
                    app_transactions=[Transaction(PROGRESS, number)],
                ),
                # Which commits are too old is asked by maintenance: it is to list all that are kept.
                post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
            )
        except CommitFailedError as error:
            raise CommitConflict(self, error) from error
        return base.version + 1


def retry_on_conflict(step: Callable[[], T], attempts: int = 8) -> T:
    """Runs a step that reads and commits, again from the start where another writer came first. From the third time on
    the others let it go first."""
    with ExitStack() as claims:
        for attempt in range(1, attempts + 1):
            began = time.monotonic()
            try:
                return step()
            except CommitConflict as conflict:
                if attempt == attempts:
                    raise
                claims.close()
                time.sleep(0.05 * 2**attempt * random.uniform(0.5, 1.5))
                if attempt > 1:
                    seconds = _CLAIM_SECONDS + 2 * (time.monotonic() - began)
                    claims.enter_context(claim(conflict.table.storage, conflict.table.spec.name, seconds))
    raise AssertionError("unreachable")
