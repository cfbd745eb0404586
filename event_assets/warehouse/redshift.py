"""Amazon Redshift: its types, encodings, distribution and locks, and COPY of Parquet files from S3 by a manifest."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Self

import psycopg
import pyarrow.parquet as pq
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from event_assets.contract.tables.schema import Column, ColumnType
from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.lake.scratch import scratch_folder
from event_assets.settings import Settings
from event_assets.warehouse.dialect import Copied, Mode, Session, SourceFile
from event_assets.warehouse.fitting import Fitted, FittedFile, too_long, write_copy
from event_assets.warehouse.lake_files import LakeFiles, path_of
from event_assets.warehouse.relation import LOADS, Relation

_LONGEST = 65_535
_BYTES_A_CHARACTER = 4

_TYPES: dict[ColumnType, str] = {
    "int": "integer",
    "long": "bigint",
    "double": "double precision",
    "boolean": "boolean",
    "timestamp": "timestamp with time zone",
    "date": "date",
    "binary": "varbyte(1024000)",
}
_ENCODINGS: dict[ColumnType, str] = {
    "string": "zstd",
    "int": "az64",
    "long": "az64",
    "double": "zstd",
    "boolean": "zstd",
    "timestamp": "az64",
    "date": "az64",
    "binary": "zstd",
}


class RedshiftDialect:
    """Redshift, provisioned or serverless. Files stay in S3; the cluster reads them with its IAM role.

    Text of more than 65,535 bytes does not fit a Redshift column, nor into a SUPER value unless its owner has switched
    that on, and COPY of Parquet cannot truncate: a load that fails is tried again from copies in which such texts are
    shortened.
    """

    name = "redshift"
    views_grow = False
    view_barrier = sql.SQL("")
    role_word = sql.SQL("ROLE ")
    role_admin = sql.SQL("")  # only a user can have it

    def __init__(self, files: LakeFiles, iam_role: str | None, beside: str, copies: bool = False) -> None:
        """`beside` is the `s3://bucket/prefix`, this one's own, under which manifests and copies are written, and
        deleted after the load. With `copies` no file is loaded but in the form that `write_copy` gives it."""
        self._files = files
        self._iam_role = iam_role
        self._beside = beside.rstrip("/") + "/"
        self._copies = copies
        self.listed: dict[str, tuple[str, int]] = {}
        """Of tables whose files Spectrum reads by a list: which lake table and version was listed last, from here."""

    @classmethod
    def from_settings(cls, settings: Settings, files: LakeFiles) -> Self:
        """Redshift by these settings, with a folder of its own for what it writes, so that what is left of a load that
        was killed is cleared like any scratch."""
        beside, copies = f"{settings.lake}/{scratch_folder()}", settings.redshift_files == "copies"
        return cls(files, settings.warehouse_iam_role, beside, copies)

    def connect(self, url: str) -> Session:
        # Redshift calls UTF-8 by a name that psycopg does not know, and has no DEALLOCATE ALL.
        ssl = conninfo_to_dict(url).get("sslmode") or "require"
        connection = psycopg.connect(
            url,
            autocommit=True,
            application_name="event-assets",
            client_encoding="utf8",
            prepare_threshold=None,
            sslmode=ssl,
            cursor_factory=psycopg.ClientCursor,
        )
        connection.execute("SET timezone TO 'UTC'")
        return connection

    def type_of(self, column: Column) -> sql.SQL:
        return sql.SQL(f"varchar({_width(column)})" if column.type == "string" else _TYPES[column.type])

    def column_suffix(self, relation: Relation, column: Column) -> sql.Composable:
        # The leading sort column stays raw: compressed, its blocks are skipped less well.
        leads = relation.sort_key[:1] == (column.name,)
        return sql.SQL(" ENCODE " + ("raw" if leads else _ENCODINGS[column.type]))

    def table_suffix(self, relation: Relation) -> sql.Composable:
        style: sql.Composable = sql.SQL("\nDISTSTYLE AUTO")
        if relation.dist_key:
            style = sql.SQL("\nDISTSTYLE KEY DISTKEY ({})").format(sql.Identifier(relation.dist_key))
        if not relation.sort_key:
            return style
        columns = sql.SQL(", ").join(map(sql.Identifier, relation.sort_key))
        return sql.Composed([style, sql.SQL("\nCOMPOUND SORTKEY ({})").format(columns)])

    def indexes(self, schema: str, relation: Relation) -> Mapping[str, sql.Composed]:
        return {}

    def digest(self, text: sql.Composable) -> sql.Composed:
        return sql.SQL("sha2({}, 256)").format(text)

    def lock_schema(self, schema: str) -> Sequence[sql.Composed]:
        return []

    def lock(self, schema: str, name: str) -> sql.Composed:
        # All loads write the record of loads, and two of them at once would break serialisable isolation.
        loads = sql.Identifier(schema, LOADS.name)
        return sql.SQL("LOCK TABLE {}, {}").format(loads, sql.Identifier(schema, name))

    def total(self, value: sql.Composable, type_: ColumnType) -> sql.Composed:
        return sql.SQL("coalesce(sum({}), 0)").format(value)

    def stage_columns(self, table: WarehouseTable, mode: Mode) -> tuple[Column, ...]:
        """Every column of the lake table: COPY of Parquet goes by place, not by name."""
        return table.lake.columns

    def stage_type_of(self, column: Column) -> sql.SQL:
        # COPY of Parquet fills timestamps without a time zone; the lake's are UTC.
        return sql.SQL("timestamp") if column.type == "timestamp" else self.type_of(column)

    def from_stage(self, column: Column, stage: str) -> sql.Composed:
        zone = sql.SQL(" AT TIME ZONE 'UTC'") if column.type == "timestamp" else sql.SQL("")
        return sql.Composed([sql.Identifier(stage, column.name), zone])

    def copy_in(
        self,
        session: Session,
        stage: str,
        columns: tuple[Column, ...],
        table: WarehouseTable,
        files: Sequence[SourceFile],
    ) -> Copied:
        if files:
            with ExitStack() as beside:
                if self._copies:
                    files = beside.enter_context(self._copied(table, files, lambda parquet: {})).files
                manifest = beside.enter_context(self._manifest(table, files))
                session.execute(copy_statement(stage, manifest, self._iam_role))
        staged = session.execute(count_of(stage)).fetchone()
        assert staged is not None
        return Copied(int(staged[0]))

    def append(
        self,
        session: Session,
        target: sql.Identifier,
        table: WarehouseTable,
        files: Sequence[SourceFile],
        loaded_at: dt.datetime,
    ) -> None:
        """COPY of Parquet wants a table of just the files' columns."""

    @contextmanager
    def fitted(self, table: WarehouseTable, files: Sequence[SourceFile]) -> Iterator[Fitted | None]:
        widths = {column.name: _width(column) for column in table.lake.columns if column.type == "string"}

        def narrow(parquet: pq.ParquetFile) -> dict[str, int] | None:
            return {name: widths[name] for name in too_long(parquet, widths)} or None

        with self._copied(table, files, narrow) as fitted:
            yield fitted if fitted.texts else None

    @contextmanager
    def _copied(
        self,
        table: WarehouseTable,
        files: Sequence[SourceFile],
        widths_of: Callable[[pq.ParquetFile], Mapping[str, int] | None],
    ) -> Iterator[Fitted]:
        """The files with copies in the place of those for which `widths_of` gives something (the columns to be
        shortened), deleted at the block's end."""
        fitted: list[FittedFile] = []
        copies: list[str] = []
        texts = 0
        try:
            for file in files:
                url, size = file.url, file.size
                if not url.startswith(self._beside):
                    with self._files.filesystem(url).open_input_file(path_of(url)) as source:
                        parquet = pq.ParquetFile(source)
                        widths = widths_of(parquet)
                        if widths is not None:
                            url = f"{self._beside}{table.name}/{uuid.uuid4().hex}.parquet"
                            copies.append(url)
                            size, shorter = write_copy(parquet, widths, self._files.filesystem(url), path_of(url))
                            texts += shorter
                fitted.append(FittedFile(url, size, file.rows, file.partition))
            yield Fitted(tuple(fitted), texts)
        finally:
            for url in copies:
                with suppress(FileNotFoundError):
                    self._files.filesystem(url).delete_file(path_of(url))

    @contextmanager
    def _manifest(self, table: WarehouseTable, files: Sequence[SourceFile]) -> Iterator[str]:
        url = f"{self._beside}{table.name}/{uuid.uuid4().hex}.manifest"
        filesystem = self._files.filesystem(url)
        with filesystem.open_output_stream(path_of(url)) as stream:
            stream.write(manifest_of(files))
        try:
            yield url
        finally:
            filesystem.delete_file(path_of(url))


def _width(column: Column) -> int:
    """How many bytes of text the column holds. Narrow columns need less memory in queries."""
    return _BYTES_A_CHARACTER * column.characters if column.characters else _LONGEST


def copy_statement(stage: str, manifest: str, iam_role: str | None) -> sql.Composed:
    """COPY of the manifest's Parquet files. Without a role it is the cluster's default one."""
    role = sql.Literal(iam_role) if iam_role else sql.SQL("default")
    # Files from before a column was added to the lake end earlier: the rest is null.
    return sql.SQL("COPY {} FROM {}\nIAM_ROLE {}\nFORMAT AS PARQUET\nFILLRECORD\nMANIFEST").format(
        sql.Identifier(stage), sql.Literal(manifest), role
    )


def count_of(stage: str) -> sql.Composed:
    """How many rows were copied."""
    return sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(stage))


def manifest_of(files: Sequence[SourceFile]) -> bytes:
    """The manifest: every file is mandatory, and has its size, which Parquet asks for."""
    entries = [{"url": file.url, "mandatory": True, "meta": {"content_length": file.size}} for file in files]
    return json.dumps({"entries": entries}, indent=1).encode()
