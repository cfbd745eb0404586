"""The tables of a source as dlt reads them: by cursor or whole, merged by key into Delta tables of the lake.

A load is one commit a table. How far a cursor is is kept beside the tables, after them: a load that was cut off is
done again, and as rows are merged by key, gives the same.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
from dlt.common.schema.exceptions import DataValidationError
from dlt.extract.resource import DltResource
from dlt.extract.source import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from dlt.sources.rest_api import rest_api_resources
from dlt.sources.sql_database import sql_table

from event_assets.company.bucket import where_it_is
from event_assets.company.connecting import (
    CompanyError,
    Environment,
    engine_of,
    headers_of,
    name_of,
    rows_of_files,
)
from event_assets.lake.storage import Storage
from event_assets.permissions import make_private_folder
from event_assets.pipeline.company import COMPANY_FOLDER
from event_assets.rules.company import (
    CompanySource,
    CompanyTable,
    FilesSource,
    RestSource,
    RestTable,
    SqlSource,
    SqlTable,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

CHUNK_ROWS = 50_000
_PAGES: dict[str, Any] = {
    "single_page": "single_page",
    "header_link": "header_link",
    "json_link": "json_link",
    "page_number": {"type": "page_number", "base_page": 1, "total_path": None},
}


@dataclass(frozen=True)
class Load:
    """What dlt runs: the tables of a source, and where they go."""

    source: DltSource
    pipeline: Pipeline


@contextmanager
def load_of(
    source: CompanySource,
    storage: Storage,
    environment: Environment = os.environ,
    *,
    rebuild: bool = False,
    only: Sequence[str] = (),
) -> Iterator[Load]:
    """A load that can be run inside the block: of all tables, or `only` these; with `rebuild`, of all rows. Faults of
    the source are raised as `CompanyError`, whose message says all there is to say."""
    dlt.config["runtime.dlthub_telemetry"] = False
    dlt.config["schema.naming"] = "sql_cs_v1"
    if not storage.is_s3:
        make_private_folder(Path(storage.path(COMPANY_FOLDER)))
    with tempfile.TemporaryDirectory(prefix="company-") as folder, _faults_of(source):
        made = DltSource(dlt.Schema(source.name), source.name, list(_resources(source, storage, environment, rebuild)))
        made.max_table_nesting = 0
        pipeline = dlt.pipeline(
            pipeline_name=f"company_{source.name}",
            pipelines_dir=folder,
            destination=dlt.destinations.filesystem(storage.uri(COMPANY_FOLDER), **where_it_is(storage)),
            dataset_name=source.name,
        )
        yield Load(made.with_resources(*only) if only else made, pipeline)


def load(
    source: CompanySource,
    storage: Storage,
    environment: Environment = os.environ,
    *,
    rebuild: bool = False,
    only: Sequence[str] = (),
) -> dict[str, int]:
    """Brings the tables of a source up to date. Gives how many rows were read of each. Raises `CompanyError`."""
    with _faults_of(source), load_of(source, storage, environment, rebuild=rebuild, only=only) as ready:
        ready.pipeline.run(ready.source).raise_on_failed_jobs()
        trace = ready.pipeline.last_trace
        counts = trace.last_normalize_info.row_counts if trace and trace.last_normalize_info else {}
        return {table.name: counts.get(table.name, 0) for table in source.tables if not only or table.name in only}


def _resources(
    source: CompanySource, storage: Storage, environment: Environment, rebuild: bool
) -> Iterator[DltResource]:
    def described(resource: DltResource, table: CompanyTable) -> DltResource:
        _describe(resource, table, is_merged=not rebuild and table.cursor is not None)
        return resource

    match source:
        case SqlSource():
            engine = engine_of(source, environment)
            for at_database in source.tables:
                yield described(_of_database(engine, source, at_database, rebuild), at_database)
        case FilesSource():
            for files in source.tables:
                resource = dlt.resource(rows_of_files, name=files.name)(source, files, storage)
                resource.apply_hints(incremental=_incremental(files, rebuild))
                yield described(resource, files)
        case RestSource():
            for at_api in source.tables:
                yield described(_of_api(source, at_api, environment, rebuild), at_api)


def _of_database(engine: Engine, source: SqlSource, table: SqlTable, rebuild: bool) -> DltResource:
    return sql_table(
        credentials=engine,
        table=name_of(table),
        schema=source.schema_,
        incremental=_incremental(table, rebuild),
        included_columns=table.only or None,
        backend="pyarrow",
        chunk_size=CHUNK_ROWS,
        reflection_level="full_with_precision",
        defer_table_reflect=True,
    ).with_name(table.name)


def _incremental(table: CompanyTable, rebuild: bool) -> Any:
    """From the last value of the cursor on; None where all rows are read.

    Rows that have this very value are read again, whether or not they were there the last time: what was changed
    within the same moment is not missed.
    """
    if rebuild or table.cursor is None:
        return None
    return dlt.sources.incremental(
        table.cursor, primary_key=(), on_cursor_value_missing="include", range_start="closed"
    )


def _describe(resource: DltResource, table: CompanyTable, is_merged: bool) -> None:
    columns: dict[str, Any] = {table.deleted: {"hard_delete": True}} if table.deleted and is_merged else {}
    resource.apply_hints(
        table_name=table.name,
        table_format="delta",
        primary_key=table.key,
        write_disposition={"disposition": "merge", "strategy": "upsert"} if is_merged else "replace",
        columns=columns,
        schema_contract={"tables": "evolve", "columns": table.columns, "data_type": "freeze"},
    )


def _of_api(source: RestSource, table: RestTable, environment: Environment, rebuild: bool) -> DltResource:
    parameters: dict[str, Any] = dict(table.parameters)
    endpoint: dict[str, Any] = {"path": table.path, "params": parameters}
    if table.records is not None:
        endpoint["data_selector"] = table.records
    if table.cursor is not None and not rebuild:
        how = {"cursor_path": table.cursor, "primary_key": [], "on_cursor_value_missing": "include"}
        if table.cursor_parameter is not None:
            parameters[table.cursor_parameter] = {"type": "incremental", **how}
        else:
            endpoint["incremental"] = how
    client: dict[str, Any] = {"base_url": source.url, "headers": headers_of(source, environment)}
    if source.pages == "offset":
        client["paginator"] = {"type": "offset", "limit": source.page_size, "total_path": None}
    elif source.pages != "auto":
        client["paginator"] = _PAGES[source.pages]
    described: Any = {"client": client, "resources": [{"name": table.name, "endpoint": endpoint}]}
    return rest_api_resources(described)[0]


@contextmanager
def _faults_of(source: CompanySource) -> Iterator[None]:
    try:
        yield
    except PipelineStepFailed as failed:
        raise CompanyError(sentence_of(source, failed)) from failed


def sentence_of(source: CompanySource, failed: PipelineStepFailed) -> str:
    """What was wrong in a load, in one sentence: without dlt's words about its own parts."""
    cause: BaseException = failed
    while (inner := getattr(cause, "exception", None) or cause.__cause__) is not None:
        if isinstance(cause, CompanyError):
            break
        cause = inner
        if isinstance(cause, DataValidationError):
            return _of_contract(source, cause)
    if isinstance(cause, CompanyError):
        return str(cause)
    words = str(getattr(cause, "orig", None) or cause).strip().splitlines()
    return f"{source.name}: it could not be loaded ({type(cause).__name__}: {words[0] if words else ''})"


def _of_contract(source: CompanySource, fault: DataValidationError) -> str:
    where = f"{source.name}.{fault.table_name}"
    if fault.schema_entity == "data_type":
        return f"{where}: the column {fault.column_name} has values of another type than before; rebuild it"
    return (
        f"{where}: the source has a new column {fault.column_name}, and columns are frozen; say `columns: evolve` to "
        "take it in, or name the columns that you want under `only`"
    )
