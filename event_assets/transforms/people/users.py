"""The rows of `users`: one a person.

Which ids are one person is decided in identities.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.consent import PURPOSES
from event_assets.contract.tables.people import USERS
from event_assets.transforms.affected import carried_ids, carrying, frame_of, listed, of_ids
from event_assets.transforms.attribution.conversion_ids import with_conversions
from event_assets.transforms.identity.stitching import regrouped, with_person
from event_assets.transforms.money import MONEY, amount, total
from event_assets.transforms.people.trait_history import current_traits
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets.transforms.sortable import sortable

_SUMS = ("sessions", "events", "human_events", "page_views", "conversions", "revenue")
FIRST = ("source", "medium", "campaign", "channel_group")
"""The columns of sessions that tell where somebody came from first."""
CONSENT = tuple(f"consent_{purpose}" for purpose in PURPOSES)


def users(
    identities: DataFrame,
    events: DataFrame,
    sessions: DataFrame,
    traits: DataFrame,
    rules: SessionRules,
    ids: DataFrame | None = None,
) -> DataFrame:
    """The persons of these identities, in the columns of `USERS`.

    A person is a robot when all their events are; what a robot did on a person's device counts among the sums. An event
    or session is the person's whose device it came from; on a shared device, and without one, its user's.
    `traits` are their user_traits; `ids` rows of conversion_ids, without which every conversion event counts. For some
    persons only, give the events and sessions that carry their ids, and take only their rows.
    """
    people = identities.groupBy("person_id").agg(
        _id_list("user").alias("user_ids"),
        _id_list("anonymous").alias("anonymous_ids"),
        F.min("first_seen_at").alias("first_seen_at"),
        F.max("last_seen_at").alias("last_seen_at"),
    )
    known = with_person(sessions, identities)
    sums = _event_sums(with_conversions(events, rules, ids), identities).unionByName(_session_sums(known))
    return (
        people.join(sums.groupBy("person_id").agg(*map(_sum, _SUMS)), "person_id", "left")
        .join(first_sessions(known), "person_id", "left")
        .join(current_traits(traits, "person_id"), "person_id", "left")
        .join(_consent(events, identities), "person_id", "left")
        .fillna(0, list(_SUMS))
        .withColumn("is_bot", (F.col("events") > 0) & (F.col("human_events") == 0))
        .select(*USERS.column_names)
    )


def affected_persons(
    known: DataFrame,
    changed: DataFrame,
    identities: Callable[[Sequence[str]], DataFrame],
    rows: Callable[[], DataFrame],
) -> list[str] | None:
    """The `person_id` of every person whose row may change, as they were and as they are. None where they are too many
    to be listed.

    `known` are identities that came or went, `changed` the events and sessions that did; `identities` gives those of
    some ids as they are now, `rows` all events and sessions; of events and sessions only `anonymous_id` and `user_id`.
    Whoever an id met that is another person's now counts too: a device that has become shared hands its events to their
    users. So does each such id by itself, and each that identities do not know (yet): where events were read before
    identities knew it, it was a person of its own.
    """
    ids, moved = listed(carried_ids(changed).unionByName(known.select("id")).distinct()), _ids(regrouped(known))
    if not ids or moved is None:
        return ids and moved
    met = listed(carried_ids(carrying(rows(), moved))) if moved else []
    if met is None:
        return None
    found = identities(ids).select("id", "person_id")
    unknown = frame_of(changed.sparkSession, ids).join(found, "id", "left_anti").unionByName(known.select("id"))
    persons = [found.select("person_id"), known.select("person_id"), unknown.select(F.col("id").alias("person_id"))]
    if met:
        persons.append(identities(met).select("person_id"))
    return listed(reduce(DataFrame.unionByName, persons).distinct())


def ids_of(persons: Sequence[str], identities: DataFrame) -> list[str] | None:
    """The ids of these persons; one that identities do not know (yet) is itself its only id. None where they are too
    many to be listed."""
    ids = _ids(of_ids(identities, persons, "person_id"))
    return None if ids is None else sorted({*ids, *persons})


def _ids(identities: DataFrame) -> list[str] | None:
    return listed(identities.select("id").distinct())


def _id_list(id_type: str) -> Column:
    return F.to_json(F.sort_array(F.collect_set(F.when(F.col("id_type") == id_type, F.col("id")))))


def _sum(name: str) -> Column:
    return (total(F.col(name)) if name == "revenue" else F.sum(name)).alias(name)


def _event_sums(events: DataFrame, identities: DataFrame) -> DataFrame:
    sums = events.groupBy("anonymous_id", "user_id").agg(
        F.count(F.lit(1)).alias("events"),
        F.sum((~F.col("is_bot")).cast("long")).alias("human_events"),
        F.sum(F.col("is_conversion").cast("long")).alias("conversions"),
        F.sum(amount(F.when(F.col("is_conversion"), F.col("revenue_reporting")))).alias("revenue"),
    )
    none = F.lit(0).cast("long")
    return with_person(sums, identities).select(
        *("person_id", none.alias("sessions"), "events", "human_events"),
        *(none.alias("page_views"), "conversions", "revenue"),
    )


def _session_sums(sessions: DataFrame) -> DataFrame:
    none = F.lit(0).cast("long")
    return sessions.select(
        "person_id",
        F.lit(1).cast("long").alias("sessions"),
        none.alias("events"),
        none.alias("human_events"),
        "page_views",
        none.alias("conversions"),
        F.lit(0).cast(MONEY).alias("revenue"),
    )


def first_sessions(sessions: DataFrame) -> DataFrame:
    """The first session of each person: when it began, its id, and where it came from."""
    first = Window.partitionBy("person_id").orderBy("start_at", "session_id")
    return (
        sessions.select("person_id", "start_at", "session_id", *FIRST)
        .withColumn("place", F.row_number().over(first))
        .where("place = 1")
        .select(
            *("person_id", F.col("start_at").alias("first_session_at"), F.col("session_id").alias("first_session_id")),
            *FIRST,
        )
    )


def _consent(events: DataFrame, identities: DataFrame) -> DataFrame:
    """What each person agreed to: each purpose as the last event says that answers it (ties: received_at, event_id).

    `consent_at` is when the last event happened that answers any.
    """
    place = F.concat(sortable("derived_at"), sortable("received_at"), F.col("event_id"))
    answered = events.where(F.coalesce(*CONSENT).isNotNull())
    states = answered.groupBy("anonymous_id", "user_id", *CONSENT).agg(
        F.max(place).alias("place"), F.max("derived_at").alias("consent_at")
    )
    last = {name: F.concat("place", F.lit("\u0001"), F.col(name).cast("string")) for name in CONSENT}
    people = with_person(states, identities).groupBy("person_id")
    answers = people.agg(*(F.max(answer).alias(name) for name, answer in last.items()), F.max("consent_at").alias("at"))
    said = [F.col(name).endswith("\u0001true").alias(name) for name in CONSENT]
    return answers.select("person_id", *said, F.col("at").alias("consent_at"))
