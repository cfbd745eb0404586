"""The rows of `user_history`: what is known of a person and what they agreed to, and from when to when all of it held.

A row begins when anything of it changes, by `derived_at`; of several changes at one moment the last holds (ties:
`received_at`, `event_id`), so that the history follows from the events alone, whatever order they come in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import accumulate, islice
from typing import Any

import msgspec
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.people import USER_HISTORY
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.people.users import CONSENT

HISTORY_COLUMNS = ("anonymous_id", "user_id", "derived_at", "received_at", "event_id", *CONSENT)
"""The columns of enriched events that the history is made of, beside user_traits."""
ANSWER_COLUMNS = ("person_id", "derived_at", "received_at", "event_id", *CONSENT)
"""The columns of an answer of somebody."""

_ROWS = USER_HISTORY.arrow_schema()
_ROWS_AT_ONCE = 1_000
MOST_TRAITS = 1_000_000
"""Characters of traits that the rows of one person say together: of somebody with many traits of which one changes
often, each row would say all of them again."""
_REMOVED, _SET = 0, 1
Row = dict[str, Any]


def user_history(
    identities: DataFrame, events: DataFrame, traits: DataFrame, before: DataFrame | None = None
) -> DataFrame:
    """The history of the persons of these identities, in the columns of `USER_HISTORY`.

    The first row of a person begins with their first event, the last one has no end. `traits` are rows of user_traits.
    For some persons only, give the events that carry their ids and their traits, and take only their rows.
    `before` are further answers, in `ANSWER_COLUMNS`.
    """
    answers = with_person(with_answers(events), identities).select(*ANSWER_COLUMNS)
    return history_of(identities, answers if before is None else answers.unionByName(before), traits)


def history_of(identities: DataFrame, answers: DataFrame, traits: DataFrame) -> DataFrame:
    """The same of answers that say whose they are, in `ANSWER_COLUMNS`."""
    seen = identities.groupBy("person_id").agg(F.min("first_seen_at").alias("first_seen_at"))
    answered = answers.groupBy("person_id").agg(F.collect_list(F.struct(*ANSWER_COLUMNS[1:])).alias("answers"))
    said = traits.groupBy("person_id").agg(
        F.collect_list(F.struct("from_at", "to_at", "trait", "value")).alias("traits")
    )
    people = seen.join(answered, "person_id", "left").join(said, "person_id", "left")
    return people.select("person_id", "first_seen_at", "answers", "traits").mapInArrow(
        _histories, USER_HISTORY.spark_schema()
    )


def is_answer() -> Column:
    """Whether an event says what somebody agrees to."""
    return F.coalesce(*CONSENT).isNotNull()


def with_answers(events: DataFrame) -> DataFrame:
    """The events that say what somebody agrees to, in `HISTORY_COLUMNS`."""
    return events.where(is_answer()).select(*HISTORY_COLUMNS)


def answers_of(history: DataFrame) -> DataFrame:
    """Answers by which what persons agreed to was what their rows of user_history say, in `ANSWER_COLUMNS`."""
    none = F.lit("").alias("event_id")
    return history.where(is_answer()).select(
        "person_id", F.col("valid_from").alias("derived_at"), F.col("valid_from").alias("received_at"), none, *CONSENT
    )


def that_say_more(answers: DataFrame, history: DataFrame) -> DataFrame:
    """Those of the answers, which have `person_id`, by which the history of whom they are becomes another.

    One that says what held at that moment changes nothing, whatever was said before or after it.
    """
    held = history.select(
        *("person_id", "valid_from", "valid_to"), *(F.col(name).alias(f"_held_{name}") for name in CONSENT)
    )
    at = F.col("derived_at")
    is_then = (F.col("valid_from") <= at) & (F.col("valid_to").isNull() | (at < F.col("valid_to")))
    says_same = reduce(
        Column.__and__, (F.col(name).isNull() | (F.col(name) == F.col(f"_held_{name}")) for name in CONSENT)
    )
    same = answers.join(held, "person_id").where(is_then & F.coalesce(says_same, F.lit(False))).select("event_id")
    return answers.join(same.distinct(), "event_id", "left_anti")


def _histories(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    rows = (row for batch in batches for person in batch.to_pylist() for row in _history(person))
    while together := list(islice(rows, _ROWS_AT_ONCE)):
        yield pa.RecordBatch.from_pylist(together, schema=_ROWS)


def _history(person: Row) -> Iterator[Row]:
    """The rows of a person; traits are left out of all but the latest that together say no more than is kept."""
    first = _first_with_traits(person)
    for place, row in enumerate(_states(person)):
        yield row if place >= first else row | {"traits": None}


def _first_with_traits(person: Row) -> int:
    """The place of the first row that says its traits."""
    traits = person["traits"] or ()
    # No row says more than all values that there ever were, and no change makes more than one row.
    longest = sum(6 * len(trait["trait"]) + len(trait["value"]) + 4 for trait in traits)
    if longest * (2 * len(traits) + len(person["answers"] or ()) + 1) <= MOST_TRAITS:
        return 0
    lengths = [len(row["traits"] or "") for row in _states(person)]
    latest = accumulate(reversed(lengths))
    return len(lengths) - max(1, sum(length <= MOST_TRAITS for length in latest))


def _states(person: Row) -> Iterator[Row]:
    """A row for each state that held for longer than no time, told where it changes."""
    known: dict[str, str] = {}
    answers: dict[str, bool | None] = dict.fromkeys(CONSENT)
    changes = sorted(_changes(person), key=lambda change: change[0])
    held: Row | None = None
    for place, (key, name, value) in enumerate([((person["first_seen_at"],), "", None), *changes]):
        _apply(known, answers, name, value)
        if place < len(changes) and changes[place][0][0] == key[0]:
            continue
        state = {"traits": _object(known), **answers}
        if held is None or any(held[column] != state[column] for column in state):
            if held is not None:
                yield held | {"valid_to": key[0], "is_current": False}
            held = {"person_id": person["person_id"], "valid_from": key[0], **state}
    assert held is not None
    yield held | {"valid_to": None, "is_current": True}


def _changes(person: Row) -> Iterator[tuple[tuple[Any, ...], str, Any]]:
    """When what is another, in order: of one moment what ends before what begins, then as it was received."""
    for trait in person["traits"] or ():
        if trait["to_at"] is None or trait["to_at"] > trait["from_at"]:
            yield (trait["from_at"], _SET, trait["trait"]), trait["trait"], trait["value"]
            if trait["to_at"] is not None:
                yield (trait["to_at"], _REMOVED, trait["trait"]), trait["trait"], None
    for answer in person["answers"] or ():
        said = {name: answer[name] for name in CONSENT if answer[name] is not None}
        place = (answer["derived_at"], _SET, "", answer["received_at"], answer["event_id"])
        yield place, "", said


def _apply(known: dict[str, str], answers: dict[str, bool | None], name: str, value: Any) -> None:
    if isinstance(value, dict):
        answers |= value
    elif value is not None:
        known[name] = value
    else:
        known.pop(name, None)


def _object(known: dict[str, str]) -> str | None:
    """The traits as a JSON object, as those of users are; None without any."""
    members = sorted(f"{msgspec.json.encode(name).decode()}:{value}" for name, value in known.items())
    return f"{{{','.join(members)}}}" if members else None
