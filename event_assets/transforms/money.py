"""Sums of money: exact, so that any order and any split of the rows gives the same digits.

Amounts stand in tables as doubles, which every engine and warehouse reads alike; only on the way to a sum are they
decimals. What an amount is worth in another currency is told in currency.py.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

MONEY = "decimal(38,6)"
"""What amounts are while they are added up: to the sixth decimal."""

LARGEST_AMOUNT = 1e15
"""An amount of this size or more is a mistake, and counts 0 in a sum."""


def amount(value: Column) -> Column:
    """The amount, as it can be added up without an error; null where there is none, or one that is a mistake."""
    return F.when(F.abs(value) < LARGEST_AMOUNT, value).try_cast(MONEY)


def total(amounts: Column) -> Column:
    """The sum of what `amount` gives: the double that is nearest to it; 0 of nothing."""
    return F.coalesce(F.sum(amounts).cast("double"), F.lit(0.0))
