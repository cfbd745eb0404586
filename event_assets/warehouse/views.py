"""CREATE VIEW and COMMENT statements of the views for BI tools. Running them is `warehouse.py`'s."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from event_assets.contract.tables.views import Joined, View, ViewColumn
from event_assets.warehouse.dialect import Dialect
from event_assets.warehouse.relation import comment_of

CATALOG = sql.SQL(
    """SELECT c.relname, a.attname, d.description, w.description
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_catalog.pg_description d
  ON d.objoid = c.oid AND d.objsubid = a.attnum AND d.classoid = 'pg_catalog.pg_class'::regclass
LEFT JOIN pg_catalog.pg_description w
  ON w.objoid = c.oid AND w.objsubid = 0 AND w.classoid = 'pg_catalog.pg_class'::regclass
WHERE n.nspname = %s AND c.relkind = 'v'
ORDER BY c.relname, a.attnum"""
)
"""View, column, the column's comment and the view's, of all views of a schema, columns in their order."""


@dataclass(frozen=True, slots=True)
class StandingView:
    """A view as a schema has it: its comment, and its columns in their order with theirs."""

    comment: str | None
    columns: Mapping[str, str | None]


def missing_views(
    dialect: Dialect, schema: str, views: Sequence[View], standing: Mapping[str, StandingView]
) -> Iterator[sql.Composed]:
    """The statements that bring a schema's views up to these; none where they are."""
    for view in views:
        there = standing.get(view.name)
        target = sql.Identifier(schema, view.name)
        comments = dict(there.columns) if there else {}
        if there is None or there.comment != _comment(schema, view):
            if there is not None and not _can_be_replaced(dialect, view, there):
                yield sql.SQL("DROP VIEW {}").format(target)
                comments = {}
            yield _create(schema, view, _in_order(view, tuple(comments)))
            yield sql.SQL("COMMENT ON VIEW {} IS {}").format(target, sql.Literal(_comment(schema, view)))
        for each in view.columns:
            if comments.get(each.column.name) != comment_of(each.column):
                name = sql.Identifier(schema, view.name, each.column.name)
                yield sql.SQL("COMMENT ON COLUMN {} IS {}").format(name, sql.Literal(comment_of(each.column)))


def _comment(schema: str, view: View) -> str:
    """What the view is, with a mark of how it is made: one that is made otherwise is made again."""
    text = _create(schema, view, view.columns).as_string()
    return f"{view.description} [{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8]}]"


def _can_be_replaced(dialect: Dialect, view: View, there: StandingView) -> bool:
    """Whether it may stay, with what is granted on it and made of it: no column goes and, where the dialect cannot add
    any, none comes."""
    wanted = {each.column.name for each in view.columns}
    return there.columns.keys() == wanted or (dialect.views_grow and there.columns.keys() < wanted)


def _in_order(view: View, first: Sequence[str]) -> tuple[ViewColumn, ...]:
    """The columns, those that stand in their order before the others."""
    places = {name: place for place, name in enumerate(first)}
    return tuple(sorted(view.columns, key=lambda each: places.get(each.column.name, len(places))))


def _create(schema: str, view: View, columns: Sequence[ViewColumn]) -> sql.Composed:
    shown = sql.SQL(",\n  ").join(_shown(view, each) for each in columns)
    fact = sql.Identifier(schema, view.table.name)
    beside = sql.SQL("").join(_join(schema, view, joined) for joined in view.joined)
    return sql.SQL("CREATE OR REPLACE VIEW {} AS\nSELECT\n  {}\nFROM {}{}").format(
        sql.Identifier(schema, view.name), shown, fact, beside
    )


def _shown(view: View, each: ViewColumn) -> sql.Composed:
    places = [(joined.table.name, each.of_dimension) for joined in (each.dimension,) if joined is not None]
    places += [(view.table.name, each.of_fact)] if each.of_fact else []
    names = [sql.Identifier(*place) for place in places]
    value = names[0] if len(names) == 1 else sql.SQL("coalesce({})").format(sql.SQL(", ").join(names))
    return sql.SQL("{} AS {}").format(value, sql.Identifier(each.column.name))


def _join(schema: str, view: View, joined: Joined) -> sql.Composed:
    """A row that the dimension does not have takes none of the fact's away."""
    dimension, fact = joined.table.name, view.table.name
    found = sql.SQL("{} = {}").format(
        sql.Identifier(dimension, joined.dimension.key[0]), sql.Identifier(fact, joined.by)
    )
    if joined.at:
        found += sql.SQL(" AND {at} >= {begin} AND ({at} < {end} OR {end} IS NULL)").format(
            at=sql.Identifier(fact, joined.at),
            begin=sql.Identifier(dimension, "valid_from"),
            end=sql.Identifier(dimension, "valid_to"),
        )
    return sql.SQL("\nLEFT JOIN {} ON {}").format(sql.Identifier(schema, dimension), found)
