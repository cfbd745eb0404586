"""How much an engine works on at once, by its cores: memory has a bound, and no core of a large engine is idle.

What rows say never depends on it.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

TASKS_PER_CORE = 8
"""Tasks that rows are dealt into: each holds its rows in memory, and a large one delays the end little."""

_ROWS_TO_DEAL = 1_000_000
_asked: WeakKeyDictionary[SparkSession, int] = WeakKeyDictionary()


def cores_of(spark: SparkSession) -> int:
    """The cores that a Spark server deals work to: its default parallelism, asked for once a session."""
    if spark not in _asked:
        dealt = spark.range(_ROWS_TO_DEAL).select(F.spark_partition_id().alias("task"))
        _asked[spark] = dealt.distinct().count()
    return _asked[spark]


def in_parts(rows: DataFrame, key: Column, at_once: int) -> list[DataFrame]:
    """The rows in frames of about `at_once` at the most, those of one `key` (a text) in one frame. All without a key
    are in the first."""
    count = -(-rows.count() // at_once)
    if count <= 1:
        return [rows]
    number = F.coalesce(F.pmod(F.crc32(key.cast("binary")), F.lit(count)), F.lit(0))
    return [rows.where(number == part) for part in range(count)]
