"""CREATE VIEW and COMMENT statements of the views for BI tools. Running them is `warehouse.py`'s."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from event_assets.contract.tables.schema import Column
from event_assets.contract.tables.views import NONE, Joined, View
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
            yield create_view(schema, view, _in_order(view, tuple(comments)))
            yield sql.SQL("COMMENT ON VIEW {} IS {}").format(target, sql.Literal(_comment(schema, view)))
        for each in view.columns:
            if comments.get(each.name) != comment_of(each):
                name = sql.Identifier(schema, view.name, each.name)
                yield sql.SQL("COMMENT ON COLUMN {} IS {}").format(name, sql.Literal(comment_of(each)))


def _comment(schema: str, view: View) -> str:
    """What the view is, with a mark of how it is made: one that is made otherwise is made again."""
    text = create_view(schema, view, view.columns).as_string()
    return f"{view.description} [{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8]}]"


def _can_be_replaced(dialect: Dialect, view: View, there: StandingView) -> bool:
    """Whether it may stay, with what is granted on it and made of it: no column goes and, where the dialect cannot add
    any, none comes."""
    wanted = {each.name for each in view.columns}
    return there.columns.keys() == wanted or (dialect.views_grow and there.columns.keys() < wanted)


def _in_order(view: View, first: Sequence[str]) -> tuple[Column, ...]:
    """The columns, those that stand in their order before the others."""
    places = {name: place for place, name in enumerate(first)}
    return tuple(sorted(view.columns, key=lambda each: places.get(each.name, len(places))))


def create_view(schema: str, view: View, columns: Sequence[Column]) -> sql.Composed:
    """CREATE of a view with these of its columns, over the tables of the same schema."""
    values = _values(view)
    shown = sql.SQL(",\n  ").join(
        sql.SQL("{} AS {}").format(values[each.name], sql.Identifier(each.name)) for each in columns
    )
    fact = sql.Identifier(schema, view.table.name)
    beside = sql.SQL("").join(_join(schema, view, joined) for joined in view.joined)
    return sql.SQL("CREATE OR REPLACE VIEW {} AS\nSELECT\n  {}\nFROM {}{}").format(
        sql.Identifier(schema, view.name), shown, fact, beside
    )


def _values(view: View) -> dict[str, sql.Composable]:
    """What each column of a view says."""
    values: dict[str, sql.Composable] = {name: sql.Identifier(view.table.name, name) for name in view.table.columns}
    values |= {name: sql.SQL("coalesce({}, {})").format(values[name], sql.Literal(NONE)) for name in view.known}
    for joined in view.joined:
        values |= {shown: sql.Identifier(joined.table.name, name) for name, shown in joined.shows.items()}
    return values


def _join(schema: str, view: View, joined: Joined) -> sql.Composed:
    """At most one row of the dimension, so that a planner sees that it can be left out where nothing is asked of it."""
    dimension, key = sql.Identifier(joined.table.name), sql.Identifier(joined.dimension.key[0])
    shown = sql.SQL(", ").join(
        sql.SQL("{}({name}) AS {name}").format(
            sql.SQL("bool_or" if joined.dimension.column(name).type == "boolean" else "max"), name=sql.Identifier(name)
        )
        for name in joined.shows
    )
    rows = sql.SQL("SELECT {key}, {shown} FROM {table} GROUP BY {key}").format(
        key=key, shown=shown, table=sql.Identifier(schema, joined.table.name)
    )
    by: sql.Composable = sql.Identifier(view.table.name, joined.by)
    if joined.else_by is not None:
        by = sql.SQL("coalesce({}, {})").format(by, sql.Identifier(view.table.name, joined.else_by))
    return sql.SQL("\nLEFT JOIN ({rows}) AS {dimension} ON {dimension}.{key} = {by}").format(
        rows=rows, dimension=dimension, key=key, by=by
    )
