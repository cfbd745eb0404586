"""Rows of things beside what stood of them, where the events of before a day are gone: what they were known by stays.

Each function takes rows as they are `made` of the days that are left and as they stood (`standing`). What begins on or
after the day follows from what is made alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.contract.tables.people import USERS, VISITORS
from event_assets.transforms.affected import TIMES
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.people.trait_history import SAID_COLUMNS
from event_assets.transforms.people.users import CONSENT, FIRST

_SUMS = ("sessions", "events", "page_views", "conversions")
_FIRST = ("first_session_at", "first_session_id", *FIRST)


def facts(made: DataFrame, standing: DataFrame, column: str, day: str) -> DataFrame:
    """Rows that tell of one moment (`column`): those of before the day as they stand."""
    at = F.col(column)
    kept = standing.where(at < _as_of(standing, column, day)).select(*made.columns)
    return made.where(at >= _as_of(made, column, day)).unionByName(kept)


def beside(made: DataFrame, standing: DataFrame, key: Sequence[str]) -> DataFrame:
    """Rows by key: those that are not made any more as they stand."""
    return made.unionByName(standing.join(made.select(*key), [*key], "left_anti").select(*made.columns))


def no_fewer(made: DataFrame, standing: DataFrame, key: Sequence[str], count: str) -> DataFrame:
    """Rows that count something by key: what stood, where that is more."""
    both = made.unionByName(standing.select(*made.columns)).groupBy(*key)
    return both.agg(F.max(count).alias(count)).select(*made.columns)


def regrouped(rows: DataFrame, identities: DataFrame) -> DataFrame:
    """The rows with the `person_id` that their person is known by now: a person's id is one of the person's ids."""
    now = identities.groupBy(F.col("id").alias("person_id")).agg(F.min("person_id").alias("_now"))
    known = rows.join(now, "person_id", "left").withColumn("person_id", F.coalesce("_now", "person_id"))
    return known.select(*rows.columns)


def regrouped_by_ids(rows: DataFrame, identities: DataFrame) -> DataFrame:
    """The same of rows that carry ids: whose they are follows from these."""
    return with_person(rows.drop("person_id"), identities).select(*rows.columns)


def ended(made: DataFrame, standing: DataFrame, column: str, day: str) -> DataFrame:
    """Rows that hold until `column`, which is null while they do: those that ended by the day as they stand."""
    until = F.coalesce(F.col(column) <= _as_of(standing, column, day), F.lit(False))
    return made.where(~until).unionByName(standing.where(until).select(*made.columns))


def visitors_kept(made: DataFrame, standing: DataFrame, day: str) -> DataFrame:
    """`VISITORS`: of a device that was seen before the day no count falls, and it is known as long as it was."""
    before = _known(standing.where(_is_before("first_seen_at", day)), "anonymous_id")
    rows = made.join(before, "anonymous_id", "full")
    is_later = F.coalesce(F.col("user_seen_at") >= F.col("_user_seen_at"), F.col("user_id").isNotNull())
    named = {name: F.when(is_later, F.col(name)).otherwise(F.col(f"_{name}")) for name in ("user_id", "user_seen_at")}
    counts = ("events", "sessions", "page_views", "engaged_seconds")
    together = rows.withColumns(
        {
            **named,
            **{name: F.greatest(name, f"_{name}") for name in (*counts, "last_seen_at")},
            "first_seen_at": F.least("first_seen_at", "_first_seen_at"),
            "is_bot": _all_robots("is_bot", "_is_bot"),
        }
    )
    stitched = F.coalesce("user_id", "anonymous_id")
    return together.withColumn("stitched_user_id", stitched).select(*VISITORS.column_names)


def users_kept(made: DataFrame, standing: DataFrame, identities: DataFrame, day: str) -> DataFrame:
    """`USERS`: of a person who was seen before the day no count falls, and the first session and the answers stay."""
    known = regrouped(standing.where(_is_before("first_seen_at", day)), identities)
    sums = known.groupBy("person_id").agg(
        *(F.sum(name).alias(f"_{name}") for name in (*_SUMS, "revenue")), F.bool_and("is_bot").alias("_is_bot")
    )
    first = _one(known, "first_session_at", F.asc("first_session_at"), F.asc("first_session_id"))
    last = _one(known, "consent_at", F.desc("consent_at"))
    rows = (
        made.join(sums, "person_id", "left")
        .join(first.select("person_id", *(F.col(name).alias(f"_{name}") for name in _FIRST)), "person_id", "left")
        .join(
            last.select("person_id", *(F.col(name).alias(f"_{name}") for name in (*CONSENT, "consent_at"))),
            "person_id",
            "left",
        )
    )
    is_earlier = F.coalesce(
        F.col("_first_session_at") < F.col("first_session_at"), F.col("_first_session_at").isNotNull()
    )
    # In this order: what is told apart by events comes before they are counted.
    rows = rows.withColumn("is_bot", F.when(F.col("events") == 0, F.coalesce("_is_bot", "is_bot"))
                           .otherwise(_all_robots("is_bot", "_is_bot")))  # fmt: skip
    return rows.withColumns(
        {
            **{name: F.greatest(name, f"_{name}") for name in (*_SUMS, "revenue")},
            **{name: F.when(is_earlier, F.col(f"_{name}")).otherwise(F.col(name)) for name in _FIRST},
            **{name: F.coalesce(name, f"_{name}") for name in (*CONSENT, "consent_at")},
        }
    ).select(*USERS.column_names)


def members_kept(
    made: DataFrame, standing: DataFrame, identities: DataFrame, came: DataFrame | None, day: str
) -> DataFrame:
    """`GROUP_MEMBERS`: who was seen in a group before the day is a member, of the events that stood and those that
    `came` since (`TIMES`, less than nothing where they went; None where that is not known)."""
    known = regrouped(standing.where(_is_before("first_seen_at", day)), identities)
    key, spans = ("group_id", "person_id"), (F.min("first_seen_at"), F.max("last_seen_at"))
    named = [span.alias(name) for span, name in zip(spans, ("first_seen_at", "last_seen_at"), strict=True)]
    before = known.groupBy(*key).agg(*named, F.sum("events").alias("events"))
    if came is not None:
        of_people = with_person(came, identities).where(F.col("person_id").isNotNull())
        before = _added(before, of_people, key)
    both = made.unionByName(before.select(*made.columns)).groupBy(*key)
    return both.agg(*named, F.max("events").alias("events")).select(*GROUP_MEMBERS.column_names)


def groups_said(standing: DataFrame, day: str) -> DataFrame:
    """What stood of groups that were named before the day, as one event each that says it, without an id."""
    named, none = F.to_json(F.struct(F.col("group_type"))), F.lit(None).cast("string")
    at = F.col("first_seen_at")
    return standing.where(_is_before("first_seen_at", day)).select(
        *("group_id", F.lit("group").alias("event"), named.alias("properties"), at.alias("derived_at")),
        *(at.alias("received_at"), F.lit("").alias("event_id"), "traits", none.alias("traits_once")),
    )  # fmt: skip


def groups_kept(made: DataFrame, standing: DataFrame, came: DataFrame | None, day: str) -> DataFrame:
    """`GROUPS`, of `groups_said` too: a group that was named before the day has the events that stood and those that
    `came` since, as in `members_kept`."""
    before = standing.where(_is_before("first_seen_at", day))
    if came is not None:
        before = _added(before, came, ("group_id",))
    rows = made.join(_known(before.select("group_id", "events", "last_seen_at"), "group_id"), "group_id", "left")
    return rows.withColumns(
        {name: F.greatest(name, f"_{name}") for name in ("events", "last_seen_at")}
    ).select(*GROUPS.column_names)  # fmt: skip


def traits_said(standing: DataFrame, day: str) -> DataFrame:
    """What user_traits says that was said before the day, in `SAID_COLUMNS` with `person_id`."""
    name = F.to_json(F.array("trait"))
    member = F.expr("substring(name, 2, length(name) - 2)")

    def said(at: str, value: Column, event_id: Column) -> DataFrame:
        text = F.concat(F.lit("{"), member, F.lit(":"), value, F.lit("}"))
        none = F.lit(None).cast("string")
        rows = standing.withColumn("name", name).where(F.col(at) < _as_of(standing, at, day))
        return rows.select(
            *("person_id", F.col(at).alias("derived_at"), F.col(at).alias("received_at")),
            *(event_id.alias("event_id"), text.alias("traits"), none.alias("traits_once")),
        )

    set_ = said("from_at", F.col("value"), F.col("event_id"))
    taken_back = said("to_at", F.lit("null"), F.lit(""))
    return set_.unionByName(taken_back).select("person_id", *SAID_COLUMNS)


def _added(before: DataFrame, came: DataFrame, key: Sequence[str]) -> DataFrame:
    """The rows with the events that came to them."""
    more = came.groupBy(*key).agg(F.sum(TIMES).alias("_more"))
    events = F.col("events") + F.coalesce("_more", F.lit(0))
    return before.join(more, [*key], "left").withColumn("events", events).select(*before.columns)


def _known(rows: DataFrame, key: str) -> DataFrame:
    return rows.select(key, *(F.col(name).alias(f"_{name}") for name in rows.columns if name != key))


def _one(rows: DataFrame, column: str, *order: Column) -> DataFrame:
    """One row a person of those that have the column."""
    place = F.row_number().over(Window.partitionBy("person_id").orderBy(*order))
    return rows.where(F.col(column).isNotNull()).withColumn("_place", place).where("_place = 1")


def _all_robots(*columns: str) -> Column:
    one, other = (F.coalesce(F.col(name), F.lit(True)) for name in columns)
    return one & other


def _is_before(column: str, day: str) -> Column:
    return F.col(column) < F.lit(day).cast("timestamp")


def _as_of(rows: DataFrame, column: str, day: str) -> Column:
    """The day as the column's type."""
    return F.lit(day).cast(rows.schema[column].dataType)
