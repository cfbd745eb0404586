"""The rows of `conversion_ids`: which conversion each conversion event tells of, and which of them count.

A page of thanks that is loaded again, a server that reports what the browser did: the same order, sent again under
another event id, is one conversion and one revenue. Whose it was and what it brought is told in `conversions.py`.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.placeholders import Placeholders
from event_assets.contract.tables.events import CONVERSION_IDS
from event_assets.transforms.affected import FEW, is_one_of, listed
from event_assets.transforms.product.matching import inside

if TYPE_CHECKING:
    from event_assets.transforms.sessions.sessionise import SessionRules

COLUMNS = tuple(name for name in CONVERSION_IDS.column_names if name != "is_repeated")
"""The columns that follow from an event alone."""


def conversion_ids(events: DataFrame, rules: SessionRules) -> DataFrame:
    """The conversions among enriched events that say which one they are, in `COLUMNS`."""
    named = events.where(F.col("event").isin(sorted(_properties(rules))))
    rows = named.withColumns({"conversion_id": _conversion_id(rules), "at": F.col("derived_at")})
    return rows.where(F.col("conversion_id").isNotNull()).select(*COLUMNS)


def with_repeats(ids: DataFrame) -> DataFrame:
    """Rows of `COLUMNS` with which of them do not count, in the columns of `CONVERSION_IDS`.

    All that tell of the same conversion must be there: the earliest counts (ties: the least event id), a robot's only
    where there is no other.
    """
    order = Window.partitionBy("event", "conversion_id").orderBy("is_bot", "at", "event_id")
    return ids.withColumn("is_repeated", F.row_number().over(order) > 1).select(*CONVERSION_IDS.column_names)


def with_conversions(events: DataFrame, rules: SessionRules, ids: DataFrame | None) -> DataFrame:
    """The events with `is_conversion`: whether each is a conversion that counts. Without `ids`, rows of
    `CONVERSION_IDS`, all of them do."""
    counts = F.col("event").isin(list(rules.conversion_events)) & ~F.col("is_repeated")
    return with_repeated(events, ids).withColumn("is_conversion", counts).drop("is_repeated")


def with_repeated(events: DataFrame, ids: DataFrame | None) -> DataFrame:
    """The events with `is_repeated`: whether each tells again of a conversion that another one counts for. Without
    `ids`, rows of `CONVERSION_IDS`, none does."""
    if ids is None:
        return events.withColumn("is_repeated", F.lit(False))
    repeats = ids.where("is_repeated").select("event_id")
    few = listed(repeats, FEW)
    if few is not None:
        return events.withColumn("is_repeated", is_one_of("event_id", few))
    marked = events.join(repeats.withColumn("is_repeated", F.lit(True)), "event_id", "left")
    return marked.withColumn("is_repeated", F.coalesce("is_repeated", F.lit(False)))


def _properties(rules: SessionRules) -> dict[str, str]:
    """The property that tells which conversion it is, by the names of events that are conversions."""
    return {event: name for event, name in rules.conversion_ids if event in rules.conversion_events}


def _conversion_id(rules: SessionRules) -> Column:
    """What the event's property says, without blanks around it; null where it says nothing, in whatever word."""

    def or_else(otherwise: Column, told: tuple[str, str]) -> Column:
        event, name = told
        text = F.trim(inside(F.col("properties"), name.split(".")))
        return F.when(F.col("event") == event, text).otherwise(otherwise)

    text = reduce(or_else, _properties(rules).items(), F.lit(None).cast("string"))
    return F.when(~F.lower(text).isin(sorted(Placeholders(rules.placeholders).words)), text)
