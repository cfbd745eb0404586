"""The same rows on every engine."""

from __future__ import annotations

import datetime as dt
import json
import random
from functools import partial
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.enrichment.channel import CHANNEL_GROUPS
from event_assets.pipeline.spend import Spend
from event_assets.rules.feature import Features
from event_assets.settings import Settings
from event_assets.transforms.attribution.attribution import attribution, channel_performance
from event_assets.transforms.attribution.conversion_ids import conversion_ids, with_repeated, with_repeats
from event_assets.transforms.attribution.conversion_paths import conversion_paths
from event_assets.transforms.attribution.conversions import conversions
from event_assets.transforms.attribution.touches import touches
from event_assets.transforms.features.person_features import event_parts, features_at, person_features, session_parts
from event_assets.transforms.identity.identities import identities
from event_assets.transforms.identity.stitching import stitch, with_person
from event_assets.transforms.metrics.daily_marts import daily_events, daily_pages, daily_sessions
from event_assets.transforms.metrics.daily_metrics import daily_metrics
from event_assets.transforms.metrics.dimensions import campaigns, dates, devices, pages, places
from event_assets.transforms.metrics.period_people import period_people
from event_assets.transforms.people.consent_receipts import consent_receipts
from event_assets.transforms.people.groups import group_members, groups
from event_assets.transforms.people.habits import habits
from event_assets.transforms.people.user_history import user_history
from event_assets.transforms.people.user_traits import user_traits
from event_assets.transforms.people.users import users
from event_assets.transforms.people.visitors import visitors
from event_assets.transforms.segments.segment_memberships import segment_memberships
from event_assets.transforms.segments.user_segments import user_segments
from event_assets.transforms.sessions.event_days import days_of_events, days_of_sessions
from event_assets.transforms.sessions.page_views import page_views
from event_assets.transforms.sessions.session_issues import session_issues
from event_assets.transforms.sessions.sessionise import session_events, sessionise
from event_assets.transforms.sessions.sessions import sessions
from event_assets_tests.factories import at, enriched_event, frame, rows_of
from event_assets_tests.transforms.day_by_day import EVERY_KIND
from event_assets_tests.transforms.incremental import RULES, SmallLake, kept

Row = dict[str, Any]


def some_events(count: int, seed: int = 7) -> list[Row]:
    """Events of a few devices and users over five days, with every kind of edge in them."""
    chance = random.Random(seed)
    names = (
        "page_view",
        "page_view",
        "screen_view",
        "page_ping",
        "page_ping",
        "purchase",
        "identify",
        "alias",
        "group",
        "signup",
    )
    return [
        enriched_event(
            chance.choice(names),
            at(chance.randrange(0, 5 * 86400 * 1000) / 1000 if chance.random() < 0.3 else chance.randrange(0, 9000)),
            received_at=at(chance.randrange(0, 6 * 86400)),
            anonymous_id=chance.choice(["a1", "a2", "ä3", "a4", None]),
            user_id=chance.choice(["u1", "u2", "u3", "u4", "u5", "u6", "u7"]) if chance.random() < 0.3 else None,
            session_id=chance.choice([None, None, "s1", "s2"]),
            page_view_id=chance.choice([None, *(f"p{number}" for number in range(20))]),
            page_url=chance.choice([None, "https://example.com/ü", "https://example.com/b?c=1"]),
            page_path=chance.choice([None, "/ü", "/b/c", "/"]),
            page_title=chance.choice([None, "B", "Ü"]),
            screen_name=chance.choice([None, "Start"]),
            **{
                name: chance.choice([None, *values])
                for name, values in {
                    "country": ["DE", "AT"],
                    "region": ["Wien", "Bayern"],
                    "city": ["Wien", "Ulm"],
                    "source": ["ü\x1f", "news"],
                    "medium": ["cpc"],
                    "campaign": ["😀 1", "(none)"],
                    "device_type": ["mobile", "desktop"],
                    "os": ["iOS"],
                    "browser": ["Safari"],
                    "app_id": ["shop"],
                }.items()
            },
            scroll_y_max=chance.choice([None, -5, 300, 9000]),
            viewport_height=700,
            document_height=chance.choice([None, 0, 3000]),
            properties=json.dumps(
                {
                    "revenue": chance.choice([1, 2.5, 0.1, 12.34, "3", "x"]),
                    "previous_id": chance.choice(["a9", "u1"]),
                    "order_id": chance.choice([None, "ö", " null", *range(20)]),
                }
            ),
            sequence=chance.choice([None, 1, 2, 9]),
            is_bot=chance.random() < 0.05,
            traits=chance.choice(
                [None, None, '{"plan": "free", "ü\\"": [1, {"b": 2.50}]}', '{"plan": null, "n": 1e3}']
            ),
            consent_analytics=chance.choice([None, None, True, False]),
            consent_marketing=chance.choice([None, None, True]),
            install_id=chance.choice([None, "i1", "i1", "i2"]),
            group_id=chance.choice([None, None, "g1", "ü"]),
            traits_once=chance.choice([None, None, '{"plan": "late", "m": [1.50]}', '{"n": null}']),
        )
        for _ in range(count)
    ]


def all_tables(spark: SparkSession, rows: list[Row]) -> dict[str, list[Row]]:
    """Every table that follows from enriched events, by name."""
    events = kept(spark, frame(spark, rows))
    ids = kept(spark, with_repeats(conversion_ids(events, RULES)))
    marked = kept(spark, sessionise(session_events(events, RULES, ids), RULES))
    unstitched = kept(spark, sessions(marked, events, RULES))
    view_rows = kept(spark, page_views(marked, events, RULES))
    people = kept(spark, identities(events, partial(kept, spark)).rows)
    session_rows = kept(spark, stitch(unstitched, people))
    trait_rows = kept(spark, user_traits(people, events))
    user_rows = kept(spark, users(people, events, session_rows, trait_rows, RULES, ids))
    tables: dict[str, DataFrame] = {
        "conversion_ids": ids,
        "sessionised": marked,
        "sessions": session_rows,
        "session_issues": session_issues(marked, RULES),
        "event_days": days_of_events(events).unionByName(days_of_sessions(session_rows)),
        "page_views": view_rows,
        "visitors": visitors(events, session_rows),
        "habits": habits(events, ("purchase",)),
        "identities": people,
        "user_traits": trait_rows,
        "users": user_rows,
        "group_members": (member_rows := kept(spark, group_members(people, events))),
        "groups": groups(member_rows, events),
        "user_segments": user_segments(user_rows, with_person(events, people), dt.date(2026, 3, 12)),
        "segment_memberships": segment_memberships(
            with_person(events, people),
            EVERY_KIND,
            dt.date(2026, 3, 12),
            traits=trait_rows,
            sessions=session_rows,
            ids=ids,
        ),
        "daily_metrics": daily_metrics(events, session_rows, view_rows, RULES, ids),
        "daily_sessions": daily_sessions(session_rows),
        "daily_events": daily_events(events, RULES, ids),
        "daily_pages": daily_pages(view_rows),
        "period_people": period_people(session_rows, events, view_rows, people, dt.date(2026, 3, 12)),
        "user_history": user_history(people, events, trait_rows),
        "consent_receipts": consent_receipts(people, events),
        "dates": dates(spark, dt.date(2025, 12, 31), dt.date(2026, 3, 12)),
        "pages": pages(view_rows),
        "campaigns": campaigns(session_rows),
        "devices": devices(session_rows),
        "places": places(events),
        **_features(spark, events, session_rows, people, trait_rows, ids),
        **_attribution(spark, events, session_rows, view_rows, people, ids),
    }
    return {name: rows_of(table) for name, table in tables.items()}


def _features(
    spark: SparkSession,
    events: DataFrame,
    session_rows: DataFrame,
    people: DataFrame,
    traits: DataFrame,
    ids: DataFrame,
) -> dict[str, DataFrame]:
    features = Features.of_models(Settings().models).usable
    theirs = kept(spark, with_repeated(with_person(events, people), ids))
    parts = event_parts(theirs, features).unionByName(session_parts(with_person(session_rows, people), features))
    history = kept(spark, person_features(parts, traits, features))
    moments = theirs.select("person_id", F.col("derived_at").alias("at")).where("person_id IS NOT NULL")
    return {"person_features": history, "features_at": features_at(moments, history, theirs, features)}


def _attribution(
    spark: SparkSession,
    events: DataFrame,
    session_rows: DataFrame,
    view_rows: DataFrame,
    people: DataFrame,
    ids: DataFrame,
) -> dict[str, DataFrame]:
    groups = F.element_at(F.array(*map(F.lit, CHANNEL_GROUPS)), F.length("session_id") % len(CHANNEL_GROUPS) + 1)
    visits = kept(spark, touches(session_rows.withColumn("channel_group", groups), view_rows))
    sales = kept(spark, conversions(events, people, RULES, ids))
    paths = kept(spark, conversion_paths(visits, sales))
    spend = spark.createDataFrame([(at(0).date(), "Direct", 3.0, "EUR")], Spend.SCHEMA)
    credited = {"attribution": attribution(paths), "channel_performance": channel_performance(paths, spend)}
    # The last bit of a power is the engine's own.
    rounded = {
        name: table.withColumns(
            {each: F.round(each, 9) for each in table.columns if dict(table.dtypes)[each] == "double"}
        )
        for name, table in credited.items()
    }
    return {"touches": visits, "conversions": sales, "conversion_paths": paths, **rounded}


@pytest.mark.spark_jvm
def test_apache_spark_gives_the_rows_of_sail(spark: SparkSession, apache_spark: SparkSession) -> None:
    rows = some_events(400)
    ours, theirs = all_tables(spark, rows), all_tables(apache_spark, rows)
    for name, table in ours.items():
        assert theirs[name] == table, name


@pytest.mark.spark_jvm
def test_batches_on_apache_spark_give_the_rows_of_one_batch_on_sail(
    spark: SparkSession, apache_spark: SparkSession
) -> None:
    rows = some_events(60, seed=8)
    lake = SmallLake(apache_spark)
    for part in (rows[::2], rows[1::2]):
        lake.change(part)
    once = SmallLake(spark)
    once.change(rows)
    assert (lake.sessions, lake.page_views) == (once.sessions, once.page_views)


@pytest.mark.slow
def test_all_at_once_and_again_gives_the_same(spark: SparkSession) -> None:
    rows = some_events(200)
    tables = all_tables(spark, rows)
    assert all_tables(spark, rows[::-1]) == tables
    assert len(tables["sessions"]) > 10 and len(tables["page_views"]) > 5 and tables["session_issues"]
    assert {SESSIONS.column_names, PAGE_VIEWS.column_names} == {
        tuple(tables[name][0]) for name in ("sessions", "page_views")
    }
