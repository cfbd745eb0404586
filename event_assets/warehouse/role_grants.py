"""What a role is granted, and the statements that grant and revoke it. What stands is read in `role_changes.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from psycopg import sql

from event_assets.contract.tables.views import VIEWS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.rules.roles import Role
from event_assets.warehouse.dialect import Dialect
from event_assets.warehouse.migrations import MIGRATED
from event_assets.warehouse.relation import LOADS
from event_assets.warehouse.role_views import RoleView

_WRITES = ("SELECT", "INSERT", "UPDATE", "DELETE")
_TABLES = (LOADS.name, MIGRATED.name, *(table.name for table in WAREHOUSE_TABLES))
_LONGEST = 63


class RolesError(RuntimeError):
    """Roles cannot be made as they are said. The message says why, and what to do."""


class Grant(NamedTuple):
    """A privilege on a relation of a schema, or on the schema itself (no relation)."""

    schema: str
    relation: str
    privilege: str


def role_name(schema: str, name: str) -> str:
    """What a role of the file is called in the database, and the schema of its views: so its search path finds them.

    Raises `RolesError` where the database would cut it short.
    """
    made = f"{schema}_{name}"
    if len(made.encode()) > _LONGEST:
        raise RolesError(f"{made!r} is longer than {_LONGEST} bytes: a database has no such name for a role")
    return made


def schema_of(schema: str, name: str, role: Role) -> str:
    """The schema that a role reads."""
    return role_name(schema, name) if role.warehouse == "shared" else schema


def grants_of(schema: str, name: str, role: Role, views: Collection[RoleView]) -> set[Grant]:
    """All that a role of this name is to have; `views` are its own, where it has some."""
    own = schema_of(schema, name, role)
    granted = {Grant(own, "", "USAGE")}
    if role.warehouse == "shared":
        return granted | {Grant(own, view.name, "SELECT") for view in views}
    granted |= {Grant(schema, view.name, "SELECT") for view in VIEWS}
    if role.warehouse == "everything":
        return granted | {Grant(schema, table, "SELECT") for table in _TABLES}
    granted |= {Grant(schema, table, privilege) for table in _TABLES for privilege in _WRITES}
    return granted | {Grant(schema, "", "CREATE")} if role.warehouse == "administer" else granted


def granting(dialect: Dialect, grants: Collection[Grant], name: str) -> Iterator[sql.Composed]:
    """GRANT to a role, a statement an object."""
    yield from _each(grants, sql.SQL("GRANT {} ON {} TO {}"), dialect.role_word + sql.Identifier(name))


def revoking(dialect: Dialect, grants: Collection[Grant], name: str) -> Iterator[sql.Composed]:
    """REVOKE from a role, a statement an object; from everybody, where the name is empty."""
    who = dialect.role_word + sql.Identifier(name) if name else sql.SQL("PUBLIC")
    yield from _each(grants, sql.SQL("REVOKE {} ON {} FROM {}"), who)


def _each(grants: Collection[Grant], text: sql.SQL, who: sql.Composable) -> Iterator[sql.Composed]:
    for schema, relation in sorted({(each.schema, each.relation) for each in grants}):
        privileges = sorted(each.privilege for each in grants if (each.schema, each.relation) == (schema, relation))
        what = sql.Identifier(schema, relation) if relation else sql.SQL("SCHEMA ") + sql.Identifier(schema)
        yield text.format(sql.SQL(", ".join(privileges)), what, who)
