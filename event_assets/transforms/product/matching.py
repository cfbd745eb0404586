"""Which events an analysis is about: conditions on an event's name, columns and properties."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.paths import parts_of
from event_assets.rules.analysis import Scalar, Step

NONE = "(none)"
"""Stands for a value that an event does not have."""
_PROPERTIES = "properties."


def as_step(step: str | Step) -> Step:
    """The step; a name alone is all events of that name."""
    return Step(step) if isinstance(step, str) else step


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
            found |= text.try_cast("double") == float(value)
    return found
