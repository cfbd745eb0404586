"""What was said of somebody or something by name, and from when to when each of it held.

A trait holds from the event that said so until the next event about the same that says something else, by `derived_at`
(ties: `received_at`, `event_id`): what happened earlier and came late changes the past, not the present. A trait that
is set to null is taken back. What `traits_once` says holds where there is no such trait at that moment.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

SAID_COLUMNS = ("derived_at", "received_at", "event_id", "traits", "traits_once")
"""The columns of events that traits are made of, beside whose they are."""

NAME_CHARACTERS = 128
"""Longer names of traits are cut, to what every other name may have: they are part of a key."""

_SAID = pa.schema(
    [
        pa.field("owner", pa.string()),
        pa.field("from_at", pa.timestamp("us", tz="UTC")),
        pa.field("received_at", pa.timestamp("us", tz="UTC")),
        pa.field("event_id", pa.string()),
        pa.field("trait", pa.string()),
        pa.field("value", pa.string()),
        pa.field("is_once", pa.bool_()),
    ]
)
_SAID_BY_SPARK = (
    "owner STRING, from_at TIMESTAMP, received_at TIMESTAMP, event_id STRING, trait STRING, value STRING, "
    "is_once BOOLEAN"
)
_ORDER = ("from_at", "received_at", "event_id", "is_once")
"""What one event sets comes before what it says once."""
_NULL = "null"
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def trait_history(said: DataFrame, owner: str) -> DataFrame:
    """The traits with their history: the owner, `trait`, `value` as JSON, `from_at`, `to_at`, `is_current`, `event_id`.

    `said` has `SAID_COLUMNS` and the column `owner` that says whose the traits are.
    """
    columns = (F.col(owner).alias("owner"), F.col("derived_at").alias("from_at"), *SAID_COLUMNS[1:])
    one_by_one = said.select(*columns).mapInArrow(_one_by_one, _SAID_BY_SPARK)
    in_order = Window.partitionBy("owner", "trait").orderBy(*_ORDER)
    changes = (
        _set(one_by_one)
        .withColumn("before", F.lag("value").over(in_order))
        .where(F.col("before").isNull() | (F.col("before") != F.col("value")))
    )
    return (
        changes.withColumn("to_at", F.lead("from_at").over(in_order))
        .where(F.col("value") != _NULL)
        .withColumn("is_current", F.col("to_at").isNull())
        .select(F.col("owner").alias(owner), "trait", "value", "from_at", "to_at", "is_current", "event_id")
    )


def that_say_more(said: DataFrame, owner: str, history: DataFrame) -> DataFrame:
    """The owners, each once, whose `history` may become another by what is said, which stands as for `trait_history`.

    What holds already, since before that moment and for longer, changes nothing when it is said again, whatever was
    said before or after it; nor does what is said once where something holds.
    """
    columns = (F.col(owner).alias("owner"), F.col("derived_at").alias("from_at"), *SAID_COLUMNS[1:])
    told = said.select(*columns).mapInArrow(_one_by_one, _SAID_BY_SPARK)
    told = told.where(~F.col("is_once") | (F.col("value") != _NULL)).select(
        "owner", "trait", "from_at", "value", "is_once"
    )
    held = history.select(
        F.col(owner).alias("owner"), "trait", F.col("value").alias("_held"), F.col("from_at").alias("_since"), "to_at"
    )
    is_then = (F.col("_since") < F.col("from_at")) & (F.col("to_at").isNull() | (F.col("from_at") < F.col("to_at")))
    same = told.join(held, ["owner", "trait"]).where(is_then & (F.col("is_once") | (F.col("value") == F.col("_held"))))
    more = told.join(same.select(*told.columns).distinct(), told.columns, "left_anti")
    return more.select(F.col("owner").alias(owner)).distinct()


def current_traits(traits: DataFrame, owner: str) -> DataFrame:
    """One row an owner: who it is, and `traits`, the current ones as a JSON object."""
    name = F.to_json(F.array("trait"))
    member = F.concat(F.expr("substring(name, 2, length(name) - 2)"), F.lit(":"), F.col("value"))
    return (
        traits.where("is_current")
        .select(owner, "value", name.alias("name"))
        .groupBy(owner)
        .agg(F.concat(F.lit("{"), F.concat_ws(",", F.sort_array(F.collect_list(member))), F.lit("}")).alias("traits"))
    )


def _set(said: DataFrame) -> DataFrame:
    """What was said and did set something: of what is said once only what finds no value."""
    is_value = F.col("value") != _NULL
    before = Window.partitionBy("owner", "trait").orderBy(*_ORDER)
    since = Window.partitionBy("owner", "trait", "times_taken_back").orderBy(*_ORDER)
    takes_back = (~is_value & ~F.col("is_once")).cast("int")
    return (
        said.withColumn("times_taken_back", F.sum(takes_back).over(before))
        .withColumn("values", F.sum(is_value.cast("int")).over(since))
        .where(~F.col("is_once") | (is_value & (F.col("values") == 1)))
        .drop("times_taken_back", "values")
    )


def _one_by_one(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """A row for every member of the objects in `traits` and `traits_once`; values as compact JSON."""
    for batch in batches:
        rows: list[int] = []
        names: list[str] = []
        values: list[str] = []
        once: list[bool] = []
        for column in ("traits", "traits_once"):
            for row, text in enumerate(batch.column(column).to_pylist()):
                for name, value in (_members_of(text) if text else {}).items():
                    rows.append(row)
                    names.append(name)
                    values.append(value)
                    once.append(column == "traits_once")
        taken = pa.array(rows, pa.int32())
        arrays = [
            batch.column(field.name).take(taken).cast(field.type) if field.name in batch.schema.names else None
            for field in _SAID
        ]
        arrays[-3:] = [pa.array(names, pa.string()), pa.array(values, pa.string()), pa.array(once, pa.bool_())]
        yield pa.RecordBatch.from_arrays(arrays, schema=_SAID)


def _members_of(text: str) -> dict[str, str]:
    members = _members(text).items()
    return {name[:NAME_CHARACTERS]: msgspec.json.format(bytes(raw), indent=-1).decode() for name, raw in members}
