"""Dashboards as their users write them: tables, metrics and pages in one YAML file, read into models or told what is
wrong and on which line. What is asked of a database for them is in `dashboards/sql.py`, what is drawn in `dashboards/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, model_validator

from event_assets.contract.tables.schema import Column
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.rules.condition import RuleName as Name
from event_assets.rules.digest import Digest
from event_assets.rules.rule_files import RuleError, RuleFile, RuleModel

Scalar = bool | int | float | str
Filter = Literal["period", "compare", "app_id", "platform", "country", "channel_group", "segment", "robots", "model"]
Format = Literal["number", "decimal", "percent", "money", "duration", "milliseconds", "times"]
_WAREHOUSE: Mapping[str, WarehouseTable] = {table.name: table for table in WAREHOUSE_TABLES}
_NUMBERS = ("int", "long", "double")


class _Model(RuleModel):
    model_config = ConfigDict(strict=False)


class Range(_Model):
    """Numbers from `at_least` on, up to `at_most`."""

    at_least: float | None = None
    at_most: float | None = None


Where = dict[Name, Scalar | list[Scalar] | Range]
"""By column the value, one of several, or bounds; all of them hold."""


class Source(_Model):
    """A table of the warehouse that metrics are over.

    `time` is the column that periods go by, `robots` a column that is true of them, `person` the one by which a
    segment filters. `dimensions` are the columns that can be filtered and broken down by, with their titles.
    """

    table: str
    time: Name
    robots: Name | None = None
    person: Name | None = None
    dimensions: dict[Name, str] = Field(default_factory=dict)

    @property
    def warehouse_table(self) -> WarehouseTable:
        return _WAREHOUSE[self.table]

    @property
    def model(self) -> str | None:
        """The column that says whose credit a row is: of a table that has each amount once an attribution model, one
        model is looked at, or everything would count six times."""
        return "model" if "model" in self.warehouse_table.key else None

    @property
    def is_by_day(self) -> bool:
        """Whether its time is a date, so that a period is whole days."""
        return self.column(self.time).type == "date"

    def column(self, name: str) -> Column:
        """The column of that name, as the contract has it. Raises `KeyError`."""
        if name not in self.warehouse_table.columns:
            raise KeyError(name)
        return self.warehouse_table.lake.column(name)

    @model_validator(mode="after")
    def _known(self) -> Source:
        if self.table not in _WAREHOUSE:
            raise ValueError(f"there is no table {self.table!r}; there are {', '.join(_WAREHOUSE)}")
        for name in filter(None, (self.time, self.robots, self.person, *self.dimensions)):
            if name not in self.warehouse_table.columns:
                raise ValueError(f"{self.table} has no column {name!r}")
        if self.column(self.time).type not in ("date", "timestamp"):
            raise ValueError(f"{self.table}.{self.time} is no time")
        return self


class _Metric(_Model):
    title: str
    description: str
    table: Name
    format: Format = "number"
    where: Where = Field(default_factory=dict)


class Count(_Metric):
    """Rows."""

    kind: Literal["count"]


class CountDistinct(_Metric):
    """Different values of a column. They are never added up."""

    kind: Literal["count_distinct"]
    column: Name


class Sum(_Metric):
    """The sum of a column."""

    kind: Literal["sum"]
    column: Name


class Average(_Metric):
    """The mean of a column, over the rows that have a value."""

    kind: Literal["avg"]
    column: Name


class ShareWhere(_Metric):
    """The share of rows that a condition holds of."""

    kind: Literal["share_where"]
    condition: Where
    format: Format = "percent"


class Ratio(_Metric):
    """One metric divided by another, of the same table."""

    kind: Literal["ratio"]
    numerator: Name
    denominator: Name
    format: Format = "percent"


class Percentile(_Metric):
    """The value that a share of the rows does not exceed, interpolated."""

    kind: Literal["percentile"]
    column: Name
    share: Annotated[float, Field(ge=0, le=1)]


Metric = Annotated[Count | CountDistinct | Sum | Average | ShareWhere | Ratio | Percentile, Field(discriminator="kind")]


VisualKind = Literal[
    "number",
    "line",
    "bars",
    "table",
    "trends",
    "lifecycle",
    "active_users",
    "stickiness",
    "retention",
    "funnel",
    "funnel_trend",
    "time_to_convert",
    "paths",
    "web_vitals",
    "segments",
]


class Visual(_Model):
    """One thing on a page.

    `number`: a metric against the period before. `line`: by day. `bars`, `table`: by a dimension; a table has several
    metrics. The others show what the analyses of their kind found, or one of these; `segments` the memberships.
    """

    kind: VisualKind
    metric: Name | None = None
    metrics: tuple[Name, ...] = ()
    by: Name | None = None
    analysis: Name | None = None
    title: str = ""
    most: Annotated[int, Field(ge=1, le=1000)] = 10

    @property
    def named(self) -> tuple[str, ...]:
        """The metrics that it shows."""
        return (self.metric, *self.metrics) if self.metric else self.metrics

    @model_validator(mode="after")
    def _complete(self) -> Visual:
        if self.kind in ("number", "line", "bars") and (self.metric is None or self.metrics):
            raise ValueError(f"{self.kind} needs metric, one")
        if self.kind == "table" and not self.metrics:
            raise ValueError("table needs metrics, a list")
        if self.kind in ("bars", "table") and self.by is None:
            raise ValueError(f"{self.kind} needs by, a dimension")
        return self


class Page(_Model):
    """One page: its filters and what is on it, row by row."""

    id: Name
    title: str
    description: str = ""
    filters: tuple[Filter, ...] = ()
    rows: tuple[tuple[Visual, ...], ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The metrics that it shows as numbers."""
        return tuple(each.metric for row in self.rows for each in row if each.kind == "number" and each.metric)

    def bars_of(self, metric: str) -> tuple[Visual, ...]:
        """What it shows of the metric as bars."""
        return tuple(each for row in self.rows for each in row if each.kind == "bars" and each.metric == metric)


class Dashboard(_Model):
    """What one file says."""

    name: Name
    title: str
    tables: dict[Name, Source]
    metrics: dict[Name, Metric]
    pages: tuple[Page, ...]
    digests: dict[Name, Digest] = Field(default_factory=dict)

    def source_of(self, metric: str) -> Source:
        """The table that a metric is over."""
        return self.tables[self.metrics[metric].table]

    def page(self, id_: str) -> Page | None:
        """The page of that id."""
        return next((page for page in self.pages if page.id == id_), None)

    @model_validator(mode="after")
    def _joined(self) -> Dashboard:
        faults = [fault for name, metric in self.metrics.items() for fault in self._faults_of(name, metric)]
        faults += [fault for page in self.pages for row in page.rows for each in row for fault in self._of(each)]
        ids = [page.id for page in self.pages]
        faults += [f"page {id_!r} is there twice" for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1})]
        if not faults:
            faults = [fault for name, digest in self.digests.items() for fault in self._of_digest(name, digest)]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _of_digest(self, name: str, digest: Digest) -> Iterator[str]:
        for id_ in digest.pages:
            page = self.page(id_)
            if page is None:
                yield f"digest {name!r}: there is no page {id_!r}; there are {', '.join(p.id for p in self.pages)}"
                continue
            for visual in (each for row in page.rows for each in row):
                source = self.source_of(visual.named[0]) if visual.by and visual.named[0] in self.metrics else None
                if source and visual.by in source.warehouse_table.columns and source.column(visual.by).pii:
                    yield f"digest {name!r}: page {id_!r} goes by {visual.by}, which is personal, and is not sent"

    def _faults_of(self, name: str, metric: Metric) -> Iterator[str]:
        if metric.table not in self.tables:
            yield f"metric {name!r}: there is no table {metric.table!r} among tables"
            return
        source = self.tables[metric.table]
        if isinstance(metric, Ratio):
            for part in (metric.numerator, metric.denominator):
                other = self.metrics.get(part)
                if other is None or other.table != metric.table or isinstance(other, Ratio):
                    yield f"metric {name!r}: {part!r} is no metric of {metric.table} that can be a part of a ratio"
        columns = [*metric.where, *(metric.condition if isinstance(metric, ShareWhere) else ())]
        if isinstance(metric, CountDistinct | Sum | Average | Percentile):
            columns.append(metric.column)
        for column in columns:
            if column not in source.warehouse_table.columns:
                yield f"metric {name!r}: {source.table} has no column {column!r}"
            elif (
                isinstance(metric, Sum | Average | Percentile)
                and column == metric.column
                and source.column(column).type not in _NUMBERS
            ):
                yield f"metric {name!r}: {source.table}.{column} is no number"

    def _of(self, visual: Visual) -> Iterator[str]:
        tables = set()
        for name in visual.named:
            if name not in self.metrics:
                yield f"there is no metric {name!r}; there are {', '.join(self.metrics)}"
            elif self.metrics[name].table in self.tables:
                tables.add(self.metrics[name].table)
        if len(tables) > 1:
            yield f"the metrics {', '.join(visual.named)} are over several tables: {', '.join(sorted(tables))}"
        for table in tables if visual.by else ():
            if visual.by not in self.tables[table].dimensions:
                yield f"{visual.by!r} is no dimension of {table}: {', '.join(self.tables[table].dimensions)}"


DASHBOARD_FILE = RuleFile("dashboard", TypeAdapter(Dashboard), "the fields name, tables, metrics and pages")


def dashboard_of(directory: Path) -> Dashboard:
    """The dashboard of a folder: its one file. Raises `RuleError` where it cannot be used, or there is not one."""
    paths = sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")])
    if len(paths) != 1:
        found = ", ".join(path.name for path in paths) or "none"
        raise RuleError(
            f"{directory}: there must be one dashboard file, and there is {found}; EVENT_ASSETS_DASHBOARDS_DIR names "
            "the folder"
        )
    return DASHBOARD_FILE.read(paths[0])
