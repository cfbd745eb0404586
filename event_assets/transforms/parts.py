"""Many rows in several frames, to be made one after another, so that memory has a bound on an engine of one process."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def in_parts(rows: DataFrame, key: Column, at_once: int) -> list[DataFrame]:
    """The rows in frames of about `at_once` at the most, those of one `key` (a text) in one frame. All without a key
    are in the first."""
    count = -(-rows.count() // at_once)
    if count <= 1:
        return [rows]
    number = F.coalesce(F.pmod(F.crc32(key.cast("binary")), F.lit(count)), F.lit(0))
    return [rows.where(number == part) for part in range(count)]
