"""What a role that does not see everything sees: a schema of views of its own, named as the tables behind them.

Personal ids are pseudonyms, other personal values are gone, rows are those of the role. Running it is
`role_changes.py`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from psycopg import sql

from event_assets.contract.tables.schema import Column
from event_assets.contract.tables.views import VIEWS, Joined, View
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.rules.roles import Role, Roles
from event_assets.warehouse.dialect import Dialect
from event_assets.warehouse.relation import LOADED_AT, LOADS, Relation
from event_assets.warehouse.views import create_view

KEY = Relation(
    "_pseudonyms",
    "The key by which personal ids become pseudonyms. Nobody but the owner reads it.",
    (Column("key", "string", "The key."),),
    required=frozenset({"key"}),
)
MARK = "Made by event-assets of roles"
"""What the comment of a view of ours begins with."""
_TABLES: Mapping[str, WarehouseTable] = {table.name: table for table in WAREHOUSE_TABLES}


@dataclass(frozen=True, slots=True)
class RoleView:
    """A view of a role: its name, the statement that makes it, and what is said of its columns."""

    name: str
    create: sql.Composed
    columns: tuple[Column, ...]

    @property
    def mark(self) -> str:
        """A comment by which one that is made otherwise is known."""
        whole = "\n".join((self.create.as_string(), *map(_comment, self.columns)))
        return f"{MARK} [{hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()}]"

    def comments(self, own: str) -> Iterator[sql.Composed]:
        """The statements that say of the view in the schema `own` what it is."""
        name = sql.Identifier(own, self.name)
        yield sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(self.mark))
        for column in self.columns:
            name = sql.Identifier(own, self.name, column.name)
            yield sql.SQL("COMMENT ON COLUMN {} IS {}").format(name, sql.Literal(_comment(column)))


def role_views(dialect: Dialect, schema: str, own: str, roles: Roles, role: Role) -> list[RoleView]:
    """The views of a role in its schema `own`, each after those that it is made of."""
    seen = roles.tables_of(role)
    made = [_table(dialect, schema, own, _TABLES[name], seen[name], roles, role) for name in seen]
    made += [RoleView(view.name, create_view(own, view, columns), columns) for view, columns in _wide(seen)]
    return [*made, _loads(schema, own, tuple(seen), bool(role.rows))] if seen else []


def make_key(dialect: Dialect, schema: str, key: sql.Composable) -> Iterator[sql.Composed]:
    """The statements that make the key, once: `key` is what gives it."""
    table = sql.Identifier(schema, KEY.name)
    [column] = KEY.columns
    yield sql.SQL("CREATE TABLE IF NOT EXISTS {} ({} {} NOT NULL)").format(
        table, sql.Identifier(column.name), dialect.type_of(column)
    )
    yield sql.SQL("INSERT INTO {} (key) SELECT {} WHERE NOT EXISTS (SELECT 1 FROM {})").format(table, key, table)


def _table(
    dialect: Dialect,
    schema: str,
    own: str,
    table: WarehouseTable,
    columns: Collection[str],
    roles: Roles,
    role: Role,
) -> RoleView:
    shown = [_shown(dialect, schema, table.lake.column(name)) for name in columns]
    limits = roles.limits_of(role, table.name)
    conditions = [
        sql.SQL("{} IN ({})").format(sql.Identifier(name), sql.SQL(", ").join(map(sql.Literal, values)))
        for name, values in sorted(limits.items())
    ]
    where = sql.SQL("\nWHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")
    create = sql.SQL("CREATE VIEW {}{} AS\nSELECT\n  {}\nFROM {}{}").format(
        sql.Identifier(own, table.name),
        # Or a function of the role's own would be shown rows before the condition leaves them out.
        dialect.view_barrier if conditions else sql.SQL(""),
        sql.SQL(",\n  ").join([*shown, sql.Identifier(LOADED_AT.name)]),
        sql.Identifier(schema, table.name),
        where,
    )
    return RoleView(table.name, create, (*map(table.lake.column, columns), LOADED_AT))


def _is_id(column: Column) -> bool:
    return column.type == "string" and (column.name == "id" or column.name.endswith("_id"))


def _comment(column: Column) -> str:
    if not column.pii:
        return column.meaning
    return f"{column.meaning} {'A pseudonym.' if _is_id(column) else 'Personal, and not shown.'}"


def _shown(dialect: Dialect, schema: str, column: Column) -> sql.Composable:
    name = sql.Identifier(column.name)
    if not column.pii:
        return name
    if _is_id(column):
        key = sql.SQL("(SELECT key FROM {})").format(sql.Identifier(schema, KEY.name))
        return sql.SQL("{} AS {}").format(dialect.digest(sql.SQL("{} || {}").format(key, name)), name)
    return sql.SQL("CAST(NULL AS {}) AS {}").format(dialect.type_of(column), name)


def _wide(seen: Mapping[str, Collection[str]]) -> Iterator[tuple[View, tuple[Column, ...]]]:
    """The views for BI tools over what is seen, as far as it goes."""
    for view in VIEWS:
        if view.table.name not in seen:
            continue
        joined = tuple(narrow for each in view.joined if (narrow := _narrowed(each, view, seen)) is not None)
        own = set(seen[view.table.name]) | {shown for each in joined for shown in each.shows.values()}
        made = replace(view, joined=joined)
        yield made, tuple(column for column in made.columns if column.name in own)


def _narrowed(joined: Joined, view: View, seen: Mapping[str, Collection[str]]) -> Joined | None:
    """A dimension with what is seen of it; None where nothing is, or it cannot be found."""
    columns = seen.get(joined.table.name, ())
    shows = {name: shown for name, shown in joined.shows.items() if name in columns}
    is_found = joined.dimension.key[0] in columns and joined.by in seen[view.table.name]
    return replace(joined, shows=shows) if shows and is_found else None


def _loads(schema: str, own: str, tables: Collection[str], is_limited: bool) -> RoleView:
    """What is loaded of what is seen; who sees some rows only is told of a date whether it has any, not how many."""
    names = sql.SQL(", ").join(map(sql.Literal, tables))
    columns = [
        sql.SQL("CAST(sign({0}) AS bigint) AS {0}").format(sql.Identifier(column.name))
        if column.name == "rows" and is_limited
        else sql.Identifier(column.name)
        for column in LOADS.columns
    ]
    create = sql.SQL("CREATE VIEW {} AS\nSELECT\n  {}\nFROM {}\nWHERE table_name IN ({})").format(
        sql.Identifier(own, LOADS.name), sql.SQL(",\n  ").join(columns), sql.Identifier(schema, LOADS.name), names
    )
    return RoleView(LOADS.name, create, LOADS.columns)
