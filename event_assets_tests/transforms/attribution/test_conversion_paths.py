"""The paths to conversions: which touches are in them, and how they are written."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.attribution import CONVERSION_PATHS, CONVERSIONS, TOUCHES
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.transforms.attribution import conversion_paths as module
from event_assets.transforms.attribution.conversion_paths import conversion_paths
from event_assets.transforms.attribution.conversions import conversions
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.examples import examples
from event_assets_tests.factories import NOON, at, enriched_event, frame, rows_of

Row = dict[str, Any]
MICROSECOND = dt.timedelta(microseconds=1)


def touch(number: int, when: dt.datetime, channel: str | None, person: str = "p1", **fields: Any) -> Row:
    return {
        "person_id": person,
        "session_id": f"s{number}",
        "at": when,
        "is_touch": True,
        "channel_group": channel,
        **fields,
    }


def conversion(number: int, when: dt.datetime = NOON, person: str = "p1", revenue: float = 10.0) -> Row:
    return {
        "event_date": when.date(),
        "event_id": f"e{number}",
        "event": "purchase",
        "at": when,
        "person_id": person,
        "revenue": revenue,
    }


def made(spark: SparkSession, touches: list[Row], conversions: list[Row], **how: Any) -> dict[str, Row]:
    rows = rows_of(conversion_paths(frame(spark, touches, TOUCHES), frame(spark, conversions, CONVERSIONS), **how))
    assert all(tuple(row) == CONVERSION_PATHS.column_names for row in rows)
    return {row["event_id"]: row for row in rows}


def path(spark: SparkSession, touches: list[Row], **how: Any) -> str | None:
    found = made(spark, touches, [conversion(1)], **how)["e1"]["path"]
    assert found is None or isinstance(found, str)
    return found


def test_the_touches_up_to_a_conversion_are_its_path_in_order(spark: SparkSession) -> None:
    touches = [touch(2, at(days=-1), "Direct"), touch(1, at(days=-3), "Email"), touch(3, at(days=1), "Display")]
    row = made(spark, touches, [conversion(1)])["e1"]
    assert (row["path"], row["touches"], row["conversions"], row["revenue"]) == ("Email > Direct", 2, 1, 10.0)
    assert json.loads(row["touched_before"]) == [3 * 86_400_000_000, 86_400_000_000]
    assert (row["at"], row["event_date"], row["person_id"]) == (NOON, NOON.date(), "p1")


def test_both_ends_of_the_look_back_count(spark: SparkSession) -> None:
    touches = [
        touch(0, at(days=-30) - MICROSECOND, "Display"),
        touch(1, at(days=-30), "Email"),
        touch(2, NOON, "Direct"),
        touch(3, NOON + MICROSECOND, "Audio"),
    ]
    assert path(spark, touches) == "Email > Direct"
    assert path(spark, touches, lookback_days=31) == "Display > Email > Direct"


def test_equal_neighbours_are_one_touched_first(spark: SparkSession) -> None:
    channels = ["Email", "Email", "Direct", "Direct", "Direct", "Email"]
    touches = [touch(n, at(days=n - 6), channel) for n, channel in enumerate(channels)]
    row = made(spark, touches, [conversion(1)])["e1"]
    assert (row["path"], row["touches"]) == ("Email > Direct > Email", 6)
    assert json.loads(row["touched_before"]) == [days * 86_400_000_000 for days in (6, 4, 1)]


def test_a_run_of_equal_touches_begins_where_the_look_back_does(spark: SparkSession) -> None:
    touches = [touch(1, at(days=-40), "Email"), touch(2, at(days=-10), "Email")]
    row = made(spark, touches, [conversion(1)])["e1"]
    assert (row["path"], json.loads(row["touched_before"])) == ("Email", [10 * 86_400_000_000])


def test_a_conversion_without_a_touch_keeps_its_row(spark: SparkSession) -> None:
    row = made(spark, [touch(1, at(days=-31), "Email"), touch(2, at(1), "Email")], [conversion(1)])["e1"]
    assert (row["path"], row["touched_before"], row["touches"], row["conversions"]) == (None, None, 0, 1)


def test_a_session_that_is_no_touch_is_in_no_path(spark: SparkSession) -> None:
    assert path(spark, [touch(1, at(-9), "Email", is_touch=False)]) is None


def test_an_unknown_channel_group_is_unassigned(spark: SparkSession) -> None:
    assert path(spark, [touch(1, at(-9), None), touch(2, at(-5), "Direct")]) == "Unassigned > Direct"


def test_each_conversion_of_a_person_has_its_own_path(spark: SparkSession) -> None:
    touches = [touch(1, at(days=-40), "Email"), touch(2, at(days=-20), "Display"), touch(3, at(days=-1), "Direct")]
    found = made(spark, touches, [conversion(1, at(days=-15)), conversion(2), conversion(3, at(days=-15))])
    assert {name: row["path"] for name, row in found.items()} == {
        "e1": "Email > Display",
        "e2": "Display > Direct",
        "e3": "Email > Display",
    }


def test_another_persons_touches_are_not_in_it(spark: SparkSession) -> None:
    assert path(spark, [touch(1, at(-9), "Email", "p2"), touch(2, at(-5), "Direct")]) == "Direct"


def test_who_never_converted_has_one_path_up_to_the_last_touch(spark: SparkSession) -> None:
    touches = [touch(1, at(days=-40), "Display", "p2"), touch(2, at(days=-5), "Email", "p2"), touch(3, NOON, "Direct")]
    found = made(spark, [*touches, touch(4, at(days=-1), "Direct", "p2")], [conversion(1)])
    row = found[""]
    assert (row["person_id"], row["path"], row["at"]) == ("p2", "Email > Direct", at(days=-1))
    assert (row["conversions"], row["revenue"], row["touches"]) == (0, 0.0, 2)


def test_touches_after_the_last_conversion_are_no_path_of_their_own(spark: SparkSession) -> None:
    assert set(made(spark, [touch(1, at(5), "Email")], [conversion(1)])) == {"e1"}


def test_of_touches_without_end_the_last_ones_count(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_PATH", 3)
    touches = [touch(n, at(n - 9), f"C{n}") for n in range(6)]
    row = made(spark, touches, [conversion(1)])["e1"]
    assert (row["path"], row["touches"]) == ("C3 > C4 > C5", 6)


def test_nothing_gives_nothing(spark: SparkSession) -> None:
    assert made(spark, [], []) == {}


def test_conversions_are_events_of_the_names_that_the_rules_tell_by_people(spark: SparkSession) -> None:
    events = [
        enriched_event("purchase", properties='{"revenue": 7.5}'),
        enriched_event("signup", anonymous_id="a2", user_id="u2"),
        enriched_event("purchase", is_bot=True),
        enriched_event("page_view"),
    ]
    known = {"id_type": "user", "id": "u2", "person_id": "p9", "is_shared": False}
    shared = {"id_type": "anonymous", "id": "a2", "person_id": "a2", "is_shared": True}
    people = frame(spark, [known, shared], IDENTITIES)
    rules = SessionRules(conversion_events=("purchase", "signup"))
    rows = rows_of(conversions(frame(spark, events), people, rules))
    found = {row["event"]: (row["person_id"], row["revenue"]) for row in rows}
    assert found == {"purchase": ("a1", 7.5), "signup": ("p9", 0.0)}
    assert tuple(rows[0]) == CONVERSIONS.column_names


@examples(6)
@given(data=st.data())
def test_paths_are_what_a_walk_over_each_persons_touches_finds(spark: SparkSession, data: st.DataObject) -> None:
    days = st.sampled_from([0, 1, 2, 15, 29, 30, 31, 45, 60])
    people, channels = st.sampled_from(["p1", "p2"]), st.sampled_from(["Email", "Direct", None])
    drawn = data.draw(st.lists(st.tuples(days, channels, people, st.booleans()), max_size=12))
    touches = [touch(n, at(days=d), c, p, is_touch=v) for n, (d, c, p, v) in enumerate(drawn)]
    sales = data.draw(st.lists(st.tuples(days, people), max_size=5))
    converted = [conversion(n, at(days=d), p) for n, (d, p) in enumerate(sales)]
    rows = made(spark, data.draw(st.permutations(touches)), data.draw(st.permutations(converted)))
    for sale in converted:
        walked: list[str] = []
        for each in sorted(touches, key=lambda row: (row["at"], row["session_id"])):
            near = sale["at"] - dt.timedelta(days=30) <= each["at"] <= sale["at"]
            name = each["channel_group"] or "Unassigned"
            if near and each["is_touch"] and each["person_id"] == sale["person_id"] and walked[-1:] != [name]:
                walked.append(name)
        assert rows[sale["event_id"]]["path"] == (" > ".join(walked) or None)
