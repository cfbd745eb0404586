"""The rows of `consent_receipts`: for what somebody was asked and what they answered, by which text, where and when.

An answer is a row where it is another than the one before it, by `derived_at` (ties: `received_at`, `event_id`), or
where it says of the same answer that another text was shown. So the rows follow from the events alone, whatever order
they come in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import islice, zip_longest
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from event_assets.contract.consent import PURPOSES
from event_assets.contract.tables.people import CONSENT_RECEIPTS
from event_assets.transforms.affected import CARRIERS
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.people.user_history import is_answer

_SAID = (
    *("derived_at", "received_at", "event_id", "event", "platform"),
    *(f"consent_{purpose}" for purpose in PURPOSES),
    *("consent_gpc", "consent_source", "consent_text_version"),
)
RECEIPT_COLUMNS = (*CARRIERS, *_SAID)
"""The columns of enriched events that receipts are made of."""
ANSWER_COLUMNS = ("person_id", *_SAID)
"""The columns of what somebody answered."""

_ROWS = CONSENT_RECEIPTS.arrow_schema()
_ROWS_AT_ONCE = 1_000
Row = dict[str, Any]


def consent_receipts(identities: DataFrame, events: DataFrame, before: DataFrame | None = None) -> DataFrame:
    """The receipts of the persons of these identities, in the columns of `CONSENT_RECEIPTS`.

    For some persons only, give the events that carry their ids, and take only their rows. `before` are further answers,
    in `ANSWER_COLUMNS`.
    """
    answered = events.where(is_answer()).select(*RECEIPT_COLUMNS)
    answers = with_person(answered, identities).where("person_id IS NOT NULL").select(*ANSWER_COLUMNS)
    return receipts_of(answers if before is None else answers.unionByName(before))


def receipts_of(answers: DataFrame) -> DataFrame:
    """The same of answers that say whose they are, in `ANSWER_COLUMNS`."""
    together = answers.groupBy("person_id").agg(F.collect_list(F.struct(*_SAID)).alias("answers"))
    return together.select("person_id", "answers").mapInArrow(_of_people, CONSENT_RECEIPTS.spark_schema())


def answers_of_receipts(receipts: DataFrame) -> DataFrame:
    """Answers of which the receipts would be these, in `ANSWER_COLUMNS`."""
    return receipts.select(
        *("person_id", F.col("answered_at").alias("derived_at"), "received_at", "event_id", "event"),
        F.lit(None).cast("string").alias("platform"),
        *(F.when(F.col("purpose") == purpose, F.col("answer")).alias(f"consent_{purpose}") for purpose in PURPOSES),
        (F.col("source") == _GPC).alias("consent_gpc"),
        F.col("source").alias("consent_source"),
        F.col("text_version").alias("consent_text_version"),
    )


def that_change_receipts(answers: DataFrame, receipts: DataFrame) -> DataFrame:
    """Those of the answers, which have `person_id`, by which the receipts of whom they are may become others.

    One that says what held before it and after it changes nothing, whatever was said then.
    """
    said = ("person_id", "event_id", "derived_at", F.col("consent_text_version").alias("said_text"))
    each = reduce(
        DataFrame.unionByName,
        (
            answers.where(F.col(f"consent_{purpose}").isNotNull()).select(
                *said, F.lit(purpose).alias("purpose"), F.col(f"consent_{purpose}").alias("said")
            )
            for purpose in PURPOSES
        ),
    )
    held = receipts.select("person_id", "purpose", "answer", "text_version", "answered_at", "to_at")
    at = F.col("derived_at")
    is_then = (F.col("answered_at") < at) & (F.col("to_at").isNull() | (at < F.col("to_at")))
    is_text = F.col("said_text").isNull() | F.coalesce(F.col("said_text") == F.col("text_version"), F.lit(False))
    same = each.join(held, ["person_id", "purpose"]).where(is_then & is_text & (F.col("said") == F.col("answer")))
    return each.join(same.select("event_id", "purpose").distinct(), ["event_id", "purpose"], "left_anti")


def _of_people(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    rows = (row for batch in batches for person in batch.to_pylist() for row in _of_person(person))
    while together := list(islice(rows, _ROWS_AT_ONCE)):
        yield pa.RecordBatch.from_pylist(together, schema=_ROWS)


def _of_person(person: Row) -> Iterator[Row]:
    answers = sorted(person["answers"], key=lambda said: (said["derived_at"], said["received_at"], said["event_id"]))
    for purpose in PURPOSES:
        changes = list(_changes(answers, purpose))
        for change, after in zip_longest(changes, changes[1:]):
            to_at = None if after is None else after["answered_at"]
            yield {"person_id": person["person_id"], **change, "to_at": to_at, "is_current": after is None}


def _changes(answers: list[Row], purpose: str) -> Iterator[Row]:
    held: bool | None = None
    text: str | None = None
    for said in answers:
        answer, shown = said[f"consent_{purpose}"], said["consent_text_version"]
        if answer is None or (answer == held and shown in (None, text)):
            continue
        held, text = answer, shown
        yield {
            "purpose": purpose,
            "answered_at": said["derived_at"],
            "answer": answer,
            "text_version": shown,
            "source": _source(said, purpose),
            "event": said["event"],
            "event_id": said["event_id"],
            "received_at": said["received_at"],
        }


def _source(said: Row, purpose: str) -> str | None:
    """Where they answered, as the client says; a browser for them; else a server of the site."""
    if purpose == "sell_or_share" and said["consent_gpc"] and not said["consent_sell_or_share"]:
        return _GPC
    return said["consent_source"] or (_SERVER if said["platform"] == _SERVER else None)


_GPC, _SERVER = "gpc", "server"
