"""One Parquet file of a table: where it is, and what its footer says of the rows in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from event_assets.contract.tables import Table


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


def bounds_of(footer: pq.FileMetaData, spec: Table) -> tuple[dict[str, Any], dict[str, Any]]:
    """The least and greatest value of each date and key column, from the row groups' statistics."""
    wanted = {c.name for c in spec.columns if c.type == "date" or c.name in spec.key}
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
            if statistics is None or not statistics.has_min_max or _too_long(statistics.max):
                unknown.add(name)
                continue
            low[name] = min(low.get(name, statistics.min), statistics.min)
            high[name] = max(high.get(name, statistics.max), statistics.max)
    known = low.keys() - unknown
    return {name: low[name] for name in known}, {name: high[name] for name in known}


def _too_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 64


def single_value(low: Any, high: Any) -> str | None:
    """The one value between two bounds; None where there may be several."""
    return str(low) if low is not None and low == high else None


def statistics_of(file: LakeFile) -> str:
    """What a Delta log says of the file, as JSON."""
    return json.dumps(
        {"numRecords": file.rows, "minValues": file.low, "maxValues": file.high, "nullCount": {}}, default=str
    )
