"""What is asked of fields: which words there are, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.rules.analysis import Analyses, Retention
from event_assets.rules.condition import Alternative, Comparison, Step
from event_assets.rules.funnel import Funnel
from event_assets.rules.segment_files import Segments


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("{}", "steps[0].where.a: it holds of everything; say one of is, is_not, contains"),
        ("{is_nt: 1}", "did you mean is_not?"),
        ("{at_least: 3, below: 2}", "from 3 up to 2 there is nothing"),
        ("{above: x}", "steps[0].where.a.above: it must be a whole number or a number"),
        ("{matches: '(?i)x'}", "steps[0].where.a.matches: of groups with (? there is (?:…) alone"),
        ("{is_set: 1}", "it must be true or false"),
        ("{contains: 3}", "steps[0].where.a.contains: it must be a text"),
    ],
)
def test_a_wrong_comparison_is_told_with_its_place(tmp_path: Path, asked: str, said: str) -> None:
    text = f"kind: funnel\nname: x\nsteps:\n  - {{event: a, where: {{a: {asked}}}}}\n  - event: b\n"
    (tmp_path / "x.yaml").write_text(text)
    fault = Analyses.load(tmp_path).faults["x"]
    assert said in fault and "x.yaml:4:" in fault, fault


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{where: {a: 1}}", "steps[0].event: it is required; null is any event"),
        ("{event: a, any: [{event: b}, {event: c}]}", "steps[0].any: any says all"),
        ("{any: [{event: b}]}", "steps[0].any: "),
        ("{any: [{event: b}, {where: {a: 1}}]}", "steps[0].any[1].event: it is required"),
        ("everything", "steps[0]: it must be an object"),
        ("{event: a, where: {person.segment: {contains: b}}}", "say is, is_not or is_set"),
        ("{event: a, where: {person.segment: 3}}", "a segment has a name: a text"),
    ],
)
def test_a_wrong_step_is_told_with_its_place(tmp_path: Path, step: str, said: str) -> None:
    (tmp_path / "x.yaml").write_text(f"kind: funnel\nname: x\nsteps:\n  - {step}\n  - event: b\n")
    assert said in Analyses.load(tmp_path).faults["x"]


def test_steps_are_of_alternatives_and_of_any_event(tmp_path: Path) -> None:
    text = """
    kind: funnel
    name: x
    where: {person.plan: {is_not: free}, group.mrr: {above: 100}, person.segment: [a, b]}
    steps:
      - any: [{event: a, where: {n: {at_least: 2}}}, {event: b}]
      - anything
      - {event: null, name: On a phone, where: {device_type: mobile, person.segment: {is_not: c}}}
    """
    (tmp_path / "x.yaml").write_text(text)
    [funnel] = Analyses.load(tmp_path).usable
    assert isinstance(funnel, Funnel)
    assert [step.title for step in funnel.steps] == ["a or b", "any event", "On a phone"]
    n = Comparison(at_least=2)
    assert funnel.steps[0].alternatives == (Alternative(event="a", where={"n": n}), Alternative(event="b"))
    assert funnel.steps[1] == Step(event=None)
    assert funnel.segments_named() == ("a", "b", "c")
    assert (funnel.knows_people, funnel.knows_groups, funnel.knows_segments) == (True, True, True)


def test_any_event_may_be_what_people_come_back_with(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("{kind: retention, name: x, target: {event: a}, returning: anything}")
    [retention] = Analyses.load(tmp_path).usable
    assert isinstance(retention, Retention) and retention.returning == Step(event=None)


def test_a_segment_is_of_events_and_says_what_is_known_of_people_beside_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{name: a, who: {did: {event: buy, where: {person.plan: pro}}}}")
    (tmp_path / "b.yaml").write_text("{name: b, who: {did: {event: buy, where: {price: {at_least: 9}}}}}")
    found = Segments.load(tmp_path)
    assert [segment.name for segment in found.usable] == ["b"]
    assert "events have no person.plan in a segment; say trait, user or segment" in found.faults["a"]
