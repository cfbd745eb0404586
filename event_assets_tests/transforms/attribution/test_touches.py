"""Where sessions came from, and the last source that was not direct."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pyspark.sql import SparkSession

from event_assets.contract.tables.attribution import TOUCHES
from event_assets.contract.tables.sessions import PAGE_VIEWS, SESSIONS
from event_assets.transforms.attribution.touches import last_non_direct, touches
from event_assets_tests.factories import at, frame, rows_of

Row = dict[str, Any]
SECOND = dt.timedelta(microseconds=1)


def session(number: int, when: dt.datetime, channel: str | None = "Direct", **fields: Any) -> Row:
    source = "(direct)" if channel == "Direct" else (channel or "").lower() or None
    return {
        "session_id": f"s{number}",
        "person_id": "p1",
        "start_at": when,
        "page_views": 1,
        "is_bot": False,
        "source": source,
        "medium": f"m{number}",
        "campaign": f"c{number}",
        "channel_group": channel,
        **fields,
    }


def view(number: int, when: dt.datetime, index: int = 1) -> Row:
    return {"session_id": f"s{number}", "start_at": when, "index_in_session": index}


def made(spark: SparkSession, sessions: list[Row], views: list[Row] | None = None, days: int = 30) -> list[Row]:
    rows = rows_of(touches(frame(spark, sessions, SESSIONS), frame(spark, views or [], PAGE_VIEWS), days))
    return sorted(rows, key=lambda row: (row["at"], row["session_id"]))


def last_sources(rows: list[Row]) -> list[str | None]:
    return [row["last_source"] for row in rows]


def test_a_touch_is_the_first_page_view_of_a_session(spark: SparkSession) -> None:
    (row,) = made(spark, [session(1, at(0), "Email")], [view(1, at(30), 2), view(1, at(7))])
    assert tuple(row) == TOUCHES.column_names
    assert (row["at"], row["has_page_view"], row["channel_group"]) == (at(7), True, "Email")


def test_a_session_of_a_device_is_a_touch_and_a_servers_only_with_a_page(spark: SparkSession) -> None:
    rows = made(
        spark,
        [
            session(1, at(0), page_views=0, platform="web"),
            session(2, at(1), page_views=0, platform="android"),
            session(3, at(2), page_views=0, platform="server"),
            session(4, at(3), page_views=0, platform="server", entry_url="https://shop.example/"),
        ],
    )
    assert [row["is_touch"] for row in rows] == [True, True, False, True]


def test_a_session_without_any_page_is_there_and_says_so(spark: SparkSession) -> None:
    rows = made(
        spark,
        [
            session(1, at(0), page_views=0),
            session(2, at(1), page_views=0, entry_url="https://shop.example/"),
            session(3, at(2), page_views=1),
        ],
    )
    assert [(row["at"], row["has_page_view"]) for row in rows] == [(at(0), False), (at(1), True), (at(2), True)]


def test_robots_are_left_out(spark: SparkSession) -> None:
    assert made(spark, [session(1, at(0), "Email", is_bot=True)]) == []


def test_a_source_that_is_not_direct_is_its_own_last_one(spark: SparkSession) -> None:
    rows = made(spark, [session(1, at(0), "Email"), session(2, at(1), "Referral")])
    assert last_sources(rows) == ["email", "referral"]


def test_a_direct_session_has_the_nearest_earlier_source_with_all_it_says(spark: SparkSession) -> None:
    rows = made(spark, [session(1, at(0), "Email"), session(2, at(1), "Referral"), session(3, at(2))])
    last = {name: value for name, value in rows[2].items() if name.startswith("last_")}
    assert last == {
        "last_source": "referral",
        "last_medium": "m2",
        "last_campaign": "c2",
        "last_channel_group": "Referral",
    }
    assert rows[2]["source"] == "(direct)"


def test_an_internal_session_is_no_source_that_lasts(spark: SparkSession) -> None:
    rows = made(spark, [session(1, at(0), "Email"), session(2, at(1), "Internal"), session(3, at(2))])
    assert last_sources(rows) == ["email", "email", "email"]


def test_thirty_days_are_near_and_a_moment_more_is_not(spark: SparkSession) -> None:
    rows = made(spark, [session(1, at(0), "Email"), session(2, at(days=30)), session(3, at(days=30) + SECOND)])
    assert last_sources(rows) == ["email", "email", "(direct)"]


def test_the_days_are_counted_from_the_source_not_from_the_direct_session_before(spark: SparkSession) -> None:
    rows = made(spark, [session(1, at(0), "Email"), session(2, at(days=20)), session(3, at(days=40))])
    assert last_sources(rows) == ["email", "email", "(direct)"]


def test_how_long_a_source_lasts_is_a_rule(spark: SparkSession) -> None:
    rows = made(spark, [session(1, at(0), "Email"), session(2, at(days=40))], days=60)
    assert last_sources(rows) == ["email", "email"]


def test_nobody_has_the_source_of_another_person_or_of_later(spark: SparkSession) -> None:
    rows = made(spark, [session(1, at(0), "Email", person_id="p2"), session(2, at(1)), session(3, at(2), "Email")])
    assert last_sources(rows) == ["email", "(direct)", "email"]


def test_a_source_that_could_not_be_told_does_not_last(spark: SparkSession) -> None:
    rows = made(spark, [session(1, at(0), "Email"), session(2, at(1), None), session(3, at(2))])
    assert last_sources(rows) == ["email", "email", "email"]
    (alone,) = made(spark, [session(1, at(0), None)])
    assert (alone["last_source"], alone["last_channel_group"]) == (None, None)


def test_at_one_time_the_session_id_tells_which_is_earlier(spark: SparkSession) -> None:
    rows = made(spark, [session(2, at(0)), session(1, at(0), "Email"), session(0, at(0))])
    assert last_sources(rows) == ["(direct)", "email", "email"]


def test_any_order_of_rows_gives_the_same(spark: SparkSession) -> None:
    sessions = [session(n, at(days=n * 7 % 50), ("Email", "Direct", None)[n % 3]) for n in range(12)]
    assert made(spark, sessions[::-1]) == made(spark, sessions)


def test_it_takes_any_rows_that_name_person_time_and_source(spark: SparkSession) -> None:
    schema = ", ".join(f"{c.name} {c.spark_type}" for c in TOUCHES.columns if not c.name.startswith("last_"))
    rows = [
        ("p", "s1", at(0), True, "x", "y", None, "Paid Search", True),
        ("p", "s2", at(1), False, "(direct)", "(none)", None, "Direct", False),
    ]
    found = rows_of(last_non_direct(spark.createDataFrame(rows, schema)))
    assert last_sources(found) == ["x", "x"]
