"""Roles as their users write them: who may see which tables, columns and rows of the warehouse, who of those that sign
in to the dashboards has which, and which groups of QuickSight there are. What SQL is made of it is in `warehouse/`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, model_validator

from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.rules.condition import RuleName as Name
from event_assets.rules.rule_files import Fault, RuleFile, RuleModel, nearest

ANYBODY = "*"
"""The group of every visitor who signed in."""
RowColumn = Literal["app_id", "country"]
Text = Annotated[str, Field(min_length=1, max_length=128)]
_TABLES: Mapping[str, WarehouseTable] = {table.name: table for table in WAREHOUSE_TABLES}


class _Model(RuleModel):
    model_config = ConfigDict(strict=False)


class Role(_Model):
    """What one role may.

    `warehouse`: `shared` reads what the file shares, personal columns hidden; `everything` reads all tables as they
    are; `load` writes them too; `administer` makes tables, and puts people into roles. `tables` are those of the shared
    ones that it sees (none named: all), `rows` the values by which its rows are limited: a table without such a column
    it does not see. `dashboards`: `pages`, `sql` (types SQL too) or `people` (finds single people too); `groups` are
    those of a sign-in that have the role. `quicksight` says whether its group there reads or makes dashboards;
    `quicksight_group` names one that exists.
    """

    description: str = ""
    warehouse: Literal["none", "shared", "everything", "load", "administer"] = "none"
    tables: tuple[str, ...] = ()
    rows: dict[RowColumn, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(default_factory=dict)
    dashboards: Literal["none", "pages", "sql", "people"] = "none"
    groups: tuple[Text, ...] = ()
    quicksight: Literal["none", "reader", "author"] = "none"
    quicksight_group: Text | None = None

    @property
    def types_sql(self) -> bool:
        """Whether it may ask the warehouse what it likes."""
        return self.dashboards in ("sql", "people")

    @property
    def sees_people(self) -> bool:
        """Whether it may look for single people."""
        return self.dashboards == "people"

    @model_validator(mode="after")
    def _possible(self) -> Role:
        for name in ("tables", "rows"):
            if getattr(self, name) and self.warehouse != "shared":
                raise Fault(f"a role is limited by it only with warehouse: shared, and this has {self.warehouse}", name)
        if self.dashboards != "none" and self.warehouse not in ("shared", "everything"):
            raise Fault("the dashboards read the warehouse: say warehouse: shared, or everything", "dashboards")
        if self.sees_people and self.warehouse != "everything":
            raise Fault("who finds people sees personal columns: it needs warehouse: everything", "dashboards")
        if self.groups and self.dashboards == "none":
            raise Fault("groups are those of a sign-in to the dashboards, which the role does not see", "groups")
        if self.quicksight == "none" and self.quicksight_group is not None:
            raise Fault("it has no group there: say quicksight: reader, or author", "quicksight_group")
        if self.quicksight == "author" and self.rows:
            raise Fault("authors see all rows there: a role that is limited is a reader", "quicksight")
        return self


class Roles(_Model):
    """What the file says: what is `shared`, table by table its columns; which of these tables are seen `whole` though
    rows are limited; the roles, the weakest first."""

    shared: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)
    whole: tuple[str, ...] = ()
    roles: Annotated[dict[Name, Role], Field(min_length=1)]

    @property
    def name(self) -> str:
        """What the one file of its kind goes by."""
        return "roles"

    @property
    def of_dashboards(self) -> dict[str, Role]:
        """The roles of the dashboards' visitors, the weakest first."""
        return {name: role for name, role in self.roles.items() if role.dashboards != "none"}

    @property
    def groups(self) -> frozenset[str]:
        """The groups of a sign-in that have a role."""
        return frozenset(group for role in self.roles.values() for group in role.groups)

    def role_of(self, groups: Collection[str]) -> str | None:
        """The strongest role of these groups of a visitor who signed in; None where they have none."""
        given = {*groups, ANYBODY}
        return next((name for name, role in reversed(self.of_dashboards.items()) if given & set(role.groups)), None)

    def tables_of(self, role: Role) -> dict[str, tuple[str, ...]]:
        """By table that the role sees of the shared ones its columns, both in the contract's order."""
        seen = {name: set(self.shared[name]) for name in role.tables or self.shared if self._has_rows(role, name)}
        return {
            table.name: tuple(column for column in table.columns if column in seen[table.name])
            for table in WAREHOUSE_TABLES
            if table.name in seen
        }

    def limits_of(self, role: Role, table: str) -> Mapping[RowColumn, tuple[str, ...]]:
        """By column the values that rows of this table must have for the role."""
        return {} if table in self.whole else role.rows

    def private_columns(self) -> Iterator[str]:
        """The columns that are shared with nobody, as `table.column`; of a table of which nothing is, `table.*`."""
        for table in WAREHOUSE_TABLES:
            if table.name not in self.shared:
                yield f"{table.name}.*"
            else:
                yield from (f"{table.name}.{name}" for name in table.columns if name not in self.shared[table.name])

    def _has_rows(self, role: Role, table: str) -> bool:
        return set(self.limits_of(role, table)) <= set(_TABLES[table].columns)

    @model_validator(mode="after")
    def _known(self) -> Roles:
        for name, columns in self.shared.items():
            if name not in _TABLES:
                raise Fault(f"the warehouse has no such table{nearest(name, _TABLES)}", "shared", name)
            for column in columns:
                if column not in _TABLES[name].columns:
                    near = nearest(column, _TABLES[name].columns)
                    raise Fault(f"there is no column {column!r}{near}", "shared", name)
        for name in self.whole:
            if name not in self.shared:
                raise Fault(f"{name!r} is not shared{nearest(name, self.shared)}", "whole")
        for name, role in self.roles.items():
            for table in role.tables:
                if table not in self.shared:
                    raise Fault(f"{table!r} is not shared{nearest(table, self.shared)}", "roles", name, "tables")
        return self


ROLES_FILE = RuleFile("roles", TypeAdapter(Roles), "the fields shared and roles")


def roles_of(path: Path) -> Roles:
    """The roles of a file. Raises `RuleError`, with a line for each fault."""
    return ROLES_FILE.read(path)
