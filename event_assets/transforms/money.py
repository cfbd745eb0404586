"""Sums of money: exact, so that any order and any split of the rows gives the same digits.

Amounts stand in tables as doubles, which every engine and warehouse reads alike; only on the way to a sum are they
decimals. What an amount is worth in another currency is told in currency.py.
"""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

MONEY = "decimal(38,6)"
"""What amounts are while they are added up: to the sixth decimal."""

EXACT = pa.decimal128(38, 6)
"""The same in Arrow."""

LARGEST_AMOUNT = 1e15
"""An amount of this size or more is a mistake, and counts 0 in a sum."""


def amount(value: Column) -> Column:
    """The amount, as it can be added up without an error; null where there is none, or one that is a mistake.

    It is the decimal that the double shows. By way of its text: Sail multiplies a double that it makes a decimal of, as
    a double, and from 2^53 millionths on gives other digits. What is so small that its text has an exponent, which Sail
    does not read, has none of them.
    """
    plausible = F.when(F.abs(value) < LARGEST_AMOUNT, value)
    return F.coalesce(plausible.cast("string").try_cast(MONEY), plausible.try_cast(MONEY))


def total(amounts: Column) -> Column:
    """The sum of what `amount` gives, as a double; 0 of nothing."""
    return F.coalesce(as_double(F.sum(amounts)), F.lit(0.0))


def as_double(exact: Column) -> Column:
    """The double that is nearest to a decimal. By way of its text: Sail makes one of it and divides."""
    return exact.cast("string").cast("double")
