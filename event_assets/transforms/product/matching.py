"""Which events an analysis is about: conditions on an event's name, columns and properties."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from operator import eq

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.paths import parts_of
from event_assets.rules.analysis import Scalar, Step

NONE = "(none)"
"""Stands for a value that an event does not have."""
_PROPERTIES = "properties."
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
_INTEGER = r"^\s*[+-]?\d+(\.0*)?\s*$"
_DIGITS = "decimal(38,0)"
_MOST_DIGITS = 10**38 - 1
_EXACT = 2**53
"""Below it a double is exactly the integer that it is read from."""


def as_step(step: str | Step) -> Step:
    """The step; a name alone is all events of that name."""
    return Step(event=step) if isinstance(step, str) else step


def matches(step: str | Step, columns: Collection[str]) -> Column:
    """Whether an event, of a frame with these columns, is what the step asks for. Never null."""
    wanted = as_step(step)
    condition = F.col("event") == wanted.event
    for name, value in wanted.where.items():
        allowed = value if isinstance(value, list) else [value]
        condition &= is_any_of(text_of(name, columns), allowed)
    return F.coalesce(condition, F.lit(False))


def text_of(name: str, columns: Collection[str]) -> Column:
    """An event's field as text: the column of that name, else the property; `properties.x` is always a property."""
    if name in columns:
        return F.col(name).cast("string")
    return inside(F.col("properties"), parts_of(name.removeprefix(_PROPERTIES)))


def inside(json: Column, path: Sequence[str]) -> Column:
    """What stands on the path in a JSON text, as text."""
    return F.get_json_object(json, "$" + "".join(f"['{part}']" for part in path))


def all_or_matching(events: DataFrame, step: str | Step | None) -> Column:
    """Whether an event is what the step asks for; every event is where there is no step."""
    return F.lit(True) if step is None else matches(step, events.columns)


def is_any_of(text: Column, values: Sequence[Scalar]) -> Column:
    """Whether a field's text is one of these values; numbers are compared as numbers."""
    found = F.lit(False)
    for value in values:
        if isinstance(value, bool):
            found |= text == str(value).lower()
        elif isinstance(value, str):
            found |= text == value
        else:
            found |= compared(text, value, eq)
    return found


def compared(text: Column, bound: int | float, how: Callable[[Column, Column], Column]) -> Column:
    """Whether a field's text is a number that compares so with the bound; null where it is none.

    Numbers are doubles, which tell integers up to 2^53 apart. Beyond, what is written as an integer is compared digit
    by digit.
    """
    number = how(F.when(text.rlike(_NUMBER), text).try_cast("double"), F.lit(_double(bound)))
    if abs(bound) < _EXACT or bound != bound // 1 or abs(bound) > _MOST_DIGITS:
        return number
    digits = F.when(text.rlike(_INTEGER), text).try_cast(_DIGITS)
    return F.coalesce(how(digits, F.lit(str(int(bound))).cast(_DIGITS)), number)


def _double(bound: int | float) -> float:
    """The double next to the bound; infinity where none is near."""
    try:
        return float(bound)
    except OverflowError:
        return math.copysign(math.inf, bound)
