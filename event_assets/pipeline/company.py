"""person_attributes and companies: what the tables of company data say, joined to who is seen in events.

Both are made whole when one of these tables, who is who, or a source's file has changed: what is joined is small beside
the events. How a source's tables come into the lake is in `company/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables.company import COMPANIES, PERSON_ATTRIBUTES
from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_TRAITS, USERS
from event_assets.contract.tables.schema import Table
from event_assets.lake.clusters import in_order
from event_assets.lake.foreign import ForeignTable
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.storage import Storage
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.rules.company import Attribute, CompanyData, CompanyTable
from event_assets.transforms.company.attributes import FACTS, companies, person_attributes

COMPANY_CODE = "1"
"""Version of the code that makes these tables; raise it when the rows it gives change."""
COMPANY_FOLDER = "company"
"""Where the tables of company data are in the lake: one folder a source in it, one a table in that."""
_OF_PERSONS = (IDENTITIES, USER_TRAITS, GROUP_MEMBERS)
_OF_COMPANIES = (GROUPS, GROUP_MEMBERS, USERS)
_FACTS = pa.schema([pa.field(each.split()[0], pa.string()) for each in FACTS.split(", ")])
_Transform = Callable[[DataFrame, Mapping[str, DataFrame]], DataFrame]


def company_table(storage: Storage, source: str, table: str) -> ForeignTable:
    """A table of company data in the lake."""
    return ForeignTable(storage, f"{COMPANY_FOLDER}/{source}/{table}")


def company_rules(rules: Rules) -> str:
    """The version of the rules that these tables go by."""
    return rules.company.digest


def person_attributes_step(run: Run) -> StepReport:
    """Brings person_attributes up to date."""

    def transform(facts: DataFrame, rows: Mapping[str, DataFrame]) -> DataFrame:
        return person_attributes(facts, *(rows[each.name] for each in _OF_PERSONS))

    return retry_on_conflict(lambda: _make(run, PERSON_ATTRIBUTES, _OF_PERSONS, transform))


def companies_step(run: Run) -> StepReport:
    """Brings companies up to date."""

    def transform(facts: DataFrame, rows: Mapping[str, DataFrame]) -> DataFrame:
        return companies(facts, *(rows[each.name] for each in _OF_COMPANIES))

    return retry_on_conflict(lambda: _make(run, COMPANIES, _OF_COMPANIES, transform))


COMPANY: tuple[tuple[Table, tuple[Table, ...], Callable[[Run], StepReport]], ...] = (
    (PERSON_ATTRIBUTES, _OF_PERSONS, person_attributes_step),
    (COMPANIES, _OF_COMPANIES, companies_step),
)
"""Each table, what of the lake it is made of, and what brings it up to date."""


def _make(run: Run, table: Table, sources: Sequence[Table], transform: _Transform) -> StepReport:
    base = run.lake.table(table.name).snapshot()
    upstream = {source.name: run.lake.table(source.name).snapshot() for source in sources}
    company = run.rules.company
    told = Told.of(run.lake.storage, company)
    progress = base.progress.with_code(f"{COMPANY_CODE}-{company.digest}", (), ())
    for name, consumed in [
        *((name, snapshot.consumed) for name, snapshot in upstream.items()),
        *((foreign.path, foreign.consumed) for foreign in told.tables.values()),
    ]:
        progress = progress.with_consumed(name, consumed)
    if progress == base.progress and not run.rebuild:
        return report_of(base)
    rows = {name: snapshot.read(run.spark) for name, snapshot in upstream.items()}
    made = transform(told.facts(run.spark), rows)
    staged = in_order(base, base.table.stage(made, 1, _expected(base, upstream)))
    version = base.table.commit(base, progress, add=staged, remove=base.files)
    return report_of(base.table.at(version), staged)


def _expected(base: Snapshot, upstream: Mapping[str, Snapshot]) -> int:
    return base.rows + max(snapshot.rows for snapshot in upstream.values())


@dataclass(frozen=True)
class Told:
    """The tables of company data that say something of somebody, as they are in the lake."""

    company: CompanyData
    tables: Mapping[str, ForeignTable]

    @staticmethod
    def of(storage: Storage, company: CompanyData) -> Told:
        """Those that are there: one that was never loaded says nothing."""
        every = {f"{s.name}.{t.name}": company_table(storage, s.name, t.name) for s, t in company.described}
        return Told(company, {name: table for name, table in every.items() if table.exists()})

    def facts(self, spark: SparkSession) -> DataFrame:
        """What they say: one row a subject and attribute."""
        parts = []
        for source, table in self.company.described:
            name = f"{source.name}.{table.name}"
            if name in self.tables:
                parts.append(facts_of(name, table, self.tables[name].arrow(table.wanted)))
        said = pa.concat_tables(parts) if parts else _FACTS.empty_table()
        return spark.createDataFrame(said, FACTS) if said.num_rows else spark.createDataFrame([], FACTS)


def facts_of(name: str, table: CompanyTable, rows: pa.Table) -> pa.Table:
    """What the rows of a table say: `join`, `subject`, `attribute`, `value` as JSON, `source`. Null says nothing."""
    assert table.describes is not None
    rows = _standing(table, rows)
    rows = rows.append_column("_subject", rows[table.describes.column].cast(pa.string()))
    rows = rows.filter(pc.is_valid(rows["_subject"]))
    order = [(column, "ascending") for column in (table.cursor, *table.key) if column is not None]
    rows = rows.sort_by(order)
    parts = [
        _of_attribute(name, table.describes.join, attribute, how, rows) for attribute, how in table.attributes.items()
    ]
    return pa.concat_tables(parts)


def _standing(table: CompanyTable, rows: pa.Table) -> pa.Table:
    """The rows that the source has not marked as deleted."""
    if table.deleted is None or table.deleted not in rows.column_names:
        return rows
    mark = rows[table.deleted]
    gone = pc.fill_null(mark, False) if pa.types.is_boolean(mark.type) else pc.is_valid(mark)
    return rows.filter(pc.invert(gone))


def _of_attribute(name: str, join: str, attribute: str, how: Attribute, rows: pa.Table) -> pa.Table:
    values = pa.table({"subject": rows["_subject"], "value": rows[how.column]})
    if how.combine == "last":
        option = pc.ScalarAggregateOptions(skip_nulls=False)
        made = values.group_by("subject", use_threads=False).aggregate([("value", "last", option)])
    else:
        made = values.group_by("subject").aggregate([("value", how.combine)])
    said = made[f"value_{how.combine}"].combine_chunks()
    known = pc.is_valid(said)
    said, subjects = said.filter(known), made["subject"].combine_chunks().filter(known)
    count = len(said)
    columns = [pa.repeat(join, count), subjects, pa.repeat(attribute, count), as_json(said), pa.repeat(name, count)]
    return pa.table([each.cast(pa.string()) for each in columns], schema=_FACTS)


def as_json(values: pa.Array) -> pa.Array:
    """Values as JSON: numbers and truths as such, all others as texts."""
    kind = values.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return pc.cast(values, pa.string())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.array([msgspec.json.encode(float(value)).decode() for value in values.to_pylist()], pa.string())
    if pa.types.is_temporal(kind):
        texts = [value.isoformat() for value in values.to_pylist()]
    else:
        texts = pc.cast(values, pa.string()).to_pylist()
    return pa.array([msgspec.json.encode(text).decode() for text in texts], pa.string())


def rows_without_key(made: ForeignTable, table: CompanyTable) -> tuple[int, int]:
    """How many keys more than one row has, and how many rows have none, as the table is in the lake."""
    if not made.exists():
        return 0, 0
    rows = made.arrow(table.key)
    counted = rows.group_by(table.key).aggregate([([], "count_all")])["count_all"]
    missing = reduce(pc.or_, (pc.is_null(rows[column]) for column in table.key))
    return int(pc.sum(pc.greater(counted, 1)).as_py() or 0), int(pc.sum(missing).as_py() or 0)
