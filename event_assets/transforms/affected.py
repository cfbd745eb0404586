"""Those whom a change touches, by their ids, and which rows are theirs.

An engine filters its scan by a list of few ids; many are joined with the rows, so that no number of them makes all rows
be made again. Who is affected is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

FEW = 200
"""More ids than this are joined, instead of listed in a filter: an engine takes longer for a long list."""
MOST = 1_000_000
"""More than this are not held in memory: then making all rows again is about as fast."""
CARRIERS = ("anonymous_id", "user_id")
"""The columns by which sessions and events tell whose they are."""

TIMES = "_times"
"""The column of rows that came or went that says how often they came; less than nothing where they went."""


def listed(ids: DataFrame, most: int = MOST) -> list[Any] | None:
    """The values of the only column, sorted, without null, which is nobody; None where they are more than `most`."""
    values = ids.limit(most + 1).toArrow().column(0).drop_null().to_pylist()
    return sorted(values) if len(values) <= most else None


def frame_of(spark: SparkSession, ids: Sequence[str]) -> DataFrame:
    """Texts as rows of the column `id`."""
    return spark.createDataFrame(pa.table({"id": pa.array(ids, pa.string())}))


def none_of(rows: DataFrame) -> DataFrame:
    """No row, in the columns of these: not as a filter, which Sail folds away together with what it knows of them."""
    columns = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in rows.schema.fields)
    return rows.sparkSession.createDataFrame([], columns)


def is_one_of(column: str | Column, ids: Sequence[Any]) -> Column:
    """Whether the value is one of these; of nothing, no value is."""
    value = F.col(column) if isinstance(column, str) else column
    return value.isin(list(ids)) if ids else F.lit(False)


def of_ids(rows: DataFrame, ids: Sequence[str], *columns: str | Column) -> DataFrame:
    """The rows in which one of these columns, texts, is one of the ids. Each id is given once."""
    if len(ids) <= FEW:
        return rows.where(_is_in_any(columns, ids))
    return marked(rows, ids, _MARK, *columns).where(_MARK).drop(_MARK)


def marked(rows: DataFrame, ids: Sequence[str], mark: str, *columns: str | Column) -> DataFrame:
    """All rows, each with whether one of these columns is one of the ids, in the column `mark`."""
    if len(ids) <= FEW:
        return rows.withColumn(mark, _is_in_any(columns, ids))
    keys, found = frame_of(rows.sparkSession, ids), F.lit(False)
    for place, column in enumerate(columns):
        key, is_there = f"{mark}_{place}", f"{mark}_{place}_is_there"
        theirs = keys.select(F.col("id").alias(key), F.lit(True).alias(is_there))
        rows = rows.withColumn(key, F.col(column) if isinstance(column, str) else column).join(theirs, key, "left")
        found = found | F.col(is_there).isNotNull()
    added = (f"{mark}_{place}{rest}" for place in range(len(columns)) for rest in ("", "_is_there"))
    return rows.withColumn(mark, found).drop(*added)


def carrying(rows: DataFrame, ids: Sequence[str]) -> DataFrame:
    """The sessions or events (or other rows) that carry one of these ids, as anonymous or user id."""
    return of_ids(rows, ids, *CARRIERS)


def carried_ids(rows: DataFrame) -> DataFrame:
    """The anonymous and user ids that sessions or events carry, each once, in the column `id`."""
    ids = rows.select(F.explode(F.array(*CARRIERS)).alias("id"))
    return ids.where(F.col("id").isNotNull()).distinct()


_MARK = "_is_theirs"


def _is_in_any(columns: Sequence[str | Column], ids: Sequence[str]) -> Column:
    return reduce(Column.__or__, (F.coalesce(is_one_of(column, ids), F.lit(False)) for column in columns))
