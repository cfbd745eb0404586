"""What people answered, by which text and where."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.people import CONSENT_RECEIPTS
from event_assets.transforms.identity.identities import identities
from event_assets.transforms.people.consent_receipts import answers_of_receipts, consent_receipts, receipts_of
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.incremental import kept

Row = dict[str, Any]


def says(seconds: float, name: str = "page_view", **consent: Any) -> Row:
    more = {
        name: consent.pop(name) for name in ("platform", "anonymous_id", "user_id", "received_at") if name in consent
    }
    return enriched_event(
        name, at(seconds), **{f"consent_{purpose}": said for purpose, said in consent.items()}, **more
    )


def receipts(spark: SparkSession, *events: Row) -> list[Row]:
    rows = frame(spark, events)
    people = kept(spark, identities(rows, partial(kept, spark)).rows)
    return rows_of(consent_receipts(people, rows))


def told(rows: list[Row], purpose: str = "marketing") -> list[tuple[dt.datetime, bool, Any, Any]]:
    of_one = sorted((row for row in rows if row["purpose"] == purpose), key=lambda row: row["answered_at"])
    return [(row["answered_at"], row["answer"], row["text_version"], row["source"]) for row in of_one]


def test_a_row_is_an_answer_that_changes_or_is_given_to_another_text(spark: SparkSession) -> None:
    rows = receipts(
        spark,
        says(0),
        says(0, anonymous_id=None, analytics=False),
        says(1, "consent_changed", analytics=True, marketing=True, source="banner", text_version="1"),
        says(2, analytics=True, marketing=True),
        says(3, "consent_changed", analytics=True, marketing=True, source="settings", text_version="2"),
        says(4, analytics=True, marketing=False),
        says(5, analytics=True, marketing=True),
        says(6, analytics=True, marketing=True, text_version="2", platform="server"),
    )
    assert tuple(rows[0]) == CONSENT_RECEIPTS.column_names
    assert told(rows) == [
        (at(1), True, "1", "banner"),
        (at(3), True, "2", "settings"),
        (at(4), False, None, None),
        (at(5), True, None, None),
        (at(6), True, "2", "server"),
    ]
    assert told(rows, "analytics") == [(at(1), True, "1", "banner"), (at(3), True, "2", "settings")]
    assert {row["answered_at"] for row in rows if row["is_current"]} == {at(3), at(6)}
    ends = sorted(row["to_at"] for row in rows if row["to_at"] is not None and row["purpose"] == "marketing")
    assert ends == [at(3), at(4), at(5), at(6)]


def test_what_a_browser_answers_for_somebody_is_told_from_what_they_say_themselves(spark: SparkSession) -> None:
    rows = receipts(spark, says(1, marketing=True, sell_or_share=False, gpc=True, source="banner"))
    assert told(rows, "sell_or_share") == [(at(1), False, None, "gpc")]
    assert told(rows) == [(at(1), True, None, "banner")]


def test_the_answers_of_all_devices_of_a_person_are_one_history_whatever_order_they_come_in(
    spark: SparkSession,
) -> None:
    events = [
        says(0, "identify", user_id="u1", marketing=True),
        says(9, "identify", anonymous_id="a2", user_id="u1", marketing=False),
        says(4, marketing=True, received_at=at(days=9)),
    ]
    one, other = receipts(spark, *events), receipts(spark, *events[::-1])
    key = str
    assert sorted(one, key=key) == sorted(other, key=key)
    assert told(one) == [(at(0), True, None, None), (at(9), False, None, None)]
    assert len({row["person_id"] for row in one}) == 1


def test_receipts_say_enough_to_be_made_again_of_themselves(spark: SparkSession) -> None:
    rows = receipts(
        spark,
        says(1, marketing=True, sell_or_share=False, gpc=True),
        says(2, marketing=True, text_version="1", source="banner", platform="server"),
        says(3, marketing=False, sell_or_share=True, platform="server"),
    )
    again = rows_of(receipts_of(answers_of_receipts(frame(spark, rows, CONSENT_RECEIPTS))))
    assert sorted(again, key=str) == sorted(rows, key=str)
