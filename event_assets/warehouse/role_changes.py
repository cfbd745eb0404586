"""Roles in PostgreSQL: what stands is compared with what the file says, and the difference is made in one transaction.

What a role sees is in `role_views.py`, what it is granted in `role_grants.py`.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Generator, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from psycopg import sql

from event_assets.rules.roles import Role, Roles
from event_assets.warehouse import ddl
from event_assets.warehouse.dialect import Dialect, Session
from event_assets.warehouse.role_grants import Grant, RolesError, granting, grants_of, revoking, role_name
from event_assets.warehouse.role_views import KEY, MARK, RoleView, make_key, role_views
from event_assets.warehouse.warehouse import Warehouse

_ROLES = sql.SQL(
    """SELECT rolname, shobj_description(oid, 'pg_authid'),
  rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
FROM pg_catalog.pg_roles WHERE starts_with(rolname, %s)"""
)
_VIEWS = sql.SQL(
    """SELECT n.nspname, c.relname, obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'v' ORDER BY c.oid"""
)
_RELATIONS = sql.SQL(
    """SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s)"""
)
_SCHEMAS = sql.SQL("SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY(%(schemas)s)")
_GRANTS = sql.SQL(
    """WITH granted AS (
  SELECT n.nspname, '' AS relation, (aclexplode(n.nspacl)).* FROM pg_catalog.pg_namespace n
  UNION ALL
  SELECT n.nspname, c.relname, (aclexplode(c.relacl)).*
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind NOT IN ('S', 'i')
)
SELECT coalesce(r.rolname, ''), nspname, relation, privilege_type, is_grantable
FROM granted LEFT JOIN pg_catalog.pg_roles r ON r.oid = grantee
WHERE nspname = ANY(%(schemas)s) AND (grantee = 0 OR r.rolname = ANY(%(roles)s))"""
)
_COLUMN_GRANTS = sql.SQL(
    """SELECT coalesce(r.rolname, ''), n.nspname, c.relname, a.attname, (acl).privilege_type
FROM (SELECT attrelid, attname, aclexplode(attacl) AS acl FROM pg_catalog.pg_attribute WHERE attacl IS NOT NULL) a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_roles r ON r.oid = (acl).grantee
WHERE n.nspname = ANY(%(schemas)s) AND ((acl).grantee = 0 OR r.rolname = ANY(%(roles)s))"""
)
_DEFAULTS = sql.SQL(
    """SELECT DISTINCT o.rolname, n.nspname, coalesce(r.rolname, '')
FROM (SELECT defaclrole, defaclnamespace, aclexplode(defaclacl) AS acl FROM pg_catalog.pg_default_acl
  WHERE defaclobjtype = 'r') d
JOIN pg_catalog.pg_roles o ON o.oid = defaclrole JOIN pg_catalog.pg_namespace n ON n.oid = defaclnamespace
LEFT JOIN pg_catalog.pg_roles r ON r.oid = (acl).grantee
WHERE n.nspname = ANY(%(schemas)s) AND ((acl).grantee = 0 OR r.rolname = ANY(%(roles)s)) ORDER BY 1, 2, 3"""
)
_MEMBERSHIPS = sql.SQL(
    """SELECT m.rolname, r.rolname, a.admin_option FROM pg_catalog.pg_auth_members a
JOIN pg_catalog.pg_roles m ON m.oid = a.member JOIN pg_catalog.pg_roles r ON r.oid = a.roleid
WHERE m.rolname = ANY(%s)"""
)
_DEPENDS = sql.SQL(
    """SELECT coalesce(bool_or(d.datname = current_database()), false),
  coalesce(bool_or(d.datname <> current_database()), false)
FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass
  AND s.refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = %s)"""
)
_PLAIN = sql.SQL("NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")


def plan(warehouse: Warehouse, roles: Roles) -> list[str]:
    """The statements that make the database's roles what the file says; none where they are.

    The warehouse's tables are there (`Warehouse.ensure`). Raises `RolesError` where a name is taken by another role.
    """
    _require_postgres(warehouse)
    with warehouse.connect() as session:
        return [statement.as_string(session) for statement in _changes(session, warehouse, roles)]


def apply(warehouse: Warehouse, roles: Roles) -> list[str]:
    """Makes it so, in one transaction, and gives the statements. Doing it again changes nothing.

    Raises `RolesError` as `plan`, and `psycopg.Error` where the owner may not make roles, or something that is not of
    ours is made of a view that goes.
    """
    _require_postgres(warehouse)
    with warehouse.connect() as session, session.transaction():
        for lock in warehouse.dialect.lock_schema(warehouse.schema):
            session.execute(lock)
        statements = _changes(session, warehouse, roles)
        for statement in statements:
            session.execute(statement)
        return [statement.as_string(session) for statement in statements]


def login_of(warehouse: Warehouse, url: str, name: str) -> str:
    """The address by which the dashboards read as a role, which the owner's makes able to sign in.

    Its password follows from the owner's, so that whoever serves pages over the same warehouse has the same. Raises
    `RolesError` where the owner signs in without one: of nothing would follow what anybody knows.
    """
    role, parts = role_name(warehouse.schema, name), urlsplit(url)
    with warehouse.connect() as session, session.transaction():
        if not session.info.password:
            raise RolesError("the warehouse's owner signs in without a password: name the addresses of its roles")
        password = hmac.new(session.info.password.encode(), role.encode(), "sha256").hexdigest()
        for lock in warehouse.dialect.lock_schema(warehouse.schema):  # two that alter one role at once are an error
            session.execute(lock)
        session.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
    return parts._replace(netloc=f"{role}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


def from_nothing(dialect: Dialect, schema: str, roles: Roles, key: str) -> Iterator[sql.Composed]:
    """The statements that make all roles where there is none yet, with `key` as that of the pseudonyms: what an
    administrator runs where roles are not made from here."""
    yield from make_key(dialect, schema, sql.Literal(key))
    wanted = _wanted(schema, roles)
    for role, (name, told) in wanted.items():
        views = _views_of(dialect, schema, role, roles, told)
        yield sql.SQL("CREATE ROLE {}").format(sql.Identifier(role))
        if told.warehouse == "shared":
            yield ddl.create_schema(role)
        yield from (view.create for view in views)
        yield from granting(dialect, grants_of(schema, name, told, views), role)
    yield from (_membership(dialect, other, role) for role, other in sorted(_memberships(wanted)))


class _Changes:
    """The difference between what the file says and what stands."""

    def __init__(self, session: Session, dialect: Dialect, schema: str, roles: Roles) -> None:
        self._session, self._dialect, self._schema = session, dialect, schema
        self._wanted = _wanted(schema, roles)
        self._views = {role: _views_of(dialect, schema, role, roles, told) for role, (_, told) in self._wanted.items()}
        self._mark = f"Made by event-assets of roles for the schema {schema}"
        rows = session.execute(_ROLES, (f"{schema}_",)).fetchall()
        self._standing = {role: is_mighty for role, comment, is_mighty in rows if comment == self._mark}
        taken = sorted({role for role, comment, _ in rows if comment != self._mark} & self._wanted.keys())
        if taken:
            raise RolesError(f"There is a role {taken[0]} that event-assets did not make: name yours otherwise.")
        self._gone = [role for role in self._standing if role not in self._wanted]
        self._known = [*self._wanted, *self._gone]
        """Roles, and the schemas that are called so."""

    def statements(self) -> Iterator[sql.Composed]:
        """In the order in which they can be run."""
        yield from self._roles()
        if (self._schema, KEY.name) not in self._relations():
            random = sql.SQL("replace(CAST(gen_random_uuid() AS text) || CAST(gen_random_uuid() AS text), '-', '')")
            yield from make_key(self._dialect, self._schema, random)
        remade = yield from self._remade()
        yield from self._grants(remade)
        yield from self._members()
        for role in self._gone:
            yield from self._removed(role)

    def _rows(self, query: sql.SQL) -> list[tuple[Any, ...]]:
        """What a query finds of our schemas and roles."""
        bound = {"schemas": [self._schema, *self._known], "roles": self._known}
        return self._session.execute(query, bound).fetchall()

    def _relations(self) -> set[tuple[str, str]]:
        return {(schema, name) for schema, name in self._rows(_RELATIONS)}

    def _roles(self) -> Iterator[sql.Composed]:
        for role in self._wanted:
            if role not in self._standing:
                yield sql.SQL("CREATE ROLE {}").format(sql.Identifier(role))
                yield sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(role), sql.Literal(self._mark))
            elif self._standing[role]:
                yield sql.SQL("ALTER ROLE {} ").format(sql.Identifier(role)) + _PLAIN

    def _remade(self) -> Generator[sql.Composed, None, set[str]]:
        """Schemas and views. Gives the schemas whose views are made anew, and have nothing granted on them."""
        schemas = {name for (name,) in self._rows(_SCHEMAS)}
        standing: dict[str, dict[str, str | None]] = {}
        for schema, view, comment in self._rows(_VIEWS):
            standing.setdefault(schema, {})[view] = comment
        remade = set()
        for role in self._known:
            wanted = {view.name: view.mark for view in self._views.get(role, ())}
            ours = {name: mark for name, mark in standing.get(role, {}).items() if (mark or "").startswith(MARK)}
            if wanted == ours:
                continue
            remade.add(role)
            if wanted and role not in schemas:
                yield ddl.create_schema(role)
            yield from (sql.SQL("DROP VIEW {}").format(sql.Identifier(role, name)) for name in reversed(ours))
            for view in self._views.get(role, ()):
                yield view.create
                yield from view.comments(role)
            if not wanted:
                yield sql.SQL("DROP SCHEMA {}").format(sql.Identifier(role))
        return remade

    def _grants(self, remade: Collection[str]) -> Iterator[sql.Composed]:
        for owner, schema, role in self._rows(_DEFAULTS):
            yield sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} REVOKE ALL ON TABLES FROM {}").format(
                sql.Identifier(owner), sql.Identifier(schema), _grantee(role)
            )
        for role, schema, relation, column, privilege in self._rows(_COLUMN_GRANTS):
            yield sql.SQL("REVOKE {} ({}) ON {} FROM {}").format(
                sql.SQL(privilege), sql.Identifier(column), sql.Identifier(schema, relation), _grantee(role)
            )
        granted: dict[str, set[Grant]] = {}
        for role, schema, relation, privilege, is_grantable in self._rows(_GRANTS):
            if schema in remade and (schema not in self._views or not self._views[schema] or relation):
                continue  # it goes with its view, or its schema
            if is_grantable:  # taken away here, and granted again where it is wanted
                yield from revoking(self._dialect, [Grant(schema, relation, privilege)], role)
            else:
                granted.setdefault(role, set()).add(Grant(schema, relation, privilege))
        for role in ("", *self._wanted):
            name, told = self._wanted.get(role, ("", None))
            wanted = grants_of(self._schema, name, told, self._views[role]) if told else set()
            has = granted.get(role, set())
            yield from revoking(self._dialect, has - wanted, role)
            yield from granting(self._dialect, wanted - has, role)

    def _members(self) -> Iterator[sql.Composed]:
        wanted = _memberships(self._wanted)
        rows = self._session.execute(_MEMBERSHIPS, (list(self._wanted),)).fetchall()
        has = {(role, other) for role, other, is_admin in rows if is_admin}
        for role, other in sorted({(role, other) for role, other, _ in rows} - wanted):
            yield sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(other), sql.Identifier(role))
        yield from (_membership(self._dialect, other, role) for role, other in sorted(wanted - has))

    def _removed(self, role: str) -> Iterator[sql.Composed]:
        """A role that the file says no more. Where another database of the server knows it, it stays there."""
        [(here, elsewhere)] = self._session.execute(_DEPENDS, (role,)).fetchall()
        name = sql.Identifier(role)
        if here:
            yield sql.SQL("GRANT {} TO CURRENT_USER").format(name)
            yield sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(name)
            yield sql.SQL("DROP OWNED BY {}").format(name)
        if not elsewhere:
            yield sql.SQL("DROP ROLE {}").format(name)


def _changes(session: Session, warehouse: Warehouse, roles: Roles) -> list[sql.Composed]:
    return list(_Changes(session, warehouse.dialect, warehouse.schema, roles).statements())


def _require_postgres(warehouse: Warehouse) -> None:
    if warehouse.dialect.name != "postgres":
        raise RolesError(
            "Roles are made from here in PostgreSQL alone. In Redshift an administrator runs what "
            "`event-assets warehouse roles sql` prints."
        )


def _wanted(schema: str, roles: Roles) -> dict[str, tuple[str, Role]]:
    """The roles that the database is to have, by their names there, with those of the file."""
    return {role_name(schema, name): (name, role) for name, role in roles.roles.items() if role.warehouse != "none"}


def _views_of(dialect: Dialect, schema: str, own: str, roles: Roles, role: Role) -> list[RoleView]:
    return role_views(dialect, schema, own, roles, role) if role.warehouse == "shared" else []


def _memberships(wanted: Mapping[str, tuple[str, Role]]) -> set[tuple[str, str]]:
    """Who administers is in all other roles, and may put others there."""
    admins = {role for role, (_, told) in wanted.items() if told.warehouse == "administer"}
    return {(role, other) for role in admins for other in wanted if other not in admins}


def _membership(dialect: Dialect, role: str, member: str) -> sql.Composed:
    return sql.SQL("GRANT {0}{1} TO {0}{2}{3}").format(
        dialect.role_word, sql.Identifier(role), sql.Identifier(member), dialect.role_admin
    )


def _grantee(role: str) -> sql.Composable:
    return sql.Identifier(role) if role else sql.SQL("PUBLIC")
