"""One Parquet file of a table: where it is, and what its footer says of the rows in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.transaction import AddAction, RemoveAction

from event_assets.contract.tables.schema import Table

_LONGEST_BOUND = 64
LAST = chr(0x10FFFF)
"""The last of all characters, behind what begins otherwise."""


class WrongSchema(RuntimeError):
    """A Parquet file is not of its table's types. It was not committed."""


class LakeFile(NamedTuple):
    """One Parquet file of a table. `url` is an absolute path or `s3://…`; `low` and `high` bound its columns."""

    url: str
    size: int
    rows: int
    partition: dict[str, str]
    path: str = ""
    low: Mapping[str, Any] = MappingProxyType({})
    high: Mapping[str, Any] = MappingProxyType({})

    def may_hold(self, column: str, first: Any, last: Any) -> bool:
        """Whether the file may hold a row with `first <= column <= last`. Dates are compared as text."""
        if column in self.partition:
            return bool(str(first) <= self.partition[column] <= str(last))
        if column not in self.low or column not in self.high:
            return True
        return bool(str(self.low[column]) <= str(last) and str(first) <= str(self.high[column]))


def require_schema(footer: pq.FileMetaData, spec: Table, name: str) -> None:
    """Returns where the file holds the table's columns in the table's types, and raises `WrongSchema` else."""
    wrong = differences(footer, spec)
    if wrong:
        raise WrongSchema(f"{spec.name}: {name} cannot be committed: {'; '.join(wrong)}.")


def differences(footer: pq.FileMetaData, spec: Table) -> list[str]:
    """How a file differs from its table, a sentence each: columns, their types with unit and zone of times, and nulls
    where the table has none.

    A column may be nullable in the file where no row makes use of it, and texts may be of any offset width: engines
    write both, and no reader sees it.
    """
    wanted, found = spec.arrow_schema(), footer.schema.to_arrow_schema()
    names, there = wanted.names, found.names  # made anew each time that they are asked for
    known, given = {*names}, {*there}
    wrong = [f"column {name} is not the table's" for name in there if name not in known]
    wrong += [f"column {name} is missing" for name in names if name not in given]
    for field in _of_other_types(found, wanted):
        wrong.append(f"column {field.name} is {field.type} instead of {wanted.field(field.name).type}")
    required = {field.name for field in wanted if not field.nullable}
    for name, rows in _nulls(footer).items():
        if rows and name in required:
            wrong.append(f"column {name} has {rows} rows without a value, and must have one")
    return wrong


def wrong_types(footer: pq.FileMetaData, spec: Table) -> list[pa.Field]:
    """The file's fields that are of another type than the table's columns."""
    return _of_other_types(footer.schema.to_arrow_schema(), spec.arrow_schema())


def _of_other_types(found: pa.Schema, wanted: pa.Schema) -> list[pa.Field]:
    types = {field.name: field.type for field in wanted}
    return [field for field in found if field.name in types and _plain(field.type) != types[field.name]]


def _plain(type_: pa.DataType) -> pa.DataType:
    """The type without what is only its layout in memory."""
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_large_binary(type_) or pa.types.is_binary_view(type_):
        return pa.binary()
    return type_


def _nulls(footer: pq.FileMetaData) -> dict[str, int]:
    """Rows without a value by column, as far as the footer counts them."""
    nulls: dict[str, int] = {}
    for group in range(footer.num_row_groups):
        for index in range(footer.num_columns):
            column = footer.row_group(group).column(index)
            statistics = column.statistics
            if statistics is not None and statistics.has_null_count:
                nulls[column.path_in_schema] = nulls.get(column.path_in_schema, 0) + statistics.null_count
    return nulls


def bounded_columns(spec: Table) -> set[str]:
    """The columns whose least and greatest values the lake's log keeps."""
    found_by = (*spec.key, spec.clustered_by)
    return {c.name for c in spec.columns if c.type == "date" or c.name in found_by or c.bounded}


def bounds_of(footer: pq.FileMetaData, spec: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    """The least and greatest value of each date, key and `bounded` column, and of that which the table is clustered by,
    from the row groups' statistics."""
    wanted = bounded_columns(spec)
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    unknown: set[str] = set()
    for group in range(footer.num_row_groups):
        for index in range(footer.num_columns):
            column = footer.row_group(group).column(index)
            name = column.path_in_schema
            if name not in wanted:
                continue
            statistics = column.statistics
            if statistics is None or not statistics.has_min_max:
                unknown.add(name)
                continue
            least, greatest = _shortened(statistics.min), _shortened(statistics.max, LAST)
            low[name] = min(low.get(name, least), least)
            high[name] = max(high.get(name, greatest), greatest)
    known = low.keys() - unknown
    return {name: low[name] for name in known}, {name: high[name] for name in known}


def _shortened(bound: Any, end: str = "") -> Any:
    """The bound, or the beginning of a long text: alone it comes before the text, and with the last character after."""
    if isinstance(bound, str) and len(bound) > _LONGEST_BOUND and bound[_LONGEST_BOUND] != LAST:
        return bound[:_LONGEST_BOUND] + end
    return bound


def single_value(low: Any, high: Any) -> str | None:
    """The one value between two bounds; None where there may be several."""
    return str(low) if low is not None and low == high else None


def actions_of(
    add: Iterable[LakeFile], remove: Iterable[LakeFile], now: int, changes: bool
) -> list[AddAction | RemoveAction]:
    """What a commit at `now`, in milliseconds, says of files that come and go; whether it `changes` rows."""
    actions: list[AddAction | RemoveAction] = [
        RemoveAction(quote(f.path, safe="/=-_."), changes, now, f.size, {**f.partition}) for f in remove
    ]
    return actions + [AddAction(f.path, f.size, f.partition, now, changes, statistics_of(f)) for f in add]


def statistics_of(file: LakeFile) -> str:
    """What a Delta log says of the file, as JSON."""
    told = {"numRecords": file.rows, "minValues": file.low, "maxValues": file.high, "nullCount": {}}
    # Not escaped: of a pair of surrogates the library that reads the log makes another character (U+20000 is U+10000).
    return json.dumps(told, default=str, ensure_ascii=False)
