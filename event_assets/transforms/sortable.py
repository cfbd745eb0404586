"""Times as texts, so that one largest text tells what was last and what was said then."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

DIGITS = 20
"""Characters of each text."""


def sortable(time: str) -> Column:
    """The time as a text that sorts as the time does, also before 1970."""
    return F.lpad((F.unix_micros(time) + F.lit(1 << 62)).cast("string"), DIGITS, "0")
