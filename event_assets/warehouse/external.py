"""Tables of single events as external tables of Redshift: Spectrum reads the lake's files where they are.

Which files are a table's stands in a list beside the lake's tables, which each load of the table writes anew
(`pipeline/load`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from psycopg import sql

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.warehouse.dialect import SourceFile
from event_assets.warehouse.redshift import RedshiftDialect

_FOLDER = "external"
EXTERNAL_TABLES = tuple(table for table in WAREHOUSE_TABLES if table.are_events)


def place_of_list(table: WarehouseTable) -> str:
    """Where the list of a table's files lies, below the lake's root, in a folder that holds nothing else."""
    return f"{_FOLDER}/{table.lake.name}/manifest"


def list_of(files: Iterable[SourceFile]) -> bytes:
    """The files of a version of a table, one a line, in an order that is always the same."""
    return "".join(f"{url}\n" for url in sorted(file.url for file in files)).encode()


def external_statements(
    dialect: RedshiftDialect, lake: str, schema: str, catalog: str, iam_role: str | None
) -> Iterator[sql.Composed]:
    """What an administrator runs once, and after an update that gives a table columns: a schema over a database of the
    Glue Data Catalog, and in it each table over the list of its files."""
    role = sql.Literal(iam_role) if iam_role else sql.SQL("default")
    yield sql.SQL(
        "CREATE EXTERNAL SCHEMA IF NOT EXISTS {} FROM DATA CATALOG\nDATABASE {}\nIAM_ROLE {}\n"
        "CREATE EXTERNAL DATABASE IF NOT EXISTS"
    ).format(sql.Identifier(schema), sql.Literal(catalog), role)
    for table in EXTERNAL_TABLES:
        name = sql.Identifier(schema, table.lake.name)
        columns = [
            sql.Composed([sql.SQL("\n  "), sql.Identifier(column.name), sql.SQL(" "), dialect.stage_type_of(column)])
            for column in table.lake.columns
        ]
        yield sql.SQL("DROP TABLE IF EXISTS {}").format(name)
        yield sql.SQL(
            "CREATE EXTERNAL TABLE {} ({}\n)\n"
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'\n"
            "STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'\n"
            "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\n"
            "LOCATION {}"
        ).format(
            name, sql.SQL(",").join(columns), sql.Literal(f"{lake}/{place_of_list(table).removesuffix('manifest')}")
        )
