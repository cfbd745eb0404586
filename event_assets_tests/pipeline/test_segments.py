"""Memberships are of the lake as it is, whatever split it came in, in one commit."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from event_assets.pipeline.counting import conversion_ids_step
from event_assets.pipeline.identities import identities_step
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.segments import are_outdated, memberships_step
from event_assets.pipeline.user_traits import user_traits_step
from event_assets.rules.condition import Step
from event_assets.rules.segment import Did, Next, Not, Segment, Sequence, User
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.examples import examples
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.test_people import People
from event_assets_tests.transforms.day_by_day import BUYERS, EVERY_KIND, OTHERS

Row = dict[str, Any]
RULES = SessionRules()


class Membership(People):
    """A lake of people, and the segments that are made of it."""

    def __init__(self, spark: SparkSession, folder: Path, *segments: Segment) -> None:
        super().__init__(spark, folder)
        self.segments = Segments(segments)

    def add(self, *rows: Row) -> None:
        self.change(list(rows))
        now = a_run(self.lake, self.spark)
        conversion_ids_step(now)
        identities_step(now)
        user_traits_step(now)

    def make(self, rules: SessionRules = RULES, *, rebuild: bool = False) -> StepReport:
        return memberships_step(a_run(self.lake, self.spark, rebuild=rebuild, segments=self.segments, sessions=rules))

    def is_outdated(self) -> bool:
        return are_outdated(self.lake, self.segments, RULES)

    def stays(self) -> list[tuple[str, str, dt.date, dt.date | None]]:
        rows = self.lake.table("segment_memberships").snapshot().arrow().to_pylist()
        return sorted(((r["segment"], r["person_id"], r["from_date"], r["to_date"]) for r in rows), key=str)


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Membership:
    return Membership(spark, tmp_path, BUYERS, OTHERS)


def day(number: int) -> dt.date:
    return at(days=number).date()


@pytest.mark.slow
def test_ids_of_one_person_are_one_person(lake: Membership) -> None:
    lake.add(
        enriched_event("page_view"),
        enriched_event("purchase", at(days=1), anonymous_id=None, user_id="u1"),
    )
    lake.make()
    assert lake.stays() == [("buyers", "u1", day(1), None), ("others", "a1", day(0), None)]
    lake.add(enriched_event("identify", at(days=2), user_id="u1"))
    lake.make()
    assert lake.stays() == [("buyers", "a1", day(1), None), ("others", "a1", day(0), day(1))]


@pytest.mark.slow
def test_nothing_is_done_while_nothing_changed(lake: Membership) -> None:
    lake.add(enriched_event())
    assert lake.is_outdated()
    made = lake.make()
    assert (made.new_rows, lake.is_outdated()) == (1, False)
    again = lake.make()
    assert (again.version, again.new_rows, again.rows) == (made.version, 0, 1)
    lake.add(enriched_event("purchase", at(5)))
    assert lake.is_outdated()
    lake.make()
    assert lake.stays() == [("buyers", "a1", day(0), None)]


@pytest.mark.slow
def test_a_late_event_changes_the_past_and_a_new_day_ends_what_was_open(lake: Membership) -> None:
    lake.add(enriched_event(when=at(days=2)))
    lake.make()
    assert lake.stays() == [("others", "a1", day(2), None)]
    lake.add(enriched_event("purchase", received_at=at(days=3)), enriched_event(when=at(days=9), anonymous_id="a2"))
    lake.make()
    assert lake.stays() == [
        ("buyers", "a1", day(0), day(3)),
        ("others", "a1", day(3), None),
        ("others", "a2", day(9), None),
    ]


def test_an_empty_lake_has_no_members(lake: Membership) -> None:
    assert not lake.is_outdated()
    assert lake.make().rows == 0


def test_without_segments_there_is_nothing_to_make_but_to_take_rows_away(lake: Membership) -> None:
    wanted, lake.segments = lake.segments, Segments()
    lake.add(enriched_event())
    assert not lake.is_outdated()
    assert lake.make().new_rows == 0
    lake.segments = wanted
    lake.make()
    lake.segments = Segments()
    assert lake.is_outdated()
    assert (lake.make().rows, lake.is_outdated()) == (0, False)


def test_another_definition_and_other_conversions_are_made_again_and_words_are_not(lake: Membership) -> None:
    spenders = Segment(name="spenders", who=User(user="conversions", at_least=1))
    lake.segments = Segments((spenders,))
    lake.add(enriched_event("purchase"), enriched_event("signup", at(days=1), anonymous_id="a2"))
    lake.make()
    assert [stay[1] for stay in lake.stays()] == ["a1"]
    lake.segments = Segments((Segment(name="spenders", who=spenders.who, description="Words"),))
    assert not lake.is_outdated()
    lake.make(SessionRules(conversion_events=("signup",)))
    assert [stay[1] for stay in lake.stays()] == ["a2"]
    lake.segments = Segments((Segment(name="spenders", who=Not(condition=spenders.who)),))
    lake.make()
    assert [stay[1] for stay in lake.stays()] == ["a2"]


@pytest.mark.slow
def test_the_same_order_is_one_conversion_and_its_first_event_may_come_last(lake: Membership) -> None:
    """As in every other table: see test_counting."""
    lake.segments = Segments(
        (
            Segment(name="came_back", who=Did(did=Step(event="purchase"), at_least=2)),
            Segment(
                name="walked", who=Sequence(sequence=[Next(event="purchase"), Next(event="purchase", within="9 days")])
            ),
            Segment(name="converted_twice", who=User(user="conversions", at_least=2)),
            Segment(name="paid", who=User(user="revenue", at_least=15)),
            Segment(name="paid_less", who=User(user="revenue", at_least=5, at_most=14)),
            Segment(name="lively", who=Did(did="anything", at_least=2)),
        )
    )

    def order(days: float, device: str, name: str = "o1") -> Row:
        said = json.dumps({"order_id": name, "revenue": 10})
        return enriched_event("purchase", at(days=days), anonymous_id=device, properties=said)

    lake.add(order(3, "a1"), order(5, "a1"))
    lake.make()
    assert lake.stays() == [("lively", "a1", day(5), None), ("paid_less", "a1", day(3), None)]
    lake.add(order(1, "a2"))
    assert lake.is_outdated()
    lake.make()
    assert lake.stays() == [("lively", "a1", day(5), None), ("paid_less", "a2", day(1), None)]
    lake.add(order(7, "a2", "o2"))
    lake.make()
    twice = ("came_back", "converted_twice", "lively", "paid", "walked")
    assert [stay for stay in lake.stays() if stay[1] == "a2"] == sorted(
        [*((name, "a2", day(7), None) for name in twice), ("paid_less", "a2", day(1), day(7))], key=str
    )


@pytest.mark.slow
def test_rows_of_a_faulty_file_stay_until_it_is_mended_or_gone(lake: Membership, tmp_path: Path) -> None:
    folder = tmp_path / "segments"
    folder.mkdir()
    texts = {name: f"{{name: {name}, who: {{did: {{event: page_view}}}}}}" for name in ("one", "two")}
    texts["top"] = "{name: top, who: {segment: one}}"

    def write(**others: str) -> None:
        for name, text in (texts | others).items():
            (folder / f"{name}.yaml").write_text(text)
        lake.segments = Segments.load(folder)

    write()
    lake.add(enriched_event())
    lake.make()
    first = lake.stays()
    assert [stay[0] for stay in first] == ["one", "top", "two"]
    write(one="{name: one, who: {dit: 3}}")
    lake.add(enriched_event(when=at(days=1), anonymous_id="a2"))
    lake.make()
    assert lake.stays() == sorted([*first, ("two", "a2", day(1), None)], key=str)
    del texts["one"]
    (folder / "one.yaml").unlink()
    write(top="{name: top, who: {did: {event: page_view}}}")
    assert lake.is_outdated()
    lake.make()
    assert [stay[:2] for stay in lake.stays()] == [(name, who) for name in ("top", "two") for who in ("a1", "a2")]


def test_every_segment_that_is_shipped_finds_somebody(spark: SparkSession, tmp_path: Path) -> None:
    shipped = Segments.load(Settings().segments)
    lake = Membership(spark, tmp_path, *shipped.usable)
    names = ("signup", "site_created", "site_published", "add_to_cart", "purchase")
    properties = json.dumps({"first_time": True})
    lake.add(
        *(enriched_event(name, at(days=k), properties=properties) for k, name in enumerate(names)),
        enriched_event("add_to_cart", at(days=40), anonymous_id="a2"),
    )
    lake.make()
    assert {stay[0] for stay in lake.stays()} == {segment.name for segment in shipped.usable}


@st.composite
def happenings(draw: st.DrawFn) -> Row:
    kind = draw(st.sampled_from(["page_view", "purchase", "identify"]))
    return enriched_event(
        kind,
        at(hours=draw(st.integers(0, 240))),
        anonymous_id=draw(st.sampled_from(["a1", "a2", "a3"])),
        user_id=draw(st.sampled_from(["u1", "u2"])) if kind == "identify" else None,
        traits=draw(st.sampled_from(['{"plan": "pro"}', '{"plan": null}'])) if kind == "identify" else None,
        properties=json.dumps({"revenue": 0.1, "order_id": draw(st.sampled_from(["o1", None]))})
        if kind == "purchase"
        else "{}",
        source=draw(st.sampled_from([None, "news"])),
        is_bot=draw(st.sampled_from([False, False, False, True])),
    )


@pytest.mark.slow
@examples(2)
@given(data=st.data())
def test_any_split_order_and_repeat_gives_the_rows_of_one_batch(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(happenings(), min_size=2, max_size=12))
    cut = data.draw(st.integers(1, len(rows) - 1))
    mixed = data.draw(st.permutations(rows))
    bit_by_bit = Membership(spark, tmp_path_factory.mktemp("parts"), *EVERY_KIND)
    for part in (mixed[:cut], mixed[cut:]):
        bit_by_bit.add(*part)
        bit_by_bit.make()
        bit_by_bit.make()
    at_once = Membership(spark, tmp_path_factory.mktemp("whole"), *EVERY_KIND[::-1])
    at_once.add(*rows)
    at_once.make(rebuild=True)
    assert bit_by_bit.stays() == at_once.stays()
