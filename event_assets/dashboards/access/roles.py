"""What a visitor may do, and which of it their groups give them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from event_assets.settings.dashboards import RoleName

ANYBODY = "*"
"""The group of every visitor who signed in."""


@dataclass(frozen=True)
class Role:
    """`types_sql`: may ask the warehouse what they like. `sees_people`: may see personal data."""

    name: RoleName
    types_sql: bool = False
    sees_people: bool = False


ROLES: Mapping[RoleName, Role] = {
    role.name: role
    for role in (
        Role("viewer"),
        Role("analyst", types_sql=True),
        Role("data_engineer", types_sql=True, sees_people=True),
    )
}
"""By name, the least first."""


@dataclass(frozen=True)
class Visitor:
    """Who looks. `name` is empty where nobody signs in."""

    name: str
    role: Role


def role_of(groups: Collection[str], roles: Mapping[str, RoleName]) -> Role | None:
    """The strongest role of these groups; None where they have none."""
    given = {roles[group] for group in (*groups, ANYBODY) if group in roles}
    return next((role for role in reversed(list(ROLES.values())) if role.name in given), None)
