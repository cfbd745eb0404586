"""Data sets: what QuickSight reads of the warehouse, column by column, as one statement each.

A statement rather than a table, so that QuickSight gets types that it has (booleans are 1 and 0), what has no value
reads `(none)` as in our own pages, and no column comes along that nothing shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from event_assets.contract.tables.schema import ColumnType
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.quicksight.expressions import ROW
from event_assets.rules.dashboard import Average, CountDistinct, Dashboard, Percentile, ShareWhere, Source, Sum

FieldType = Literal["STRING", "INTEGER", "DECIMAL", "DATETIME"]
NO_VALUE = "(none)"
TRAFFIC = "traffic"
"""The column of a table with robots that says which rows are of people and which of robots."""
PEOPLE, ROBOTS = "people", "robots"
ANALYSES = "analysis-"
"""What identifiers of data sets over the marts of analyses begin with; no table of a file can be called so."""

_TYPES: Mapping[ColumnType, FieldType] = {
    "string": "STRING",
    "int": "INTEGER",
    "long": "INTEGER",
    "double": "DECIMAL",
    "boolean": "INTEGER",
    "timestamp": "DATETIME",
    "date": "DATETIME",
    "binary": "STRING",
}
_WAREHOUSE = {table.name: table for table in WAREHOUSE_TABLES}


@dataclass(frozen=True)
class DataSet:
    """One data set: what definitions call it, the statement it is read by, its columns with their types, and the table
    or view of the warehouse that it is of."""

    identifier: str
    statement: str
    columns: Mapping[str, FieldType]
    table: str

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns that rows can be limited by."""
        return tuple(name for name, type_ in self.columns.items() if type_ == "STRING")


def of_source(dashboard: Dashboard, name: str, schema: str) -> DataSet:
    """The data set of a table of the file: its time, its dimensions, what its metrics are of."""
    source = dashboard.tables[name]
    columns: dict[str, tuple[sql.Composable, FieldType]] = {ROW: (sql.SQL("1"), "INTEGER")}
    counted = set(_of_metrics(dashboard, name))
    for column in dict.fromkeys((source.time, *source.dimensions, *sorted(counted), *filter(None, (source.model,)))):
        columns[column] = _column(source, column, is_named=column in source.dimensions and column not in counted)
    if source.robots:
        robots = sql.Identifier(source.robots)
        text = sql.SQL("CASE WHEN {0} THEN {1} WHEN NOT {0} THEN {2} END")
        columns[TRAFFIC] = (text.format(robots, sql.Literal(ROBOTS), sql.Literal(PEOPLE)), "STRING")
    return _data_set(name, columns, schema, source.table)


def _of_metrics(dashboard: Dashboard, table: str) -> Iterable[str]:
    for metric in dashboard.metrics.values():
        if metric.table != table:
            continue
        yield from metric.where
        if isinstance(metric, CountDistinct | Sum | Average | Percentile):
            yield metric.column
        if isinstance(metric, ShareWhere):
            yield from metric.condition


def _column(source: Source, name: str, *, is_named: bool) -> tuple[sql.Composable, FieldType]:
    """A column; where it only names what rows are of, with a name for none. What metrics are of stays as it is."""
    type_ = source.column(name).type
    column = sql.Identifier(name)
    if type_ == "boolean":
        return sql.SQL("CASE WHEN {0} THEN 1 WHEN NOT {0} THEN 0 END").format(column), "INTEGER"
    if type_ == "string" and is_named:
        return sql.SQL("coalesce({}, {})").format(column, sql.Literal(NO_VALUE)), "STRING"
    return column, _TYPES[type_]


def _data_set(
    identifier: str,
    columns: Mapping[str, tuple[sql.Composable, FieldType]],
    schema: str,
    table: str,
    rows: sql.SQL = sql.SQL("{}"),
) -> DataSet:
    """The data set of a table, or of the `rows` that are made of it."""
    listed = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(text, sql.Identifier(name)) for name, (text, _) in columns.items()
    )
    of = rows.format(sql.Identifier(schema, table))
    statement = sql.SQL("SELECT {} FROM {}").format(listed, of).as_string(None)
    return DataSet(identifier, statement, {name: type_ for name, (_, type_) in columns.items()}, table)


_MARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "trends": ("agg_trends", ("span", "series_name", "breakdown", "period_start", "value")),
    "lifecycle": ("agg_lifecycle", ("span", "period_start", "status", "people")),
    "active_users": ("agg_active_users", ("span", "event_date", "dau", "wau", "mau")),
    "stickiness": ("agg_stickiness", ("periods", "people", "share")),
    "retention": ("agg_retention", ("span", "breakdown", "cohort_start", "period", "share", "cohort_people")),
    "funnel": ("agg_funnels", ("breakdown", "step", "step_name", "people", "conversion")),
    "funnel_trend": ("agg_funnel_trends", ("period_start", "people", "converted")),
    "time_to_convert": ("agg_times_to_convert", ("from_seconds", "people")),
    "paths": ("agg_paths", ("step", "from_node", "to_node", "transitions")),
    "web_vitals": ("agg_web_vitals", ("page_path", "device_type", "views", "lcp_ms", "inp_ms", "cls")),
}
_MEMBERSHIPS = "dim_segment_memberships"
_PLACES = (("from_place", "from_node", 0), ("to_place", "to_node", 1))


def of_analyses(kind: str, schema: str) -> DataSet:
    """The data set of what the analyses of a kind give."""
    name, listed = _MARTS[kind]
    table = _WAREHOUSE[name]
    columns: dict[str, tuple[sql.Composable, FieldType]] = {
        column: (sql.Identifier(column), _TYPES[table.lake.column(column).type]) for column in ("analysis", *listed)
    }
    if kind == "paths":  # a node is a step and a name: QuickSight would lead a flow back into a page seen twice
        for place, node, later in _PLACES:
            text = sql.SQL("CAST(step + {} AS varchar(12)) || '. ' || {}")
            columns[place] = (text.format(sql.Literal(later), sql.Identifier(node)), "STRING")
    return _data_set(ANALYSES + kind, columns, schema, name)


def of_segments(schema: str) -> DataSet:
    """The stays of people in segments, without who they are."""
    columns: dict[str, tuple[sql.Composable, FieldType]] = {
        "segment": (sql.Identifier("segment"), "STRING"),
        "is_current": (sql.SQL("CASE WHEN is_current THEN 1 ELSE 0 END"), "INTEGER"),
        "from_date": (sql.Identifier("from_date"), "DATETIME"),
        "to_date": (sql.Identifier("to_date"), "DATETIME"),
    }
    return _data_set(f"{ANALYSES}segments", columns, schema, _MEMBERSHIPS)


def of_overlaps(schema: str) -> DataSet:
    """How many people belong to two segments now, each pair of them."""
    columns: dict[str, tuple[sql.Composable, FieldType]] = {
        "segment": (sql.SQL("one.segment"), "STRING"),
        "other_segment": (sql.SQL("other.segment"), "STRING"),
        "people": (sql.SQL("count(*)"), "INTEGER"),
    }
    pairs = sql.SQL(
        "{0} AS one JOIN {0} AS other ON one.person_id = other.person_id WHERE one.is_current AND other.is_current "
        "GROUP BY 1, 2"
    )
    return _data_set(f"{ANALYSES}segment-overlaps", columns, schema, _MEMBERSHIPS, pairs)
