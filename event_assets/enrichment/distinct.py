"""Columns as their different values, so that a function runs once for each of them and not once a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

REMEMBERED = 32_768
"""Values whose result is remembered from one batch to the next."""
_LONGEST_REMEMBERED = 1_024
_Result = TypeVar("_Result")


class Encoded(NamedTuple):
    """A column as its different values and, for each row, the place of its value. Null is one of the values."""

    values: list[Any]
    codes: Any


def encoded(column: Any) -> Encoded:
    """The column, encoded."""
    result = column.dictionary_encode(null_encoding="encode")
    return Encoded(result.dictionary.to_pylist(), result.indices.cast(pa.int64()))


def combined(columns: Sequence[Encoded]) -> Encoded:
    """Several columns as their different combinations: tuples of values."""
    first, *others = columns
    together = Encoded([(value,) for value in first.values], first.codes)
    for other in others:
        stride = len(other.values)
        pairs = pc.add(pc.multiply(together.codes, stride), other.codes).dictionary_encode()
        values = [(*together.values[p // stride], other.values[p % stride]) for p in pairs.dictionary.to_pylist()]
        together = Encoded(values, pairs.indices.cast(pa.int64()))
    return together


def spread(
    rows: Sequence[tuple[Any, ...]], names: Sequence[str], codes: Any, types: Mapping[str, pa.DataType]
) -> dict[str, Any]:
    """Columns by name, from one tuple for each different value and the rows' places among them.

    They are text where `types` does not say otherwise.
    """
    # Not zip(*rows): with thousands of rows it goes through memory once a cell.
    return {
        name: pa.array([*map(itemgetter(place), rows)], types.get(name, pa.string())).take(codes)
        for place, name in enumerate(names)
    }


def tried(function: Callable[[str], Any], value: str | None, empty: Any, name: str, failures: list[str]) -> Any:
    """What the function makes of a value. Whatever goes wrong is noted: one value must not lose a batch."""
    if not value:
        return empty
    try:
        return function(value)
    except Exception as error:
        failures.append(f"{name}: {fault(error)}")
    return empty


def fault(error: Exception) -> str:
    """What went wrong: the sentence of a `ValueError`, of anything else its kind, which has no data in it."""
    return str(error) if isinstance(error, ValueError) else type(error).__name__


def joined(texts: Sequence[Any], separator: str) -> Any:
    """The texts of each row with the separator between them; null where there is none."""
    given = [column for column in texts if column.null_count < len(column)]
    if not given:
        return pa.nulls(len(texts[0]), pa.string())
    # Not null_handling="skip": it leaves out the rows of which every text is null.
    led = [pc.fill_null(pc.binary_join_element_wise(separator, column, ""), "") for column in given]
    whole = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*led, ""), len(separator))
    return pc.if_else(pc.equal(whole, ""), pa.scalar(None, pa.string()), whole)


def remembering(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """A function of texts with a memory for short ones; long ones are rare, and would fill it."""
    remembered = lru_cache(maxsize=REMEMBERED)(function)

    def call(first: str | None, *more: str | None) -> _Result:
        length = len(first or "") + sum(len(text or "") for text in more)
        return remembered(first, *more) if length <= _LONGEST_REMEMBERED else function(first, *more)

    return call
