"""What a step did, as plain numbers: the assets show it, the tests and the status command read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StepReport:
    """One table brought up to date.

    `rows` and `bytes` are the table's after it; `new_rows` what came; `dates` the dates that were made, each with the
    rows that came; `rebuilt` those made again from all rows; `more` whatever else is worth showing; `bars` what a
    picture shows, and its unit; `groups` what a picture of groups of bars shows: a value by group and by bar in it;
    `lines` what a picture of lines shows: a value by name and by day; `warnings` what the owner should look at.
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
    warnings: tuple[str, ...] = ()
