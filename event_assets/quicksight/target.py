"""Where in AWS dashboards are to be, and for whom: account, region, warehouse, groups, names. No call here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import botocore.session

ImportMode = Literal["SPICE", "DIRECT_QUERY"]
_RULE = re.compile(r"([^:]+):([a-z_][a-z0-9_]*)=(.+)")


class QuickSightError(RuntimeError):
    """It cannot be done. The message says what is to be changed, or what AWS says, by id."""


@dataclass(frozen=True)
class RowRule:
    """A group sees only the rows that have one of these values in the column."""

    group: str
    column: str
    values: tuple[str, ...]

    @staticmethod
    def of(text: str) -> RowRule:
        """Of `GROUP:COLUMN=VALUE,VALUE`. Raises `QuickSightError`."""
        found = _RULE.fullmatch(text)
        values = tuple(value.strip() for value in found[3].split(",")) if found else ()
        if found is None or not all(values):
            raise QuickSightError(f"{text!r} is no rule of rows: it must read GROUP:COLUMN=VALUE,VALUE.")
        return RowRule(found[1].strip(), found[2], values)


@dataclass(frozen=True)
class Target:
    """Where dashboards go. `owner` is what every id begins with, and the tag of what is ours.

    `readers` and `authors` name groups that exist; where there is none, groups are made. `refresh_at` is the time
    (`HH:MM`, in `time_zone`) at which SPICE data sets are read again. `currency` is that of money.
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
    refresh_at: str = "03:00"
    time_zone: str = "Etc/UTC"
    currency: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{12}", self.account):
            raise QuickSightError(f"{self.account!r} is no AWS account: it has twelve digits.")
        if not re.fullmatch(r"[\w\-]{1,100}", self.owner):
            raise QuickSightError(f"{self.owner!r} cannot begin ids: letters, digits, _ and - can, up to a hundred.")

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
        return tuple(name for told, name in given if told is None)

    @property
    def limited(self) -> Mapping[str, tuple[RowRule, ...]]:
        """The rules of each group that sees some rows only."""
        groups = dict.fromkeys(rule.group for rule in self.rows)
        return {group: tuple(rule for rule in self.rows if rule.group == group) for group in groups}

    def group_arn(self, name: str) -> str:
        """A group as a principal."""
        return self.arn("group", f"{self.namespace}/{name}")
