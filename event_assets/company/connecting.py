"""How a source of company data is reached: its database, its files, its API. Nothing is loaded here.

Secrets come from the environment alone, and are in no message.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.fs as fs
import pyarrow.json as pa_json
import pyarrow.parquet as pq
import sqlalchemy as sa

from event_assets.lake.storage import Storage
from event_assets.rules.company import FilesSource, FilesTable, RestSource, SqlSource, SqlTable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

Environment = Mapping[str, str]
_POSTGRES = ("postgres", "postgresql")


class CompanyError(ValueError):
    """Company data cannot be read. The message names source and table, what is wrong, and the way out."""


def secret(source: str, variable: str, environment: Environment = os.environ) -> str:
    """The value of a variable. Raises `CompanyError` where there is none."""
    value = environment.get(variable)
    if not value:
        raise CompanyError(f"{source}: the environment variable {variable}, which its file names, is not set")
    return value


def engine_of(source: SqlSource, environment: Environment = os.environ) -> Engine:
    """The database of a source; nothing is connected to yet, nor kept so. Raises `CompanyError`."""
    try:
        url = sa.make_url(secret(source.name, source.url, environment))
        return sa.create_engine(_with_driver(url, source.database), poolclass=sa.NullPool)
    except (sa.exc.ArgumentError, ModuleNotFoundError) as fault:
        what = "is no SQLAlchemy URL" if isinstance(fault, sa.exc.ArgumentError) else f"needs a driver: {fault}"
        raise CompanyError(f"{source.name}: what {source.url} holds {what}") from None


def _with_driver(url: URL, database: str | None) -> URL:
    """PostgreSQL by the driver that is here, where the URL names none."""
    if url.drivername in _POSTGRES:
        url = url.set(drivername="postgresql+psycopg")
    return url.set(database=database) if database is not None else url


def name_of(table: SqlTable) -> str:
    """What a table is called in its database."""
    return table.table or table.name


def folder_of(source: FilesSource, storage: Storage) -> Storage:
    """The folder or bucket of a source, by the lake's region and endpoint."""
    return Storage(source.folder, storage.region, storage.endpoint)


def files_of(source: FilesSource, table: FilesTable, storage: Storage) -> list[fs.FileInfo]:
    """The files of a table in the order of their names. Raises `CompanyError` where there are none."""
    folder = folder_of(source, storage)
    pattern = folder.path(table.files)
    selector = fs.FileSelector(pattern[: _fixed(pattern)].rpartition("/")[0], recursive=False, allow_not_found=True)
    found = [
        info
        for info in folder.filesystem.get_file_info(selector)
        if info.type == fs.FileType.File and fnmatch.fnmatchcase(info.path, pattern)
    ]
    if not found:
        raise CompanyError(f"{source.name}.{table.name}: there is no file {folder.uri(table.files)}")
    return sorted(found, key=lambda info: str(info.path))


def _fixed(pattern: str) -> int:
    return next((place for place, letter in enumerate(pattern) if letter in "*?["), len(pattern))


def rows_of_files(source: FilesSource, table: FilesTable, storage: Storage) -> Iterator[pa.Table]:
    """The rows of a table's files, all in one, so that a column has one type. Raises `CompanyError`."""
    filesystem = folder_of(source, storage).filesystem
    parts = []
    for info in files_of(source, table, storage):
        try:
            parts.append(_read(filesystem, info.path))
        except (pa.ArrowInvalid, UnicodeDecodeError) as fault:
            raise CompanyError(f"{source.name}.{table.name}: {info.path} cannot be read: {fault}") from None
    try:
        yield pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowTypeError as fault:
        raise CompanyError(f"{source.name}.{table.name}: its files have a column of several types: {fault}") from None


def _read(filesystem: fs.FileSystem, path: str) -> pa.Table:
    kind = path.rpartition(".")[2]
    if kind == "parquet":
        return pq.read_table(path, filesystem=filesystem, partitioning=None)
    with filesystem.open_input_stream(path) as stream:
        if kind == "csv":
            return pa_csv.read_csv(stream)
        text = stream.read()
    if text.lstrip()[:1] == b"[":
        import json

        return pa.Table.from_pylist(json.loads(text))
    return pa_json.read_json(pa.BufferReader(text))


def headers_of(source: RestSource, environment: Environment = os.environ) -> dict[str, str]:
    """What an API is shown to let us in. Raises `CompanyError`."""
    if source.token is None:
        return {}
    value = secret(source.name, source.token, environment)
    return {source.header: value} if source.header else {"Authorization": f"Bearer {value}"}
