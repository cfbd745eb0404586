"""What a step did, as plain numbers: the assets show it, the tests and the status command read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot


@dataclass(frozen=True)
class StepReport:
    """One table brought up to date.

    `rows` and `bytes` are the table's after it; `new_rows` what came; `dates` the dates that were made, each with the
    rows that came; `rebuilt` those made again from all rows; `more` whatever else is worth showing; `bars` what a
    picture shows, and its unit; `groups` what a picture of groups of bars shows: a value by group and by bar in it;
    `lines` what a picture of lines shows: a value by name and by day; `cards` what models are, by name; `warnings` what
    the owner should look at; `id` the Delta table's.
    """

    table: str
    version: int
    rows: int
    bytes: int
    new_rows: int = 0
    dates: Mapping[str, int] = field(default_factory=dict)
    rebuilt: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    bars: Sequence[tuple[str, float]] = ()
    bars_unit: str = ""
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    groups_unit: str = ""
    lines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    lines_unit: str = ""
    cards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    id: str = ""


def report_of(
    table: Snapshot,
    staged: Sequence[LakeFile] = (),
    dates: Iterable[str] = (),
    rebuilt: Iterable[str] = (),
    more: Mapping[str, Any] | None = None,
) -> StepReport:
    """The report of a table as it is now: which files came, of which `dates`, those `rebuilt` from all rows."""
    by_date = dict.fromkeys(dates, 0)
    spec = table.table.spec
    for file in staged if spec.is_by_day else ():
        date = file.partition[spec.partition_by[0]]
        by_date[date] = by_date.get(date, 0) + file.rows
    return StepReport(
        spec.name,
        table.version,
        table.rows,
        table.bytes,
        sum(file.rows for file in staged),
        by_date,
        tuple(rebuilt),
        more or {},
        id=table.id,
    )
