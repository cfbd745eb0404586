"""The rows of `person_features`: the features of persons, as their files say, and from when to when each was so.

What a day adds to each feature is summed up here; what follows from all days of a person, in models/features.py. A row
follows from what the person did alone, not from when it is looked at: what leaves a counted period does so on a day
that is known before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.features import PERSON_FEATURES
from event_assets.models.features import PersonDays, at_instant, date_of, together, trait_parts
from event_assets.rules.feature import Feature
from event_assets.transforms.money import amount
from event_assets.transforms.product.matching import matches, number_of, text_of
from event_assets.transforms.product.periods import day_number

PART_COLUMNS = ("person_id", "day", "part")
"""The columns of what a day added: the person, the day (since 1970-01-01), and by feature what it added, as JSON."""

_ROWS = PERSON_FEATURES.arrow_schema()
_ROWS_AT_ONCE = 2_000
_OF_SESSIONS = ("sessions", "first_touch")
Features = Mapping[str, Feature]


def person_features(parts: DataFrame, traits: DataFrame, features: Features) -> DataFrame:
    """The history of persons, in the columns of `PERSON_FEATURES`.

    `parts` are what days added, in `PART_COLUMNS`, as `event_parts` and `session_parts` give it, in as many pieces as
    there are; `traits` the persons' rows of user_traits.
    """
    added = parts.groupBy("person_id").agg(F.collect_list(F.struct("day", "part")).alias("parts"))
    said = traits.groupBy("person_id").agg(
        F.collect_list(
            F.struct(
                *(F.unix_micros(name).alias(name) for name in ("from_at", "to_at")),
                "trait",
                "value",
            )
        ).alias("traits")
    )
    people = added.join(said, "person_id", "left").select("person_id", "parts", "traits")
    return people.mapInArrow(_histories(features), PERSON_FEATURES.spark_schema())


def event_parts(events: DataFrame, features: Features) -> DataFrame:
    """What the days of events added, in `PART_COLUMNS`.

    `events` have `person_id`, `is_repeated` (see conversion_ids.py), and what the features name. A day on which only
    robots were active is none.
    """
    told = {name: _of_events(each, events) for name, each in features.items() if each.kind not in _NOT_OF_EVENTS}
    days = events.where(F.col("person_id").isNotNull() & ~F.col("is_bot")).withColumn(
        "day", day_number(F.col("derived_at"))
    )
    return _parts(days, told)


def session_parts(sessions: DataFrame, features: Features) -> DataFrame:
    """What the days on which sessions began added, in `PART_COLUMNS`. `sessions` have `person_id`."""
    told = {name: _of_sessions(each) for name, each in features.items() if each.kind in _OF_SESSIONS}
    days = sessions.where(F.col("person_id").isNotNull() & ~F.col("is_bot")).withColumn(
        "day", day_number(F.col("start_at"))
    )
    return _parts(days, told)


def standing_parts(rows: DataFrame) -> DataFrame:
    """What rows of `PERSON_FEATURES` say that days added, in `PART_COLUMNS`."""
    day = F.datediff(F.col("from_date"), F.lit("1970-01-01").cast("date")).cast("long")
    return rows.where(F.col("of_day").isNotNull()).select("person_id", day.alias("day"), F.col("of_day").alias("part"))


def features_at(moments: DataFrame, history: DataFrame, events: DataFrame, features: Features) -> DataFrame:
    """The features of persons at instants: `person_id`, `at` and `values`, a JSON object with every feature.

    `moments` have `person_id` and `at`; every one of them is in the answer, once, also where nothing is known of the
    person then: `values` is null, as it is for a request about them. `history` are rows of `PERSON_FEATURES`, `events`
    those of the moments' days, with `person_id`. Nothing that happened after an instant is in its values: of its own
    day the events until then count, as names (see `at_instant`).
    """
    asked = moments.select("person_id", "at").distinct()
    days = asked.withColumn("day", day_number(F.col("at")))
    of_day = events.where(~F.col("is_bot")).select(
        "person_id", "event", "derived_at", day_number(F.col("derived_at")).alias("day")
    )
    counts = (
        days.join(of_day, ["person_id", "day"])
        .where(F.col("derived_at") <= F.col("at"))
        .groupBy("person_id", "at", "event")
        .agg(F.count(F.lit(1)).alias("count"))
        .groupBy("person_id", "at")
        .agg(F.collect_list(F.struct("event", "count")).alias("so_far"))
    )
    parts = standing_parts(history).groupBy("person_id").agg(F.collect_list(F.struct("day", "part")).alias("parts"))
    known = days.join(parts, "person_id", "left").join(counts, ["person_id", "at"], "left")
    return known.select("person_id", "at", "day", "parts", "so_far").mapInArrow(
        _instants(features), "person_id STRING, at TIMESTAMP, values STRING"
    )


_INSTANTS = pa.schema(
    [
        pa.field("person_id", pa.string()),
        pa.field("at", pa.timestamp("us", tz="UTC")),
        pa.field("values", pa.string()),
    ]
)


def _instants(features: Features) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def instants(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            values = [_values(features, row) for row in batch.select(["day", "parts", "so_far"]).to_pylist()]
            columns = [batch.column("person_id"), batch.column("at"), pa.array(values, pa.string())]
            yield pa.RecordBatch.from_arrays(
                [column.cast(each.type) for column, each in zip(columns, _INSTANTS, strict=True)], schema=_INSTANTS
            )

    return instants


def _values(features: Features, row: Mapping[str, Any]) -> str | None:
    if not row["parts"] and not row["so_far"]:
        return None
    parts = {each["day"]: msgspec.json.decode(each["part"]) for each in row["parts"] or ()}
    so_far = {each["event"]: each["count"] for each in row["so_far"] or ()}
    values = at_instant(features, parts, row["day"], so_far)
    return None if all(value is None for value in values.values()) else msgspec.json.encode(values).decode()


def event_columns(features: Features) -> tuple[str, ...]:
    """The columns of enriched events, beside whose they are, that features may be made of."""
    of_texts = (each.first or each.latest for each in features.values())
    asked = (name for each in features.values() for step in each.steps_named() for name in step.fields())
    sums = (each.sum for each in features.values() if each.sum)
    return tuple(dict.fromkeys([*filter(None, of_texts), *asked, *sums]))


_NOT_OF_EVENTS = (*_OF_SESSIONS, "trait")


def _parts(days: DataFrame, told: Mapping[str, Column]) -> DataFrame:
    named = (
        days.groupBy("person_id", "day").agg(*(value.alias(name) for name, value in told.items()))
        if told
        else (days.select("person_id", "day").distinct())
    )
    part = F.to_json(F.struct(*told)) if told else F.lit("{}")
    return named.select("person_id", "day", part.alias("part"))


def _of_events(feature: Feature, events: DataFrame) -> Column:
    columns = events.columns
    if feature.kind in ("first", "latest"):
        text = F.col(str(feature.first or feature.latest))
        said = F.struct(F.unix_micros("derived_at").alias("t"), F.substring(text, 1, 256).alias("v"))
        least = F.min if feature.kind == "first" else F.max
        return least(F.when(text.isNotNull(), said))
    events_that_count = feature.events
    counts = F.lit(True)
    if events_that_count is not None and events_that_count != "anything":
        counts = matches(events_that_count, columns) & ~F.col("is_repeated")
    if feature.kind == "sum":
        assert feature.sum is not None
        counts &= ~F.col("is_repeated")
        value = amount(number_of(text_of(feature.sum, columns)))
        return F.sum(F.when(counts, value)).cast("string")
    return F.sum(counts.cast("long"))


def _of_sessions(feature: Feature) -> Column:
    if feature.kind == "sessions":
        return F.count(F.lit(1))
    text = F.substring(F.col(str(feature.first_touch)), 1, 256)
    return F.min(F.struct(F.unix_micros("start_at").alias("t"), F.coalesce(text, F.lit("")).alias("v")))


def _histories(features: Features) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def histories(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows: list[dict[str, Any]] = []
        for batch in batches:
            for person in batch.to_pylist():
                rows += _history(features, person)
                if len(rows) >= _ROWS_AT_ONCE:
                    yield pa.RecordBatch.from_pylist(rows, schema=_ROWS)
                    rows = []
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=_ROWS)

    return histories


def person_days(features: Features, person: Mapping[str, Any]) -> PersonDays:
    """A person of `parts` (`day`, `part` as JSON) and `traits`. Of whom nothing but traits is known is nobody's."""
    by_events = {name: each for name, each in features.items() if each.kind != "trait"}
    by_day: dict[int, list[Mapping[str, Any]]] = {}
    for each in person["parts"] or ():
        by_day.setdefault(each["day"], []).append(msgspec.json.decode(each["part"]))
    known = {day: added for day, parts in by_day.items() if (added := together(by_events, parts))}
    if known:
        said = [(each["from_at"], each["to_at"], each["trait"], each["value"]) for each in person["traits"] or ()]
        for day, part in trait_parts(features, said).items():
            known[day] = together(features, [known.get(day, {}), part])
    return PersonDays(features, known)


def _history(features: Features, person: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    encode = msgspec.json.encode
    for span in person_days(features, person).spans():
        yield {
            "person_id": person["person_id"],
            "from_date": date_of(span.from_day),
            "to_date": None if span.to_day is None else date_of(span.to_day),
            "features": encode(span.held).decode(),
            "of_day": encode(span.of_day).decode() if span.of_day else None,
        }
