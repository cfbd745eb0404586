"""Rows of `users` after events and sessions came, made of the rows as they stand and of these alone.

What a row is made of all that there is, is told in users.py.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from event_assets.contract.tables.people import USERS
from event_assets.transforms.affected import TIMES
from event_assets.transforms.money import MONEY, amount, as_double
from event_assets.transforms.people.trait_history import current_traits
from event_assets.transforms.people.users import CONSENT, FIRST, first_sessions
from event_assets.transforms.sortable import sortable

IS_NOT_KNOWN = "_is_not_known"
"""Whether the row does not follow from what is given: make it of all that there is."""

_LARGEST_EXACT = 1e9
"""Of a double below that the sum of millionths is known of which it is the nearest."""
_FIRST = ("first_session_at", "first_session_id", *FIRST)


def users_after(
    standing: DataFrame, seen: DataFrame, events: DataFrame, counted: DataFrame, sessions: DataFrame, traits: DataFrame
) -> DataFrame:
    """The rows of persons whose ids are the same as before, in the columns of `USERS` with `IS_NOT_KNOWN`.

    `standing` are their rows as they were, `seen` their ids that were seen again (`first_seen_at`, `last_seen_at`),
    `events` those that came, with `is_conversion`, where none went; `counted` are events of before that count as
    conversions now, or do not any more, and `sessions` those that came or went (both with `TIMES`); all of these say
    `person_id`. `traits` are their user_traits as they are. It is not known

    - where the first session went, and none that came is as early;
    - what somebody agrees to, where an answer came that is another than the last, and not later than it;
    - where revenue changes that is so large that its double does not tell all digits.
    """
    came, went = sessions.where(F.col(TIMES) > 0), sessions.where(F.col(TIMES) < 0)
    told = (
        seen.groupBy("person_id").agg(F.min("first_seen_at").alias("_first"), F.max("last_seen_at").alias("_last")),
        _sums(events, counted, sessions),
        first_sessions(came).select("person_id", *(F.col(name).alias(f"_{name}") for name in _FIRST)),
        went.select("person_id", F.col("session_id").alias("first_session_id")).withColumn("_went", F.lit(True)),
        _answers(events),
    )
    rows = standing
    for more in told:
        by = ["person_id", "first_session_id"] if "first_session_id" in more.columns else ["person_id"]
        rows = rows.join(more, by, "left")
    known = _with_consent(_with_first(_with_sums(rows)))
    return (
        known.drop("traits")
        .join(current_traits(traits, "person_id"), "person_id", "left")
        .select(*USERS.column_names, F.coalesce(IS_NOT_KNOWN, F.lit(True)).alias(IS_NOT_KNOWN))
    )


def _sums(events: DataFrame, counted: DataFrame, sessions: DataFrame) -> DataFrame:
    """What is to be added, by person."""
    none = F.lit(0).cast("long")
    converted = F.col("is_conversion").cast("long")
    revenue = amount(F.when(F.col("is_conversion"), F.col("revenue_reporting")))
    times = F.col(TIMES)
    parts = (
        events.select(
            *("person_id", none.alias("sessions"), none.alias("page_views"), F.lit(1).cast("long").alias("events")),
            (~F.col("is_bot")).cast("long").alias("human"),
            *(converted.alias("conversions"), revenue.alias("revenue")),
        ),
        counted.select(
            *("person_id", none.alias("sessions"), none.alias("page_views"), none.alias("events"), none.alias("human")),
            times.cast("long").alias("conversions"),
            F.when(times > 0, amount(F.col("revenue_reporting")))
            .otherwise(-amount(F.col("revenue_reporting")))
            .alias("revenue"),
        ),
        sessions.select(
            *("person_id", times.cast("long").alias("sessions"), (times * F.col("page_views")).alias("page_views")),
            *(none.alias("events"), none.alias("human"), none.alias("conversions")),
            F.lit(None).cast(MONEY).alias("revenue"),
        ),
    )
    names = ("sessions", "page_views", "events", "human", "conversions", "revenue")
    together = reduce(DataFrame.unionByName, parts).groupBy("person_id")
    return together.agg(*(F.sum(name).alias(f"_{name}") for name in names))


def _with_sums(rows: DataFrame) -> DataFrame:
    more = {name: F.col(name) + F.coalesce(f"_{name}", F.lit(0)) for name in ("sessions", "page_views", "conversions")}
    exact = (amount(F.col("revenue")) + F.col("_revenue")).cast(MONEY)
    is_robot = (F.col("events") == 0) | F.col("is_bot")
    events = F.col("events") + F.coalesce("_events", F.lit(0))
    return rows.withColumns(
        {
            **more,
            "revenue": F.coalesce(as_double(exact), "revenue"),
            IS_NOT_KNOWN: F.col("_revenue").isNotNull() & (F.abs("revenue") >= _LARGEST_EXACT),
            "events": events,
            "is_bot": (events > 0) & is_robot & (F.coalesce("_human", F.lit(0)) == 0),
            "first_seen_at": F.least("first_seen_at", "_first"),
            "last_seen_at": F.greatest("last_seen_at", "_last"),
        }
    )


def _with_first(rows: DataFrame) -> DataFrame:
    """The first session: that which stands, or one that came and began no later."""
    standing, came = (
        F.concat(sortable(f"{mark}first_session_at"), F.col(f"{mark}first_session_id")) for mark in ("", "_")
    )
    is_another = F.coalesce(came <= standing, came.isNotNull())
    is_lost = F.coalesce("_went", F.lit(False)) & ~is_another
    return rows.withColumns(
        {
            **{name: F.when(is_another, F.col(f"_{name}")).otherwise(F.col(name)) for name in _FIRST},
            IS_NOT_KNOWN: F.col(IS_NOT_KNOWN) | is_lost,
        }
    )


def _answers(events: DataFrame) -> DataFrame:
    """What the events that came say of consent: of each purpose the last answer and when it was given."""
    place = F.concat(sortable("derived_at"), sortable("received_at"), F.col("event_id"))
    answered = events.where(F.coalesce(*CONSENT).isNotNull()).withColumn("place", place)
    last = [
        F.max(F.concat("place", F.lit("\u0001"), F.col(name).cast("string"))).endswith("\u0001true").alias(f"_{name}")
        for name in CONSENT
    ]
    when = [F.max(F.when(F.col(name).isNotNull(), F.col("derived_at"))).alias(f"_{name}_at") for name in CONSENT]
    return answered.groupBy("person_id").agg(*last, *when, F.max("derived_at").alias("_consent_at"))


def _with_consent(rows: DataFrame) -> DataFrame:
    found: dict[str, Column] = {}
    is_known = ~F.col(IS_NOT_KNOWN)
    for name in CONSENT:
        said, came = F.col(name), F.col(f"_{name}")
        is_later = said.isNull() | (F.col(f"_{name}_at") > F.col("consent_at"))
        found[name] = F.when(came.isNotNull() & is_later, came).otherwise(said)
        is_known = is_known & (came.isNull() | is_later | (came == said))
    at = F.greatest("consent_at", "_consent_at")
    return rows.withColumns({**found, "consent_at": at, IS_NOT_KNOWN: ~is_known})
