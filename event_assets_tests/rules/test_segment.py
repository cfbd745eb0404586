"""Segments as their users write them: what is wrong is said with file, segment, place, rule and way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.contract.plan import TrackingPlan
from event_assets.rules.condition import Step, unknown_events
from event_assets.rules.rule_files import RuleError
from event_assets.rules.segment import (
    All,
    AnyOf,
    Did,
    InSegment,
    Next,
    Not,
    Segment,
    Sequence,
    Trait,
    User,
)
from event_assets.rules.segment_files import Segments
from event_assets.rules.segment_order import in_order
from event_assets.settings import Settings

BUYERS = "{name: good, who: {did: {event: purchase}}}"


def load(folder: Path, *texts: str) -> Segments:
    for number, text in enumerate(texts):
        (folder / f"file{number}.yaml").write_text(text)
    return Segments.load(folder)


def test_a_tree_of_conditions_is_read(tmp_path: Path) -> None:
    text = """
    name: everything
    description: Words
    include_bots: true
    who:
      all:
        - {did: {event: purchase, where: {plan: [pro, team]}}, at_least: 2, at_most: 5, last: 2 weeks}
        - any:
            - {did: anything, exactly: 3}
            - {did_not: {event: login}, last: 30 days}
            - not: {sequence: [{event: a}, {event: b, within: 12 hours}], last: 1 day}
        - {trait: company.size, at_least: 2.5}
        - {trait: plan, is: [pro, 3, true]}
        - {user: source, is: google}
        - {user: days_since_last_seen, at_most: 7}
        - {segment: good}
    """
    good, everything = load(tmp_path, text, BUYERS).usable
    assert (good.name, everything.name, everything.description) == ("good", "everything", "Words")
    assert everything.include_bots and not good.include_bots
    assert everything.who == All(
        all=[
            Did(did=Step(event="purchase", where={"plan": ["pro", "team"]}), at_least=2, at_most=5, last="2 weeks"),
            AnyOf(
                any=[
                    Did(did="anything", exactly=3),
                    Did(did=Step(event="login"), exactly=0, last="30 days"),
                    Not(
                        condition=Sequence(sequence=[Next(event="a"), Next(event="b", within="12 hours")], last="1 day")
                    ),
                ]
            ),
            Trait(trait="company.size", at_least=2.5),
            Trait(trait="plan", is_=["pro", 3, True]),
            User(user="source", is_="google"),
            User(user="days_since_last_seen", at_most=7),
            InSegment(segment="good"),
        ]
    )
    assert everything.segments_named() == ("good",)
    assert [step.event for step in everything.steps_named()] == ["purchase", "login", "a", "b"]


@pytest.mark.parametrize(
    ("condition", "bounds", "days"),
    [
        (Did(did="anything"), (1, None), None),
        (Did(did="anything", at_least=2, last="1 week"), (2, None), 7),
        (Did(did="anything", at_most=2, last="1 day"), (0, 2), 1),
        (Did(did="anything", at_least=1, at_most=2), (1, 2), None),
        (Did(did="anything", exactly=0), (0, 0), None),
    ],
)
def test_a_count_has_bounds_and_a_period(condition: Did, bounds: tuple[int, int | None], days: int | None) -> None:
    assert (condition.bounds, condition.days) == (bounds, days)


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("{}", ["who: it is an object with nothing; a condition has one of all, any, not, did"]),
        ("{dit: {event: a}}", ["who: it is an object with dit, did you mean did?"]),
        ("{did: {event: a}, segment: b}", ["who: it has did and segment"]),
        ("{all: []}", ["who.all: ", "at least 1 item"]),
        ("{any: {did: {event: a}}}", ["who.any: it must be a list"]),
        ("{all: [{did: {event: a}}], last: 3 days}", ["who.last: beside all there is nothing else"]),
        ("{all: [{any: [{did: {event: a}}, 7]}]}", ["who.all[0].any[1]: it is 7"]),
        ("{not: }", ["who.not: it is not there"]),
        ("{did: {evnt: a}}", ["who.did.evnt: there is no such field, did you mean event?", "event, where, name"]),
        ("{did: {event: ''}}", ["who.did.event: "]),
        ("{did: nothing}", ["who.did: ", "'anything'; it is 'nothing'"]),
        (
            "{did: {event: a}, at_lest: 2}",
            ["who.at_lest: there is no such field, did you mean at_least?", "did, at_least, at_most, exactly, last"],
        ),
        ("{did: {event: a}, at_least: -1}", ["who.at_least: ", "greater than or equal to 0; it is -1"]),
        ("{did: {event: a}, at_least: 3, at_most: 2}", ["at_least 3 is above at_most 2"]),
        ("{did: {event: a}, exactly: 3, at_most: 2}", ["exactly says all"]),
        ("{did: {event: a}, at_least: 0}", ["at_least 0 holds for everybody"]),
        ("{did: {event: a}, last: 12 hours}", ["who.last: ", "days or weeks, such as 30 days", "it is '12 hours'"]),
        ("{did: {event: a}, last: a month}", ["who.last: ", "it is 'a month'"]),
        ("{did: {event: a}, last: 9999999 days}", ["at most 36500 days"]),
        ("{did: {event: a, where: {'b[0]': 1}}}", ["who.did.where.b[0]: "]),
        ("{did_not: {event: a}, at_least: 2}", ["at_least: there is no such field", "there are did_not, last"]),
        ("{sequence: [{event: a}]}", ["who.sequence: ", "at least 2 items"]),
        ("{sequence: [{event: a, within: 1 day}, {event: b}]}", ["sequence[0].within has no step before it"]),
        (
            "{sequence: [{event: a}, {event: b, within: soon}]}",
            ["who.sequence[1].within: ", "such as 14 days", "it is 'soon'"],
        ),
        ("{trait: plan, is: pro, at_least: 2}", ["is says all"]),
        ("{trait: plan, at_least: .nan}", ["who.at_least: it must be a number to compare with"]),
        ("{user: spend, at_least: 2}", ["who.user: ", "'events', 'sessions'", "it is 'spend'"]),
        ("{user: source, at_least: 2}", ["source is a text"]),
        ("{user: sessions}", ["sessions is a number; say at_least"]),
        ("{user: sessions, is: '3'}", ["sessions is a number"]),
        ("{user: sessions, at_least: 2.5}", ["sessions is a whole number; 2.5"]),
        ("{user: revenue, at_least: .inf}", ["who.at_least: it must be a number to compare with"]),
        ("{segment: No Name}", ["who.segment: ", "it is 'No Name'"]),
        ("{segment: nobody}", ["there is no segment 'nobody'", "There are: good"]),
        ("{segment: bad}", ["it is made of itself: bad → bad"]),
        ("[]", ["who: it is []; a condition has one of all, any"]),
    ],
)
def test_a_fault_is_a_sentence_that_names_file_segment_place_and_rule(
    tmp_path: Path, who: str, said: list[str]
) -> None:
    found = load(tmp_path, f"{{name: bad, who: {who}}}", BUYERS)
    assert [segment.name for segment in found.usable] == ["good"]
    fault = found.faults["file0"]
    assert str(tmp_path / "file0.yaml") in fault
    for words in said:
        assert words in fault, fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "it must be an object with the fields name and who"),
        ("name: [", "file0.yaml"),
        ("{name: My Segment, who: {did: {event: a}}}", "segment My Segment: name: "),
        (
            "{name: x, whom: {did: {event: a}}}",
            "whom: there is no such field, did you mean who?; there are name, who, description, include_bots",
        ),
        ("{name: x, name: y, who: {did: {event: a}}}", "'name' is given twice"),
    ],
)
def test_a_file_that_is_no_segment_is_said(tmp_path: Path, text: str, said: str) -> None:
    found = load(tmp_path, text, BUYERS)
    assert [segment.name for segment in found.usable] == ["good"]
    assert said in found.faults["file0"]


def test_a_tree_without_end_is_a_fault(tmp_path: Path) -> None:
    found = load(tmp_path, "name: x\nwho: &again\n  not: *again\n", BUYERS)
    assert "at most 200 conditions, 20 inside each other" in found.faults["file0"]
    assert [segment.name for segment in found.usable] == ["good"]


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    assert "the name 'good' is taken by file0.yaml" in load(tmp_path, BUYERS, BUYERS).faults["file1"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="EVENT_ASSETS_SEGMENTS_DIR"):
        Segments.load(tmp_path / "nothing")


def of(name: str, *others: str) -> str:
    return f"{{name: {name}, who: {{all: [{', '.join(f'{{segment: {other}}}' for other in others)}]}}}}"


def test_segments_come_after_those_that_they_are_made_of(tmp_path: Path) -> None:
    found = load(tmp_path, of("a", "b", "good"), of("b", "c"), of("c", "good"), BUYERS)
    assert [segment.name for segment in found.usable] == ["good", "c", "b", "a"]
    assert in_order(found.usable[::-1]) == found.usable


def test_a_circle_is_named_by_those_in_it_and_those_that_are_made_of_it_say_which_one(tmp_path: Path) -> None:
    found = load(tmp_path, of("a", "b"), of("b", "c"), of("c", "a"), of("d", "good", "a"), BUYERS)
    assert [segment.name for segment in found.usable] == ["good"]
    assert "segment a: it is made of itself: a → b → c → a" in found.faults["file0"]
    assert "segment c: it is made of itself: c → a → b → c" in found.faults["file2"]
    assert "segment d: the segment 'a' that it is made of cannot be used" in found.faults["file3"]
    with pytest.raises(RuleError, match="made of itself"):
        in_order((Segment(name="x", who=InSegment(segment="x")),))


def test_a_segment_of_one_whose_file_cannot_be_used_says_so(tmp_path: Path) -> None:
    found = load(tmp_path, "{name: base, who: {}}", of("top", "base"), of("tip", "top"), BUYERS)
    assert [segment.name for segment in found.usable] == ["good"]
    assert "there is no segment 'base', or its file cannot be used" in found.faults["file1"]
    assert "segment tip: the segment 'top' that it is made of cannot be used" in found.faults["file2"]


def test_the_digest_is_of_what_is_computed_alone() -> None:
    one = Segment(name="x", who=Did(did="anything"))
    said = Segment(name="x", who=Did(did="anything"), description="Words")
    other = Segment(name="x", who=Did(did="anything", last="1 day"))
    assert Segments((one,)).digest == Segments((said,)).digest != Segments((other,)).digest


def test_events_that_the_plan_does_not_have_are_named() -> None:
    plan = TrackingPlan.load(Settings().plan)
    walk = Sequence(sequence=[Next(event="page_view"), Next(event="teleport")])
    assert unknown_events([Segment(name="x", who=Not(condition=walk))], plan) == [
        "x: the tracking plan has no event 'teleport'"
    ]
    assert unknown_events(Segments.load(Settings().segments).usable, plan) == []
