"""Whom company data is about: persons by their ids and addresses, companies by their groups."""

from __future__ import annotations

import json
from functools import partial
from hashlib import sha256
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables.people import USERS
from event_assets.transforms.company.attributes import FACTS, companies, person_attributes
from event_assets.transforms.identity.identities import identities
from event_assets.transforms.people.groups import group_members, groups
from event_assets.transforms.people.user_traits import user_traits
from event_assets_tests.factories import at, enriched_event, frame, row_of, rows_of
from event_assets_tests.transforms.incremental import kept

Row = dict[str, Any]
ANN = {"anonymous_id": "ann", "user_id": "u1", "group_id": "g"}
BOB = {"anonymous_id": "bob", "user_id": "u2", "group_id": "g"}


def facts(spark: SparkSession, *said: tuple[str, str, str, Any]) -> DataFrame:
    names = [each.split()[0] for each in FACTS.split(", ")]
    rows = [
        dict(zip(names, (join, subject, attribute, json.dumps(value), "crm.t"), strict=True))
        for join, subject, attribute, value in said
    ]
    return spark.createDataFrame(pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names])), FACTS)


class Seen:
    """The tables about people and groups of these events."""

    def __init__(self, spark: SparkSession, *rows: Row) -> None:
        self.spark = spark
        self.events = frame(spark, rows)
        self.people = kept(spark, identities(self.events, partial(kept, spark)).rows)
        self.members = kept(spark, group_members(self.people, self.events))

    def said_of_persons(self, *said: tuple[str, str, str, Any]) -> dict[tuple[str, str], tuple[Any, str, str | None]]:
        traits = user_traits(self.people, self.events)
        rows = rows_of(person_attributes(facts(self.spark, *said), self.people, traits, self.members))
        found = {(r["person_id"], r["attribute"]): (json.loads(r["value"]), r["text"], r["group_id"]) for r in rows}
        assert len(found) == len(rows)
        return found

    def companies(self, users: list[Row], *said: tuple[str, str, str, Any]) -> dict[str, Row]:
        known = frame(self.spark, users, USERS)
        made = companies(facts(self.spark, *said), groups(self.members, self.events), self.members, known)
        return {row["group_id"]: row for row in rows_of(made)}


def test_a_person_is_found_by_user_id_by_address_by_its_hash_and_by_company(spark_engine: SparkSession) -> None:
    hashed = sha256(b"ann@example.com").hexdigest()
    seen = Seen(
        spark_engine,
        enriched_event("identify", at(0), traits='{"email":" Ann@Example.com"}', **ANN),
        enriched_event("identify", at(1), traits='{"email":"bob@example.com"}', **BOB),
        enriched_event("page_view", at(9), anonymous_id="bob", group_id="h"),
    )
    said = seen.said_of_persons(
        ("user_id", "u1", "seats", 3),
        ("user_id", "nobody", "seats", 4),
        ("email", "ANN@example.com ", "title", "CTO"),
        ("email_sha256", hashed.upper(), "vip", True),
        ("group_id", "g", "plan", 'pro "x"'),
        ("group_id", "h", "plan", "free"),
        ("group_id", "g", "seats", 99),
    )
    assert said == {
        ("ann", "seats"): (3, "3", None),
        ("ann", "title"): ("CTO", "CTO", None),
        ("ann", "vip"): (True, "true", None),
        ("ann", "plan"): ('pro "x"', 'pro "x"', "g"),
        ("bob", "seats"): (99, "99", "g"),
        ("bob", "plan"): ("free", "free", "h"),
    }


def test_a_company_has_what_is_said_of_it_its_members_and_what_the_first_of_them_came_by(
    spark_engine: SparkSession,
) -> None:
    seen = Seen(
        spark_engine,
        enriched_event("group", at(5), **ANN),
        enriched_event("group", at(6), **BOB),
        enriched_event("group", at(7), anonymous_id="cat", group_id="unsold"),
    )
    users = [
        row_of(USERS, person_id="ann", first_seen_at=at(5), channel_group="Direct", is_bot=False),
        row_of(USERS, person_id="bob", first_seen_at=at(2), channel_group="Paid Search", source="google", is_bot=False),
        row_of(USERS, person_id="cat", first_seen_at=at(1), channel_group="Email", is_bot=True),
    ]
    found = seen.companies(
        users,
        ("group_id", "g", "name", "Initech"),
        ("group_id", "g", "mrr", 99.5),
        ("group_id", "g", "owner", {"id": 7}),
        ("group_id", "unseen", "plan", "free"),
        ("group_id", "unseen", "mrr", "a lot"),
        ("user_id", "g", "plan", "of a person"),
    )
    assert set(found) == {"g", "unseen", "unsold"}
    company = found["g"]
    assert json.loads(company.pop("attributes")) == {"name": "Initech", "mrr": 99.5, "owner": {"id": 7}}
    assert company | {"medium": None, "campaign": None} == {
        "group_id": "g",
        "name": "Initech",
        "plan": None,
        "status": None,
        "industry": None,
        "country": None,
        "mrr": 99.5,
        "is_customer": True,
        "members": 2,
        "first_seen_at": at(5),
        "last_seen_at": at(6),
        "channel_group": "Paid Search",
        "source": "google",
        "medium": None,
        "campaign": None,
    }
    unseen, unsold = found["unseen"], found["unsold"]
    assert (unseen["plan"], unseen["mrr"], unseen["members"], unseen["first_seen_at"]) == ("free", None, 0, None)
    assert (unsold["is_customer"], unsold["attributes"], unsold["members"]) == (False, None, 1)
    assert unsold["channel_group"] is None, "robots came by nothing"
