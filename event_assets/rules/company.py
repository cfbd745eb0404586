"""Company data: which tables of other systems (CRM, billing, …) come into the lake, how, and whom they are about. One
YAML file a source, owned by the users.

A source's secrets are in the environment: a file names variables, never values. How a source is read is in `company/`,
what is made of its rows in `transforms/company/`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from event_assets.rules.condition import RuleName
from event_assets.rules.duration import Duration, duration
from event_assets.rules.rule_files import Fault, RuleFile, RuleModel, fault_key, nearest, shown

ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")]
"""The name of an environment variable."""
Join = Literal["group_id", "user_id", "email", "email_sha256"]
Combine = Literal["last", "sum", "min", "max"]


class Describes(RuleModel):
    """Whom a row is about: the column that has the group's id (a company), the user id, the e-mail address, or its
    SHA-256 (in hex, of the address in small letters without spaces around it)."""

    group_id: ColumnName | None = None
    user_id: ColumnName | None = None
    email: ColumnName | None = None
    email_sha256: ColumnName | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Describes:
        given = [name for name in get_args(Join) if getattr(self, name) is not None]
        if len(given) != 1:
            raise Fault(f"it has {' and '.join(given) or 'nothing'}; say one of {', '.join(get_args(Join))}")
        return self

    @property
    def join(self) -> Join:
        """By what the row is joined."""
        return next(name for name in get_args(Join) if getattr(self, name) is not None)

    @property
    def column(self) -> str:
        """The column that has it."""
        return str(getattr(self, self.join))


class Attribute(RuleModel):
    """A column as an attribute of whom its rows are about. Of several rows about one, the `last` (by cursor, then key)
    is meant, or the sum, the least or the greatest value of them."""

    column: ColumnName
    combine: Combine = "last"


def _as_attribute(given: Any) -> Any:
    return {"column": given} if isinstance(given, str) else given


AnyAttribute = Annotated[Attribute, BeforeValidator(_as_attribute, json_schema_input_type=ColumnName | Attribute)]


class CompanyTable(RuleModel):
    """What every table has.

    `key` names the columns that tell its rows apart. With a `cursor`, a column that grows when a row is new or changed,
    only rows from the last value on are read, those that have the very same value again; without one, all rows each
    time. Rows that are deleted at the source go with the next reading of all rows, or where the column `deleted` marks
    them (true, or a time). Columns that are new at the source stop a load (`freeze`), or come in (`evolve`).
    """

    name: RuleName
    description: str = ""
    key: Annotated[list[ColumnName], Field(min_length=1)]
    cursor: ColumnName | None = None
    deleted: ColumnName | None = None
    columns: Literal["freeze", "evolve"] = "freeze"
    fresh_within: Duration | None = None
    describes: Describes | None = None
    attributes: dict[RuleName, AnyAttribute] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> CompanyTable:
        if self.attributes and self.describes is None:
            raise Fault("attributes need describes: whom the rows are about", "attributes")
        if self.fresh_within is not None and self.cursor is None:
            raise Fault("it needs a cursor, whose greatest value tells how fresh the rows are", "fresh_within")
        return self

    @property
    def freshness(self) -> dt.timedelta | None:
        """How old the newest row may be."""
        return duration(self.fresh_within) if self.fresh_within else None

    @property
    def deletes(self) -> str:
        """When rows that are gone at the source are gone here, in words."""
        if self.deleted is not None:
            return f"rows that {self.deleted} marks go when they are read"
        if self.cursor is not None:
            return "deleted rows stay until all rows are read again (rebuild)"
        return "all rows are read each time, so deleted rows go with the next load"

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that the attributes are made of."""
        if self.describes is None:
            return ()
        named = [self.describes.column, *self.key, *(each.column for each in self.attributes.values())]
        named += [each for each in (self.cursor, self.deleted) if each is not None]
        return tuple(dict.fromkeys(named))


class SqlTable(CompanyTable):
    """A table or view of a database; `table` is its name there, where it has another; `only` the columns that are
    read (all by default)."""

    table: str = ""
    only: list[ColumnName] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> SqlTable:
        missing = [name for name in (*self.key, self.cursor, self.deleted, *self.wanted) if name and self.only]
        absent = [name for name in missing if name not in self.only]
        if absent:
            raise Fault(f"it leaves {absent[0]} out, which is needed", "only")
        return self


class FilesTable(CompanyTable):
    """Files of one form, `.csv`, `.parquet`, `.json`, `.jsonl` or `.ndjson`: `files` is a name in the source's folder,
    `*` in it stands for any letters but `/`."""

    files: Annotated[str, Field(pattern=r"^[^/].*\.(csv|parquet|json|jsonl|ndjson)$")]


class RestTable(CompanyTable):
    """What a path of an API answers; `records` is the JSONPath of the list of rows in it (found out by default)."""

    path: str
    records: str | None = None
    parameters: dict[str, str | int | float | bool] = Field(default_factory=dict)
    cursor_parameter: str | None = None

    @model_validator(mode="after")
    def _asks(self) -> RestTable:
        if self.cursor_parameter is not None and self.cursor is None:
            raise Fault("it needs a cursor, whose last value is asked with", "cursor_parameter")
        return self


class _Source(RuleModel):
    """What every source has: a name, words for people, and how often it is read."""

    kind: str
    name: RuleName
    description: str = ""
    every: Duration = "1 hour"

    @property
    def interval(self) -> dt.timedelta:
        """How long after a load the next one is due."""
        found = duration(self.every)
        assert found is not None, self.every
        return found


class SqlSource(_Source):
    """A database: `url` names the environment variable that has its SQLAlchemy URL. `database` is meant in the place of
    the URL's."""

    kind: Literal["sql"] = "sql"
    url: Variable
    database: str | None = None
    schema_: Annotated[str | None, Field(alias="schema")] = None
    tables: Annotated[list[SqlTable], Field(min_length=1)]


class FilesSource(_Source):
    """Files in a `folder`: of this machine (a relative one beside the YAML file is meant from the process's), or
    `s3://bucket/prefix`."""

    kind: Literal["files"] = "files"
    folder: str
    tables: Annotated[list[FilesTable], Field(min_length=1)]


class RestSource(_Source):
    """A JSON API: `url` is what its paths are below; `token` names the environment variable of the bearer token, or of
    the key that the header `header` wants. `pages` is how its pages follow each other (found out by default)."""

    kind: Literal["rest"] = "rest"
    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")]
    token: Variable | None = None
    header: str | None = None
    pages: Literal["auto", "single_page", "header_link", "json_link", "page_number", "offset"] = "auto"
    page_size: Annotated[int, Field(ge=1, le=100_000)] = 100
    tables: Annotated[list[RestTable], Field(min_length=1)]


CompanySource = SqlSource | FilesSource | RestSource
KINDS: Mapping[str, type[CompanySource]] = {kind.model_fields["kind"].default: kind for kind in get_args(CompanySource)}


def _has_kind(given: Any) -> Any:
    kind = given.get("kind") if isinstance(given, dict) else getattr(given, "kind", None)
    if kind not in list(KINDS):
        raise Fault(f"it is {shown(kind)}{nearest(kind, KINDS)}; it must be one of {', '.join(KINDS)}", "kind")
    return given


AnySource = Annotated[CompanySource, Field(discriminator="kind"), BeforeValidator(_has_kind)]
COMPANY_FILE: RuleFile[CompanySource] = RuleFile("company", TypeAdapter(AnySource), "the fields kind, name and tables")


@dataclass(frozen=True)
class CompanyData:
    """The sources of a folder in the order of their names, and for each file that cannot be used the reason."""

    usable: tuple[CompanySource, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def load(directory: Path | None) -> CompanyData:
        """Reads a folder; None has nothing. One file's fault does not touch the others. Raises `RuleError` where there
        is no such folder."""
        if directory is None:
            return CompanyData()
        found, faults = COMPANY_FILE.read_folder(directory, "EVENT_ASSETS_COMPANY_DIR names the sources")
        usable: list[CompanySource] = []
        said: dict[str, str] = {}
        for name, (path, source) in sorted(found.items()):
            twice = list(_repeated(source, said))
            if twice:
                faults[fault_key(path, name)] = f"{path}: company {name}: {twice[0]}"
                continue
            said |= {attribute: f"{name}.{table.name}" for table in source.tables for attribute in table.attributes}
            usable.append(source)
        return CompanyData(tuple(usable), faults)

    @property
    def described(self) -> tuple[tuple[CompanySource, CompanyTable], ...]:
        """The tables that say something of companies or persons, each with its source."""
        return tuple((source, table) for source in self.usable for table in source.tables if table.attributes)

    @property
    def digest(self) -> str:
        """Changes when, and only when, what is said of whom changes."""
        rules = [
            (source.name, table.name, table.model_dump(include={"key", "cursor", "deleted", "describes", "attributes"}))
            for source, table in self.described
        ]
        return hashlib.sha256(msgspec.json.encode(rules)).hexdigest()[:12]


def _repeated(source: CompanySource, said: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each table or attribute whose name is taken."""
    names = [table.name for table in source.tables]
    yield from (f"the table {name!r} is there twice" for name in dict.fromkeys(names) if names.count(name) > 1)
    seen = dict(said)
    for table in source.tables:
        for attribute in table.attributes:
            if attribute in seen:
                yield f"the attribute {attribute!r} of {table.name} is given by {seen[attribute]}; call it otherwise"
            seen[attribute] = f"{source.name}.{table.name}"
