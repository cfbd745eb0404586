"""What a load is told, what it reports, and when what stands is what was expected. No SQL here."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from event_assets.contract.tables.warehouse import WarehouseTable
from event_assets.warehouse.dialect import Mode

PartitionDate = dt.date | None
"""The date of a partition; `None` is the whole of a table that has no partitions."""

OF_ANOTHER = -2
"""Stands for the version of a partition that is from another lake table than the one that stands now."""


class Totals(NamedTuple):
    """Rows of a partition, and the sums of the table's `sums` columns; nulls count as 0."""

    rows: int
    sums: Mapping[str, int | float]


def partitions_of(table: WarehouseTable, dates: Sequence[dt.date] | None) -> list[PartitionDate]:
    """The partitions of these dates, each once; dates None: of a table that is one whole. Raises `ValueError` where the
    table is not loaded so."""
    if (dates is None) != (not table.partition_by):
        raise ValueError(f"{table.name} is loaded {'by dates' if table.partition_by else 'as a whole'}")
    return [None] if dates is None else [*sorted(set(dates))]


LoadExpectation = Mapping[PartitionDate, Totals]
"""What each whole partition holds, by the lake. A date that is not in it is expected to be empty."""


class LoadReport(NamedTuple):
    """What one load did. `replaced_nuls` counts text values in which NUL became U+FFFD, `shortened` those that the
    warehouse's columns could not hold."""

    table: str
    mode: Mode
    dates: int
    lake_version: int
    rows: int
    staged: int
    deleted: int
    inserted: int
    replaced_nuls: int
    files: int
    bytes: int
    seconds: float
    shortened: int = 0


class LoadMismatch(RuntimeError):
    """The warehouse would not hold what the lake holds; the load was rolled back."""

    def __init__(self, table: str, faults: Sequence[str]) -> None:
        shown = "; ".join(faults[:5]) + (f"; and {len(faults) - 5} more" if len(faults) > 5 else "")
        super().__init__(f"{table} was not loaded, it would differ from the lake: {shown}")
        self.faults = tuple(faults)


class Standing(NamedTuple):
    """What stands in the warehouse. `magnitudes` are the sums of absolute values of the double columns."""

    totals: Totals
    magnitudes: Mapping[str, float]


def standing_of(table: WarehouseTable, figures: Sequence[Any]) -> Standing:
    """What a row of figures says: the count of rows, then each sum, with that of magnitudes where it is of doubles."""
    values = iter(figures)
    rows = int(next(values))
    sums: dict[str, int | float] = {}
    magnitudes: dict[str, float] = {}
    for column in map(table.lake.column, table.sums):
        if column.type == "double":
            sums[column.name], magnitudes[column.name] = float(next(values)), float(next(values))
        else:
            sums[column.name] = int(next(values))
    return Standing(Totals(rows, sums), magnitudes)


_NOTHING = Totals(0, {})
_RELATIVE = 1e-9
_ABSOLUTE = 1e-6


def differences(
    table: WarehouseTable, expected: LoadExpectation, standing: Mapping[PartitionDate, Standing]
) -> Iterator[str]:
    """A sentence for each figure that differs. Sums of doubles may differ as much as the order of adding makes them."""
    for date, (totals, magnitudes) in standing.items():
        wanted = expected.get(date, _NOTHING)
        where = f"{date}: " if date else ""
        if totals.rows != wanted.rows:
            yield f"{where}{totals.rows} rows instead of {wanted.rows}"
        for name in table.sums:
            want, have = wanted.sums.get(name, 0) or 0, totals.sums[name]
            slack = _ABSOLUTE + _RELATIVE * magnitudes[name] if name in magnitudes else 0
            if not _alike(want, have, slack):
                yield f"{where}sum of {name} is {have} instead of {want}"


def _alike(left: float, right: float, slack: float) -> bool:
    if left == right or (math.isnan(left) and math.isnan(right)):
        return True
    return abs(left - right) <= slack
