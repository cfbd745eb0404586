"""CREATE, COMMENT and ALTER statements, made from a relation and a dialect. Running them is `warehouse.py`'s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import sql

from event_assets.warehouse.dialect import Dialect
from event_assets.warehouse.relation import Relation, comment_of

CATALOG = sql.SQL(
    """SELECT c.relname, a.attname, d.description
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.objsubid = a.attnum AND d.classoid = 'pg_catalog.pg_class'::regclass
WHERE n.nspname = %s AND c.relkind = 'r'
UNION ALL
SELECT c.relname, '', d.description
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_catalog.pg_class'::regclass
WHERE n.nspname = %s AND c.relkind IN ('r', 'i')"""
)
"""Relation, column (empty: the relation itself) and comment of all that a schema holds; of an index only that it is
there."""

Standing = Mapping[str, Mapping[str, str | None]]
"""What a schema holds: {relation: {column: comment}}, the relation's own comment under the empty name."""


def create_schema(schema: str) -> sql.Composed:
    return sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))


def create_table(dialect: Dialect, schema: str, relation: Relation) -> sql.Composed:
    """CREATE TABLE IF NOT EXISTS with the dialect's physical layout."""
    columns = []
    for column in relation.columns:
        required = sql.SQL(" NOT NULL") if column.name in relation.required else sql.SQL("")
        parts = (sql.Identifier(column.name), sql.SQL(" "), dialect.type_of(column))
        columns.append(sql.Composed([*parts, dialect.column_suffix(relation, column), required]))
    return sql.SQL("CREATE TABLE IF NOT EXISTS {} (\n  {}\n){}").format(
        sql.Identifier(schema, relation.name), sql.SQL(",\n  ").join(columns), dialect.table_suffix(relation)
    )


def missing(dialect: Dialect, schema: str, relation: Relation, standing: Standing) -> Iterator[sql.Composed]:
    """The statements that bring a schema up to a relation; none where it is. Nothing is ever dropped."""
    target = sql.Identifier(schema, relation.name)
    if relation.name not in standing:
        yield create_table(dialect, schema, relation)
    yield from (create for name, create in dialect.indexes(schema, relation).items() if name not in standing)
    has = standing.get(relation.name, {})
    if has.get("") != relation.description:
        yield sql.SQL("COMMENT ON TABLE {} IS {}").format(target, sql.Literal(relation.description))
    for column in relation.columns:
        if has and column.name not in has:
            # Not NOT NULL: the rows that stand have no value for it.
            yield sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
                target, sql.Identifier(column.name), dialect.type_of(column)
            )
        if has.get(column.name) != comment_of(column):
            name = sql.Identifier(schema, relation.name, column.name)
            yield sql.SQL("COMMENT ON COLUMN {} IS {}").format(name, sql.Literal(comment_of(column)))
