"""What of events, sessions and traits is in the features of a day, and what a model may know at an instant."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.features import PERSON_FEATURES
from event_assets.contract.tables.people import USER_TRAITS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.models.features import at_instant, day_of
from event_assets.rules.condition import Step
from event_assets.rules.feature import Feature
from event_assets.transforms.features.person_features import (
    event_parts,
    features_at,
    person_features,
    session_parts,
)
from event_assets_tests.factories import at, enriched_event, frame, rows_of

Row = dict[str, Any]
BUY = Step(event="purchase")
FEATURES = {
    "buys": Feature(count=BUY, last="2 days"),
    "paid": Feature(sum="revenue", of=BUY),
    "seen": Feature(count="anything"),
    "visits": Feature(sessions="all"),
    "first_os": Feature(first="os"),
    "latest_os": Feature(latest="os"),
    "channel": Feature(first_touch="channel_group"),
    "plan": Feature(trait="plan"),
    "since": Feature(days_since=BUY),
}


def buy(day: float, revenue: Any, repeated: bool = False, **fields: Any) -> Row:
    properties = json.dumps({"revenue": revenue})
    return enriched_event("purchase", at(days=day), properties=properties, **fields) | {"is_repeated": repeated}


def of_people(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    given = list(rows)
    repeated = [row["event_id"] for row in given if row.get("is_repeated")]
    events = frame(spark, given).withColumn("person_id", F.col("anonymous_id"))
    return events.withColumn("is_repeated", F.col("event_id").isin(repeated) if repeated else F.lit(False))


def history(
    spark: SparkSession, events: DataFrame, sessions: Iterable[Row] = (), traits: Iterable[Row] = ()
) -> DataFrame:
    visits = frame(spark, sessions, SESSIONS)
    parts = event_parts(events, FEATURES).unionByName(session_parts(visits, FEATURES))
    return person_features(parts, frame(spark, traits, USER_TRAITS), FEATURES)


def told(rows: DataFrame) -> list[tuple[int, int | None, dict[str, Any]]]:
    first = at().date()
    return [
        (
            (row["from_date"] - first).days,
            row["to_date"] and (row["to_date"] - first).days,
            json.loads(row["features"]),
        )
        for row in rows_of(rows)
    ]


@pytest.mark.slow
def test_a_row_holds_until_a_day_on_which_something_comes_or_leaves_the_period(spark: SparkSession) -> None:
    events = of_people(
        spark,
        [
            buy(0, 0.1, os="iOS"),
            buy(0.1, 0.2, os="Android"),
            buy(0.2, 9.0, repeated=True),
            buy(0.3, 5.0, is_bot=True, os="Bot"),
            enriched_event(when=at(days=4)),
        ],
    )
    visit = {"person_id": "a1", "session_id": "s", "start_at": at(), "is_bot": False, "channel_group": "Email"}
    trait = {"person_id": "a1", "trait": "plan", "value": '"pro"', "from_at": at(days=4), "event_id": "e"}
    day = {"buys": 2, "paid": 0.3, "seen": 3, "visits": 1, "first_os": "iOS", "latest_os": "Android"}
    day |= {"channel": "Email", "since": "2026-03-02"}
    rows = history(spark, events, [visit], [trait])
    assert tuple(rows.columns) == PERSON_FEATURES.column_names
    assert told(rows) == [
        (0, 2, day),
        (2, 4, day | {"buys": 0}),
        (4, None, day | {"buys": 0, "seen": 4, "plan": "pro"}),
    ]


@pytest.mark.slow
def test_training_sets_keep_whom_nothing_is_known_of_and_know_nothing_of_what_came_later(spark: SparkSession) -> None:
    events = of_people(spark, [buy(0, 4.0), enriched_event(when=at(days=1)), buy(1.1, 2.0), buy(3, 1.0)])
    known = history(spark, events)
    moments = [
        ("a1", at(days=-1)),  # before all that is known
        ("a1", at()),  # of its own day what happened until then, by name
        ("a1", at(days=1, hours=1)),
        ("a1", at(days=2.4)),
        ("nobody", at(days=1)),
    ]
    asked = spark.createDataFrame(moments, "person_id STRING, at TIMESTAMP")
    found = {
        (row["person_id"], row["at"]): row["values"] for row in rows_of(features_at(asked, known, events, FEATURES))
    }
    assert [found[moment] for moment in moments if found[moment] is None] == [None, None]
    assert len(found) == len(moments) and found[moments[0]] is None and found[moments[4]] is None
    values = [json.loads(found[moment]) for moment in moments[1:4]]
    wanted = [(1, 0.0, 1, 0), (1, 4.0, 2, 1), (1, 6.0, 3, 1)]
    assert [(each["buys"], each["paid"], each["seen"], each["since"]) for each in values] == wanted


@pytest.mark.slow
def test_a_request_is_told_the_values_of_the_training_set_to_the_bit(spark: SparkSession) -> None:
    """The one answer is made by the engine of tables and events, the other of what is kept for requests."""
    rows = [buy(day / 7, 0.1 * day) for day in range(1, 40, 3)] + [enriched_event(when=at(days=d)) for d in (1, 5)]
    events = of_people(spark, rows)
    known = history(spark, events)
    kept = {day_of(row["from_date"]): json.loads(row["of_day"]) for row in rows_of(known) if row["of_day"] is not None}
    instants = [at(days=day / 5) for day in range(-3, 40)]
    asked = spark.createDataFrame([("a1", each) for each in instants], "person_id STRING, at TIMESTAMP")
    for row in rows_of(features_at(asked, known, events, FEATURES)):
        day = row["at"].date()
        so_far: dict[str, int] = {}
        for event in rows:
            if event["derived_at"].date() == day and event["derived_at"] <= row["at"]:
                so_far[event["event"]] = so_far.get(event["event"], 0) + 1
        online = at_instant(FEATURES, kept, day_of(day), so_far)
        batch = json.loads(row["values"]) if row["values"] else dict.fromkeys(FEATURES)
        assert online == batch
