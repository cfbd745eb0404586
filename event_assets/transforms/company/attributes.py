"""The rows of `person_attributes` and `companies`: whom company data is about, and what it says of them.

Facts are what it says: `join` (group_id, user_id, email, email_sha256), `subject` (the id or address), `attribute`,
`value` (JSON), `source`. One fact a subject and attribute.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from event_assets.contract.tables.company import COMPANIES, COMPANY_COLUMNS, PERSON_ATTRIBUTES
from event_assets.transforms.people.trait_history import current_traits

FACTS = "join STRING, subject STRING, attribute STRING, value STRING, source STRING"
"""The columns of facts."""
_FIRST_TOUCH = ("channel_group", "source", "medium", "campaign")


def person_attributes(facts: DataFrame, identities: DataFrame, traits: DataFrame, members: DataFrame) -> DataFrame:
    """What company data says of persons, in the columns of `PERSON_ATTRIBUTES`.

    `identities`, `traits` (user_traits) and `members` (group_members) are the lake's. What is said of a person comes
    before what is said of their company; of several ids, or companies, of a person the one that was seen last counts.
    """
    said = facts.select("join", "subject", "attribute", "value", F.col("source").alias("said_by"))
    rows = [
        _of(said, "user_id", _by_user_id(identities), 0),
        _of(said, "email", _by_email(traits), 1),
        _of(said, "email_sha256", _by_email(traits), 2),
        _of(said, "group_id", _by_group(members), 3),
    ]
    best = Window.partitionBy("person_id", "attribute").orderBy("rank", F.desc("at"), "subject")
    return (
        reduce(DataFrame.unionByName, rows)
        .withColumn("nth", F.row_number().over(best))
        .where("nth = 1")
        .select(
            "person_id",
            "attribute",
            "value",
            as_text(F.col("value")).alias("text"),
            F.col("said_by").alias("source"),
            F.when(F.col("join") == "group_id", F.col("subject")).alias("group_id"),
        )
        .select(*PERSON_ATTRIBUTES.column_names)
    )


def companies(facts: DataFrame, groups: DataFrame, members: DataFrame, users: DataFrame) -> DataFrame:
    """The companies that facts and groups tell of, in the columns of `COMPANIES`. `groups`, `members` (group_members)
    and `users` are the lake's."""
    of_groups = facts.where("join = 'group_id'").withColumnRenamed("subject", "group_id")
    told = of_groups.groupBy("group_id").agg(
        *(_column(name).alias(name) for name in COMPANY_COLUMNS), _column("mrr").alias("mrr_text")
    )
    listed = of_groups.select("group_id", F.col("attribute").alias("trait"), "value", F.lit(True).alias("is_current"))
    said = told.join(current_traits(listed, "group_id"), "group_id", "left").withColumn("told", F.lit(True))
    seen = groups.select("group_id", "members", "first_seen_at", "last_seen_at")
    return (
        said.join(seen, "group_id", "full_outer")
        .join(_first_touches(members, users), "group_id", "left")
        .withColumn("mrr", F.expr("try_cast(mrr_text AS DOUBLE)"))
        .withColumn("attributes", F.col("traits"))
        .withColumn("is_customer", F.coalesce(F.col("told"), F.lit(False)))
        .withColumn("members", F.coalesce(F.col("members"), F.lit(0)).cast("long"))
        .select(*COMPANIES.column_names)
    )


def as_text(value: Column) -> Column:
    """A JSON value as text: of a text the text itself."""
    return F.coalesce(F.get_json_object(F.concat(F.lit('{"v":'), value, F.lit("}")), "$.v"), value)


def _of(said: DataFrame, join: str, persons: DataFrame, rank: int) -> DataFrame:
    """What is said by this kind of id, with the persons whose it is. `persons`: key, person_id, at."""
    key = F.sha2(F.lower(F.trim("subject")), 256) if join == "email" else F.col("subject")
    if join == "email_sha256":
        key = F.lower(F.trim("subject"))
    return (
        said.where(F.col("join") == join)
        .withColumn("key", key)
        .join(persons, "key")
        .select("join", "subject", "attribute", "value", "said_by", "person_id", "at", F.lit(rank).alias("rank"))
    )


def _by_user_id(identities: DataFrame) -> DataFrame:
    return identities.where("id_type = 'user'").select(
        F.col("id").alias("key"), "person_id", F.col("last_seen_at").alias("at")
    )


def _by_email(traits: DataFrame) -> DataFrame:
    """Persons by the SHA-256 of the address that they have now."""
    address = F.lower(F.trim(as_text(F.col("value"))))
    return traits.where("is_current AND trait = 'email'").select(
        F.sha2(address, 256).alias("key"), "person_id", F.col("from_at").alias("at")
    )


def _by_group(members: DataFrame) -> DataFrame:
    return members.select(F.col("group_id").alias("key"), "person_id", F.col("last_seen_at").alias("at"))


def _column(attribute: str) -> Column:
    return F.max(F.when(F.col("attribute") == attribute, as_text(F.col("value"))))


def _first_touches(members: DataFrame, users: DataFrame) -> DataFrame:
    """What the member of each group came by who was seen first; robots are none."""
    first = Window.partitionBy("group_id").orderBy(F.col("user_seen_at"), F.col("person_id"))
    known = users.where("NOT is_bot").select("person_id", F.col("first_seen_at").alias("user_seen_at"), *_FIRST_TOUCH)
    return (
        members.select("group_id", "person_id")
        .join(known, "person_id")
        .withColumn("nth", F.row_number().over(first))
        .where("nth = 1")
        .select("group_id", *_FIRST_TOUCH)
    )
