"""Which events an analysis is about: conditions on an event's name, columns and properties."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, or_
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.paths import parts_of
from event_assets.rules.condition import SEGMENT, Alternative, Comparison, Scalar, Step, compared_with, listed
from event_assets.rules.pattern import pattern_of

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
    return reduce(or_, (_is_alternative(each, columns) for each in as_step(step).alternatives))


def _is_alternative(wanted: Alternative, columns: Collection[str]) -> Column:
    named = F.lit(True) if wanted.event is None else F.coalesce(F.col("event") == wanted.event, F.lit(False))
    return reduce(and_, (holds_of(name, asked, columns) for name, asked in wanted.where.items()), named)


def all_hold(where: Mapping[str, Any], columns: Collection[str]) -> Column:
    """Whether all that is asked of fields holds of an event. Never null."""
    return reduce(and_, (holds_of(name, asked, columns) for name, asked in where.items()), F.lit(True))


def holds_of(name: str, asked: Any, columns: Collection[str]) -> Column:
    """Whether what is asked of a field holds of an event. Never null."""
    said = compared_with(asked)
    return _is_in(said) if name == SEGMENT else holds(text_of(name, columns), said)


def _is_in(asked: Comparison) -> Column:
    """Whether the person is in one of the segments, in none, in any at all: of an array that is never null."""
    segments = column_named(SEGMENT)

    def one_of(value: Any) -> Column:
        return reduce(or_, (F.array_contains(segments, str(each)) for each in listed(value)), F.lit(False))

    holds_of_all = F.lit(True)
    if asked.is_ is not None:
        holds_of_all &= one_of(asked.is_)
    if asked.is_not is not None:
        holds_of_all &= ~one_of(asked.is_not)
    if asked.is_set is not None:
        holds_of_all &= (F.size(segments) > 0) == F.lit(asked.is_set)
    return holds_of_all


def holds(text: Column, asked: Comparison) -> Column:
    """Whether all that is asked holds of a field's text. Never null: what is denied holds of what is not set."""
    return reduce(and_, _parts(text, asked))


def _parts(text: Column, asked: Comparison) -> Iterator[Column]:
    def surely(found: Column) -> Column:
        return F.coalesce(found, F.lit(False))

    if asked.is_ is not None:
        yield surely(is_any_of(text, listed(asked.is_)))
    if asked.is_not is not None:
        yield ~surely(is_any_of(text, listed(asked.is_not)))
    if asked.contains is not None:
        yield surely(_contains(text, listed(asked.contains)))
    if asked.contains_not is not None:
        yield ~surely(_contains(text, listed(asked.contains_not)))
    if asked.matches is not None:
        yield surely(text.rlike(pattern_of(asked.matches)))
    if asked.matches_not is not None:
        yield ~surely(text.rlike(pattern_of(asked.matches_not)))
    for bound, how in ((asked.above, gt), (asked.at_least, ge), (asked.below, lt), (asked.at_most, le)):
        if bound is not None:
            yield surely(compared(text, bound, how))
    if asked.is_set is not None:
        yield text.isNotNull() if asked.is_set else text.isNull()


def _contains(text: Column, words: Sequence[str]) -> Column:
    return reduce(or_, (F.lower(text).contains(F.lower(F.lit(each))) for each in words), F.lit(False))


def column_named(name: str) -> Column:
    """The column of a name that may have a dot."""
    return F.col("`" + name.replace("`", "``") + "`")


def text_of(name: str, columns: Collection[str]) -> Column:
    """An event's field as text: the column of that name, else the property; `properties.x` is always a property."""
    if name in columns:
        return column_named(name).cast("string")
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
    number = how(number_of(text), F.lit(_double(bound)))
    if abs(bound) < _EXACT or bound != bound // 1 or abs(bound) > _MOST_DIGITS:
        return number
    digits = F.when(text.rlike(_INTEGER), text).try_cast(_DIGITS)
    return F.coalesce(how(digits, F.lit(str(int(bound))).cast(_DIGITS)), number)


def number_of(text: Column) -> Column:
    """The number that a field's text is; null where it is none."""
    return F.when(text.rlike(_NUMBER), text).try_cast("double")


def _double(bound: int | float) -> float:
    """The double next to the bound; infinity where none is near."""
    try:
        return float(bound)
    except OverflowError:
        return math.copysign(math.inf, bound)
