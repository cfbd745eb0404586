"""Where in AWS dashboards are to be, and for whom: account, region, warehouse, groups, names. No call here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import botocore.session

from event_assets.rules.roles import Roles

ImportMode = Literal["SPICE", "DIRECT_QUERY"]


class QuickSightError(RuntimeError):
    """It cannot be done. The message says what is to be changed, or what AWS says, by id."""


@dataclass(frozen=True)
class RowRule:
    """A group sees only the rows that have one of these values in the column."""

    group: str
    column: str
    values: tuple[str, ...]


class Groups(NamedTuple):
    """The groups of QuickSight that a roles' file says: fields of a `Target`."""

    readers: str | None
    authors: str | None
    rows: tuple[RowRule, ...]
    made_limited: tuple[str, ...]

    @staticmethod
    def of(roles: Roles, owner: str) -> Groups:
        """Of the roles that are readers or authors there. Raises `QuickSightError` where it cannot be told who is
        who."""
        told = {name: role for name, role in roles.roles.items() if role.quicksight != "none"}
        authors = [role for role in told.values() if role.quicksight == "author"]
        readers = [role for role in told.values() if role.quicksight == "reader" and not role.rows]
        for kind, found in (("author", authors), ("reader", readers)):
            if len(found) != 1:
                raise QuickSightError(
                    f"The roles' file needs one role with quicksight: {kind} that sees all rows; it has {len(found)}."
                )
        limited = {role.quicksight_group or f"{owner}-{name}": role for name, role in told.items() if role.rows}
        return Groups(
            readers[0].quicksight_group,
            authors[0].quicksight_group,
            tuple(
                RowRule(group, name, values) for group, role in limited.items() for name, values in role.rows.items()
            ),
            tuple(group for group, role in limited.items() if role.quicksight_group is None),
        )


@dataclass(frozen=True)
class Target:
    """Where dashboards go. `owner` is what every id begins with, and the tag of what is ours.

    `readers` and `authors` name groups that exist; where there is none, groups are made, and `made_limited` of those
    that `rows` name. `refresh_at` is the time (`HH:MM`, in `time_zone`) at which SPICE data sets are read again, by a
    schedule of QuickSight's where it `refreshes_itself`. `currency` is that of money.
    """

    account: str
    region: str
    owner: str
    host: str
    port: int
    database: str
    schema: str = "analytics"
    secret_arn: str | None = None
    vpc_connection_arn: str | None = None
    namespace: str = "default"
    import_mode: ImportMode = "SPICE"
    readers: str | None = None
    authors: str | None = None
    rows: tuple[RowRule, ...] = ()
    made_limited: tuple[str, ...] = ()
    refresh_at: str = "03:00"
    refreshes_itself: bool = True
    time_zone: str = "Etc/UTC"
    currency: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{12}", self.account):
            raise QuickSightError(f"{self.account!r} is no AWS account: it has twelve digits.")
        if not re.fullmatch(r"[\w\-]{1,100}", self.owner):
            raise QuickSightError(f"{self.owner!r} cannot begin ids: letters, digits, _ and - can, up to a hundred.")

        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", self.refresh_at):
            raise QuickSightError(f"{self.refresh_at!r} is no time of day: write HH:MM, such as 03:00.")

    @cached_property
    def partition(self) -> str:
        """The part of AWS that the region is of: aws, aws-cn, aws-us-gov."""
        found: str = botocore.session.Session().get_partition_for_region(self.region)
        return found

    def arn(self, kind: str, id_: str) -> str:
        """The name of a resource as AWS writes it."""
        return f"arn:{self.partition}:quicksight:{self.region}:{self.account}:{kind}/{id_}"

    def id(self, *parts: str) -> str:
        """An id of ours."""
        return "-".join((self.owner, *parts))

    @property
    def reader_group(self) -> str:
        """Who reads dashboards, all rows of them."""
        return self.readers or self.id("readers")

    @property
    def author_group(self) -> str:
        """Who makes dashboards of their own from the data sets."""
        return self.authors or self.id("authors")

    @property
    def made_groups(self) -> tuple[str, ...]:
        """The groups that are not there already."""
        given = ((self.readers, self.reader_group), (self.authors, self.author_group))
        return (*(name for told, name in given if told is None), *self.made_limited)

    @property
    def limited(self) -> Mapping[str, tuple[RowRule, ...]]:
        """The rules of each group that sees some rows only."""
        groups = dict.fromkeys(rule.group for rule in self.rows)
        return {group: tuple(rule for rule in self.rows if rule.group == group) for group in groups}

    def group_arn(self, name: str) -> str:
        """A group as a principal."""
        return self.arn("group", f"{self.namespace}/{name}")
