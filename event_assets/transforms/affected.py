"""The few whom a change touches, as a list: an engine filters its scan by a list, where a join would read every row.

Who is affected is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

FEW = 2_000
"""More than this are not listed: then making all rows again is about as fast."""


def listed(ids: DataFrame, few: int = FEW) -> list[Any] | None:
    """The values of the only column, sorted; None where they are more than `few`."""
    rows = ids.limit(few + 1).collect()
    return sorted(row[0] for row in rows) if len(rows) <= few else None


def is_one_of(column: str | Column, ids: Sequence[Any]) -> Column:
    """Whether the value is one of these; of nothing, no value is."""
    value = F.col(column) if isinstance(column, str) else column
    return value.isin(list(ids)) if ids else F.lit(False)


def carries(ids: Sequence[str]) -> Column:
    """Whether a session or event carries one of these ids, as anonymous or user id."""
    named = (F.coalesce(is_one_of(name, ids), F.lit(False)) for name in ("anonymous_id", "user_id"))
    return next(named) | next(named)


def carried_ids(rows: DataFrame) -> DataFrame:
    """The anonymous and user ids that sessions or events carry, each once, in the column `id`."""
    ids = rows.select(F.explode(F.array("anonymous_id", "user_id")).alias("id"))
    return ids.where(F.col("id").isNotNull()).distinct()
