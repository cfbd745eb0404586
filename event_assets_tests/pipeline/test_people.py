"""Tables about people: doing only those whom a change touches gives the rows of doing all."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.pipeline.consent_receipts import consent_receipts_step
from event_assets.pipeline.groups import group_members_step, groups_step
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.people import segments_step
from event_assets.pipeline.person_features import person_features_step
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.user_history import user_history_step
from event_assets.pipeline.user_traits import user_traits_step
from event_assets.pipeline.users import users_step
from event_assets.pipeline.visitors import visitors_step
from event_assets.rules.feature import Features
from event_assets.settings import Settings
from event_assets.transforms import affected
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event, frame
from event_assets_tests.pipeline.runs import a_run, away
from event_assets_tests.transforms.incremental import RULES, sessions_of

pytestmark = pytest.mark.slow

Row = dict[str, Any]
STEPS = {
    "visitors": visitors_step,
    "identities": identities_step,
    "user_traits": user_traits_step,
    "users": users_step,
    "group_members": group_members_step,
    "groups": groups_step,
    "user_history": user_history_step,
    "consent_receipts": consent_receipts_step,
    "user_segments": segments_step,
    "person_features": person_features_step,
}
FEATURES = Features.of_models(Settings().models)


ANSWERED = ("user_history", "consent_receipts")
"""The tables that are made of what people answer."""


class People:
    """A lake whose events and sessions are given, and the tables about people that are made of them."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark = spark
        self.lake = Lake(Storage(str(folder)))
        self.events: list[Row] = []

    def change(self, came: list[Row], went: list[Row] | None = None, *, sessions: bool = True) -> None:
        """Events come, and go; sessions are cut anew and written again, unless they are left behind, as are the days
        that lost an event."""
        gone = {row["event_id"] for row in went or []}
        self.events = [row for row in self.events if row["event_id"] not in gone] + came
        self.write(ENRICHED_EVENTS, self.events if gone else came, anew=bool(gone))
        if sessions:
            self.cut_sessions()

    def cut_sessions(self) -> None:
        self.write(SESSIONS, sessions_of(self.spark, self.events) if self.events else [])

    def write(self, table: Table, rows: list[Row], *, anew: bool = True) -> None:
        base = self.lake.table(table.name).snapshot()
        staged = base.table.stage(frame(self.spark, rows, table), 1, len(rows)) if rows else []
        progress = Progress()
        if table is SESSIONS:
            events = self.lake.table(ENRICHED_EVENTS.name).snapshot()
            progress = progress.with_consumed(ENRICHED_EVENTS.name, events.consumed)
        base.table.commit(base, progress, add=staged, remove=base.files if anew else [])

    def run(self, *, rebuild: bool = False, without: Collection[str] = ()) -> dict[str, StepReport]:
        """Brings the tables up to date, but for those left out."""
        now = a_run(self.lake, self.spark, rebuild=rebuild, sessions=RULES, features=FEATURES)
        reports = (step(now) for table, step in STEPS.items() if table not in without)
        return {report.table: report for report in reports}

    def rows(self) -> dict[str, list[Row]]:
        return {
            name: sorted(self.lake.table(name).snapshot().arrow().to_pylist(), key=lambda row: str(list(row.values())))
            for name in STEPS
        }

    def persons(self) -> dict[str, str]:
        return {row["id"]: row["person_id"] for row in self.rows()["identities"]}

    def assert_history_is_whole(self) -> None:
        """Of every person from their first event on, without gaps and overlaps, and only the last row holds."""
        tables = self.rows()
        seen: dict[str, list[dt.datetime]] = defaultdict(list)
        for row in tables["identities"]:
            seen[row["person_id"]].append(row["first_seen_at"])
        history: dict[str, list[Row]] = defaultdict(list)
        for row in tables["user_history"]:
            history[row["person_id"]].append(row)
        assert history.keys() == seen.keys()
        for person, rows in history.items():
            rows.sort(key=lambda row: row["valid_from"])
            begins = [row["valid_from"] for row in rows]
            assert begins[0] == min(seen[person]) and begins == sorted(set(begins))
            assert [row["valid_to"] for row in rows] == [*begins[1:], None]
            assert [row["is_current"] for row in rows] == [*(False for _ in begins[1:]), True]

    def assert_equal_to_a_rebuild(self) -> None:
        found = self.rows()
        self.run(rebuild=True)
        for name, rows in self.rows().items():
            assert found[name] == rows, name


def test_an_agent_that_is_known_for_a_robot_leaves_the_segments_and_stays_among_people(
    spark: SparkSession, tmp_path: Path
) -> None:
    """Lists of robots grow: the same event comes again with another flag."""
    people = People(spark, tmp_path)
    shown, other = enriched_event(anonymous_id="agent"), enriched_event()
    people.change([shown, other])
    people.run()
    assert [row["person_id"] for row in people.rows()["user_segments"]] == ["a1", "agent"]
    people.change([shown | {"is_bot": True}], [shown])
    people.run()
    for table, name in (("users", "person_id"), ("visitors", "anonymous_id")):
        assert {row[name]: row["is_bot"] for row in people.rows()[table]} == {"a1": False, "agent": True}
    assert [row["person_id"] for row in people.rows()["user_segments"]] == ["a1"]
    people.assert_equal_to_a_rebuild()


@pytest.fixture
def people(spark: SparkSession, tmp_path: Path) -> People:
    return People(spark, tmp_path)


def identify(device: str, user: str, seconds: float = 0) -> Row:
    return enriched_event("identify", at(seconds), anonymous_id=device, user_id=user)


def seen(device: str | None, user: str | None = None, seconds: float = 0) -> Row:
    return enriched_event("signup", at(seconds), anonymous_id=device, user_id=user)


def test_only_those_who_are_touched_are_made_again(people: People) -> None:
    people.change([seen("a1"), seen("a2"), seen("a3")])
    people.run()
    people.change([seen("a2", seconds=5)])
    reports = people.run()
    assert [reports[name].more["affected"] for name in ("visitors", "identities", "users")] == [1, 1, 1]
    people.assert_equal_to_a_rebuild()


BY_DAYS = ("person_features",)
"""Tables of which what a day added is made of all of the day."""


ON_BOTH = [
    pytest.param("sail", marks=pytest.mark.representative),
    pytest.param("apache_spark", marks=[pytest.mark.spark_jvm, pytest.mark.release]),
]


@pytest.mark.parametrize("spark_engine", ON_BOTH, indirect=True)
def test_what_comes_is_added_without_a_look_at_the_events_of_before(spark_engine: SparkSession, tmp_path: Path) -> None:
    people = People(spark_engine, tmp_path)
    agreed: Row = {"consent_marketing": True}
    people.change([identify("a1", "u1") | agreed | {"traits": '{"plan": "free"}'}, seen("a2")])
    people.run()
    before = people.lake.table(ENRICHED_EVENTS.name).snapshot().files
    sale = enriched_event("purchase", at(5), anonymous_id="a2", properties='{"revenue": 0.1}')
    people.change([seen("a1", "u1", 9) | agreed, sale, identify("a3", "u3", 5) | agreed])
    people.run(without=STEPS.keys() - {"identities"})
    with away(before):
        reports = people.run(without={"user_traits", "group_members", "groups", "user_segments", *BY_DAYS})
    affected_by = {name: reports[name].more["affected"] for name in ("visitors", "users", *ANSWERED)}
    assert affected_by == {"visitors": 3, "users": 3, "user_history": 1, "consent_receipts": 2}
    assert [reports[name].more["read_again"] for name in ("users", *ANSWERED)] == [0, 0, 0]
    people.run()
    people.assert_equal_to_a_rebuild()


@pytest.mark.parametrize(
    ("late", "again"),
    [
        ({"when": at(-60), "session_id": "s"}, []),
        ({"when": at(-60), "consent_marketing": False}, [*ANSWERED, "users"]),
        ({"when": at(5), "consent_marketing": False}, [*ANSWERED, "users"]),
        ({"when": at(20), "consent_marketing": True}, []),
        ({"when": at(20), "consent_marketing": True, "consent_text_version": "2"}, ["consent_receipts"]),
        ({"when": at(60), "consent_marketing": False}, [*ANSWERED]),
        ({"when": at(5), "event": "identify", "user_id": "u"}, [*ANSWERED, "users"]),
    ],
    ids=["first", "first answer", "another answer", "the same answer", "another text", "a later answer", "joins"],
)
def test_events_of_before_are_read_again_where_what_came_does_not_tell(
    people: People, late: Row, again: list[str]
) -> None:
    agreed = enriched_event("signup", at(9), consent_marketing=True)
    people.change([seen("a1"), agreed, seen("a2", "u", 1), seen(None, "u", 1)])
    people.run()
    people.change([enriched_event(**late)])
    reports = people.run()
    assert [name for name in (*ANSWERED, "users") if reports[name].more.get("read_again")] == again
    people.assert_equal_to_a_rebuild()


@pytest.mark.representative
def test_whom_identities_come_to_know_later_is_as_if_they_had_always_known(people: People) -> None:
    people.change([identify("a1", "u1"), identify("a1", "u2", 5)])
    people.run()
    people.change([identify("a1", "u3", 10), seen("a9", "u9", 10), seen(None, "u8", 10)])
    people.run(without={"identities"})
    people.run()
    people.assert_equal_to_a_rebuild()


def says(device: str, user: str, seconds: float, plan: str) -> Row:
    return {**identify(device, user, seconds), "traits": json.dumps({"plan": plan})}


@pytest.mark.representative
def test_a_device_that_a_known_user_had_in_between_makes_nobody_new(people: People) -> None:
    people.change([says("a1", "u1", 0, "free"), seen("a1", "u1", 90)])
    people.run()
    # No other identity changes by it: the user was seen before and after.
    people.change([says("b1", "u1", 30, "paid"), seen("b1", "u1", 40)])
    people.run()
    people.assert_equal_to_a_rebuild()


@pytest.mark.representative
def test_who_was_a_person_of_its_own_while_identities_lagged_leaves_nothing_behind(people: People) -> None:
    people.change([seen("a1", "u1")])
    people.run()
    people.change([says("b1", "u2", 10, "free"), says("b0", "u2", 20, "paid"), says("b2", "u1", 30, "paid")])
    people.run(without=["identities"])
    people.run()
    people.assert_equal_to_a_rebuild()


def test_a_lifecycle_stage_follows_from_all_that_a_person_did_under_any_id(people: People) -> None:
    day = 86_400
    people.change(
        [
            *(seen("back", seconds=number * day) for number in (0, 8)),
            *(seen("often", seconds=number * day) for number in (2, 9)),
            seen("away", seconds=3 * day),
            seen("gone"),
            seen("fresh", seconds=14 * day),
            seen(None, "u1", 3 * day),
            identify("late", "u1", 10 * day),
        ]
    )
    people.run()
    stages = {row["person_id"]: row["lifecycle_stage"] for row in people.rows()["user_segments"]}
    assert stages == {
        "back": "resurrecting",
        "often": "returning",
        "away": "dormant",
        "gone": "inactive",
        "fresh": "new",
        people.persons()["late"]: "returning",
    }
    people.change([seen("away", seconds=15 * day)])
    people.run()
    people.assert_equal_to_a_rebuild()


def test_rows_that_were_only_written_again_touch_nobody(people: People) -> None:
    people.change([seen("a1"), seen("a2")])
    people.run()
    people.write(ENRICHED_EVENTS, people.events)
    people.write(SESSIONS, sessions_of(people.spark, people.events))
    reports = people.run()
    assert [reports[name].new_rows for name in ("visitors", "identities", "users")] == [0, 0, 0]
    people.assert_equal_to_a_rebuild()


@pytest.mark.representative
def test_a_person_falls_apart_when_the_event_that_joined_it_goes(people: People) -> None:
    joined = identify("a1", "u1", 5)
    people.change([seen("a1"), seen(None, "u1", 1), joined, seen("a2")])
    people.run()
    assert people.persons() == {"a1": "a1", "u1": "a1", "a2": "a2"}
    people.change([], [joined])
    people.run()
    assert people.persons() == {"a1": "a1", "u1": "u1", "a2": "a2"}
    people.assert_equal_to_a_rebuild()


def test_traits_that_were_read_before_it_was_known_whose_they_are_become_the_persons(people: People) -> None:
    people.change([seen("a1"), seen(None, "u1", 1)])
    people.run(without=["user_traits"])
    people.change([identify("a2", "u1", 5) | {"traits": '{"plan": "pro"}'}])
    people.run(without=["identities"])
    people.run()
    assert {row["person_id"] for row in people.rows()["user_traits"]} == {people.persons()["u1"]}
    people.assert_equal_to_a_rebuild()


def test_a_device_that_becomes_shared_hands_its_events_to_users_who_did_nothing_new(people: People) -> None:
    people.change([seen("a1", f"u{number}", number) for number in range(5)])
    people.run()
    people.change([seen("a1", "u9", 60)])
    people.run()
    assert {row["person_id"]: row["events"] for row in people.rows()["users"]}["u0"] == 1
    people.assert_equal_to_a_rebuild()


def test_a_member_that_becomes_one_person_with_another_is_one_member(people: People) -> None:
    inside = [seen("a1") | {"group_id": "g"}, seen(None, "u1", 1) | {"group_id": "g"}]
    people.change([*inside, seen("a2", seconds=2), seen("a3") | {"group_id": "h"}])
    people.run()
    assert {row["group_id"]: row["members"] for row in people.rows()["groups"]} == {"g": 2, "h": 1}
    people.change([identify("a1", "u1", 5)])
    reports = people.run()
    assert [reports[name].more["affected"] for name in ("group_members", "groups")] == [1, 1]
    [member] = [row for row in people.rows()["group_members"] if row["group_id"] == "g"]
    assert (member["person_id"], member["events"]) == ("a1", 2)
    people.assert_equal_to_a_rebuild()


def test_events_of_before_the_contract_grew_are_read_beside_those_of_after(people: People) -> None:
    since = {"group_id", "install_id", "traits_once", "campaign_source", "device_id", "device_advertising_id"}
    since |= {f"consent_{name}" for name in ("sell_or_share", "gpc", "source", "text_version")}
    columns = tuple(column for column in ENRICHED_EVENTS.columns if column.name not in since)
    old = replace(ENRICHED_EVENTS, columns=columns)
    before = [identify("a1", "u1") | {"traits": '{"plan": "free"}'}, seen("a2")]
    table = LakeTable(people.lake.storage, old)
    staged = table.stage(frame(people.spark, before, old), 1, len(before))
    table.commit(table.snapshot(), Progress(), add=staged)
    people.events = before
    people.write(SESSIONS, sessions_of(people.spark, before))
    people.run()
    people.change([enriched_event("group", at(9), group_id="g", traits_once='{"plan": "pro"}')])
    people.run()
    assert [(row["group_id"], row["person_id"]) for row in people.rows()["group_members"]] == [("g", "a1")]
    assert {row["person_id"]: row["traits"] for row in people.rows()["users"]} == {"a1": '{"plan":"free"}', "a2": None}
    people.assert_equal_to_a_rebuild()


def test_a_session_that_changes_its_device_counts_for_the_other(people: People) -> None:
    people.change([enriched_event(), enriched_event(anonymous_id="a2")])
    people.run()
    sessions = [{**row, "anonymous_id": "a2"} for row in sessions_of(people.spark, people.events)]
    people.write(SESSIONS, sessions)
    people.run()
    assert {row["anonymous_id"]: row["sessions"] for row in people.rows()["visitors"]} == {"a1": 0, "a2": len(sessions)}
    people.assert_equal_to_a_rebuild()


def test_where_the_rows_that_went_are_not_kept_all_are_made_again(people: People) -> None:
    first = seen("a1")
    people.change([first, seen("a2")])
    people.run()
    gone = [file.url for file in people.lake.table("enriched_events").snapshot().files]
    people.change([], [first])
    for url in gone:
        Path(url.removeprefix("file://")).unlink()
    reports = people.run()
    assert "affected" not in reports["visitors"].more
    assert people.persons() == {"a2": "a2"}


def test_where_the_log_is_not_kept_all_are_made_again(people: People, tmp_path: Path) -> None:
    people.change([seen("a1")])
    people.run()
    people.change([seen("a2")])
    people.lake.table("enriched_events").snapshot().delta.create_checkpoint()
    for version in (0, 1):
        (tmp_path / f"enriched_events/_delta_log/{version:020}.json").unlink()
    reports = people.run()
    assert "affected" not in reports["visitors"].more
    assert people.persons() == {"a1": "a1", "a2": "a2"}


@st.composite
def meetings(draw: st.DrawFn) -> Row:
    """An event of few ids: page views, purchases, identifies and aliases; `x` is a device's and a user's. Some devices
    have no user, so that what comes of them is added to what stands."""
    alone = [f"d{number}" for number in range(8)]
    device = draw(st.sampled_from(["a1", "a2", "a3", "x", None, *alone]))
    users = ["u1", "u2", "u3", "u4", "u5", "u6", "x"]
    user = None if device in alone else draw(st.sampled_from(users if device is None else [None, *users]))
    kind = draw(st.sampled_from(["page_view", "purchase", "identify", "alias", "group"]))
    previous = draw(st.sampled_from(["a1", "u1", "u2", "x", "gone"]))
    consent = draw(st.sampled_from([None, None, True, False]))
    traits = draw(st.sampled_from([None, '{"plan": "free"}', '{"plan": "pro", "n": 1}', '{"plan": null}']))
    of_kind: dict[str, Row] = {"alias": {"previous_id": previous}, "purchase": {"revenue": 5.0}}
    of_kind["group"] = draw(st.sampled_from([{}, {"group_type": "company"}, {"group_type": "team"}]))
    properties = of_kind.get(kind, {})
    return enriched_event(
        kind,
        at(minutes=draw(st.integers(0, 200))),
        anonymous_id=device,
        user_id=user,
        session_id=draw(st.sampled_from([None, "s1", "s2"])),
        page_view_id=draw(st.sampled_from(["p1", "p2"])) if kind == "page_view" else None,
        properties=json.dumps(properties),
        group_id=draw(st.sampled_from([None, None, "g1", "g2"])),
        traits=traits if kind in ("identify", "group") else None,
        traits_once=draw(st.sampled_from([None, '{"plan": "once"}'])) if kind in ("identify", "group") else None,
        consent_marketing=consent,
        consent_sell_or_share=draw(st.sampled_from([None, None, None, False, True])),
        consent_gpc=draw(st.sampled_from([None, True])),
        consent_source=draw(st.sampled_from([None, "banner"])),
        consent_text_version=draw(st.sampled_from([None, None, "1", "2"])),
    )


@pytest.mark.representative
@examples(4)
@given(data=st.data())
def test_any_split_of_what_comes_and_goes_gives_the_rows_of_one_batch(spark: SparkSession, data: st.DataObject) -> None:
    """Tables may be left out on the way, so that others read ahead of them; ids are listed or joined."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(affected, "FEW", data.draw(st.sampled_from([0, affected.FEW])))
        people = People(spark, Path(folder))
        for _ in range(data.draw(st.integers(2, 4))):
            standing = st.lists(st.sampled_from(people.events), max_size=3, unique_by=lambda row: row["event_id"])
            went = data.draw(standing) if people.events else []
            came = data.draw(st.lists(meetings(), min_size=1, max_size=8))
            people.change(came, went, sessions=data.draw(st.booleans()))
            people.run(without=data.draw(st.sets(st.sampled_from([*STEPS]))))
        people.cut_sessions()
        people.run()
        people.assert_history_is_whole()
        people.assert_equal_to_a_rebuild()
