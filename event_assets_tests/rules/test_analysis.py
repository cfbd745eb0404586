"""Analyses as their users write them: what is wrong is said with file, field, rule and what is allowed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from event_assets.contract.plan import TrackingPlan
from event_assets.contract.tables.product import FUNNELS
from event_assets.rules.analysis import Analyses, Retention
from event_assets.rules.condition import Step, unknown_events
from event_assets.rules.funnel import Funnel
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings

STEPS = "steps: [{event: a}, {event: b}]"


def load(folder: Path, *texts: str) -> Analyses:
    for number, text in enumerate(texts):
        (folder / f"file{number}.yaml").write_text(text)
    return Analyses.load(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{{kind: tunnel, name: x, {STEPS}}}",
            ["kind: it is 'tunnel', did you mean funnel?", "trends, funnel, funnel_trend, time_to_convert, retention"],
        ),
        (f"{{name: x, {STEPS}}}", ["kind: it is not there; it must be one of trends, funnel"]),
        ("[1, 2]", ["must be an object"]),
        ("kind: [", ["file0.yaml"]),
        ("{kind: paths, kind: funnel}", ["'kind' is given twice"]),
        (f"{{kind: funnel, {STEPS}}}", ["file0.yaml:1: name: it is required"]),
        (f"{{kind: funnel, name: My Funnel, {STEPS}}}", ["analysis My Funnel: name: ", "^[a-z]", "it is 'My Funnel'"]),
        ("{kind: funnel, name: x, steps: [{event: a}]}", ["steps: ", "at least 2 items", "not 1"]),
        ("{kind: funnel, name: x, steps: [{event: a}, {event: ''}]}", ["steps[1].event: ", "at least 1 character"]),
        (
            "{kind: funnel, name: x, steps: [{event: a}, {event: b, wher: {}}]}",
            ["steps[1].wher: there is no such field, did you mean where?", "event, where, name"],
        ),
        ("{kind: funnel, name: x, steps: [{event: a}, {event: b, where: {'a[0]': 1}}]}", ["steps[1].where.a[0]: "]),
        (
            f"{{kind: funnel, name: x, windw: 1 day, {STEPS}}}",
            ["windw: there is no such field, did you mean window?", "kind, name", "window"],
        ),
        (f"{{kind: funnel, name: x, window: 14d, {STEPS}}}", ["window: ", "such as 14 days", "it is '14d'"]),
        (
            f"{{kind: funnel, name: x, window: 999999 weeks, {STEPS}}}",
            ["window: ", "at most 36500 days", "it is '999999 weeks'"],
        ),
        (
            f"{{kind: funnel, name: x, order: any, {STEPS}}}",
            ["order: ", "'ordered', 'strict' or 'unordered'; it is 'any'"],
        ),
        (
            "{kind: retention, name: x, target: {event: a}, period: year}",
            ["period: ", "'hour', 'day', 'week' or 'month'; it is 'year'"],
        ),
        (
            "{kind: retention, name: x, target: {event: a}, periods: 0}",
            ["periods: ", "greater than or equal to 1; it is 0"],
        ),
        (
            "{kind: paths, name: x, unit: group}",
            ["unit: paths are ways through sessions, each of which is a person's; leave it out"],
        ),
        ("{kind: web_vitals, name: x, unit: group}", ["unit: web vitals are measured on page views, whoever has them"]),
        ("{kind: lifecycle, name: x, compare: true}", ["compare: what is before needs a length: say days"]),
        (
            "{kind: retention, name: x, breakdown: person.segment}",
            ["breakdown: a person is in several segments; ask for person.segment in where"],
        ),
        ("{kind: web_vitals, name: x, days: '28'}", ["days: it must be a whole number; it is '28'"]),
        ("{kind: active_users, name: x, include_bots: 1}", ["include_bots: it must be true or false; it is 1"]),
        ("{kind: paths, name: x, events: page_view}", ["events: it must be a list; it is 'page_view'"]),
        ("{kind: lifecycle, name: x, event: click}", ["event: it must be an object; it is 'click'"]),
        (
            "{kind: funnel, name: x, steps: [{event: a}, {event: b}], days_ago: 7}",
            ["days_ago: it needs days: how many there are up to that day"],
        ),
        (
            "{kind: lifecycle, name: x, event: {event: a, where: {day: 2026-01-01}}}",
            ["event.where.day: it must be a text or a whole number or a number or true or false; it is "],
        ),
    ],
)
def test_a_fault_is_a_sentence_that_names_file_field_and_rule(tmp_path: Path, text: str, said: list[str]) -> None:
    found = load(tmp_path, text, "{kind: active_users, name: good}")
    assert [analysis.name for analysis in found.usable] == ["good"]
    fault = found.faults["file0"]
    assert "file0.yaml" in fault
    for words in said:
        assert words in fault, fault


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = "kind: funnel\nname: x\nsteps:\n  - event: a\n  - {event: b, nme: B}\norder: any\ndays: 0\n"
    told = load(tmp_path, text).faults["file0"].splitlines()
    assert [line.removeprefix(f"{tmp_path}/file0.yaml:").split(" ")[0:4:3] for line in told] == [
        ["5:", "steps[1].nme:"],
        ["6:", "order:"],
        ["7:", "days:"],
    ]


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    found = load(tmp_path, "{kind: active_users, name: x}", f"{{kind: funnel, name: x, {STEPS}}}")
    assert "the name 'x' is taken by file0.yaml" in found.faults["file1"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="EVENT_ASSETS_ANALYTICS_DIR"):
        Analyses.load(tmp_path / "nothing")


def test_a_funnel_is_read_with_its_steps_window_and_breakdown(tmp_path: Path) -> None:
    text = """
    kind: funnel
    name: trial
    description: From trial to a plan
    steps:
      - event: signup
      - {event: purchase, name: Paid, where: {plan: [pro, team], seats: 3, trial: false}}
    window: 2 weeks
    breakdown: country
    """
    [funnel] = load(tmp_path, text).usable
    assert isinstance(funnel, Funnel)
    paid = Step(event="purchase", where={"plan": ["pro", "team"], "seats": 3, "trial": False}, name="Paid")
    assert (funnel.steps, funnel.within) == ([Step(event="signup"), paid], dt.timedelta(weeks=2))
    assert (funnel.breakdown, funnel.order, funnel.include_bots) == ("country", "ordered", False)
    assert [step.title for step in funnel.steps] == ["signup", "Paid"]


def test_analyses_of_a_table_are_those_of_its_kind(tmp_path: Path) -> None:
    found = load(tmp_path, "{kind: active_users, name: a}", f"{{kind: funnel, name: b, {STEPS}}}")
    assert [analysis.name for analysis in found.of(FUNNELS)] == ["b"]


def test_the_digest_is_of_what_is_computed_alone() -> None:
    one = Retention(name="x", target=Step(event="a"))
    assert one.digest == Retention(name="x", target=Step(event="a"), description="Words").digest
    assert one.digest != Retention(name="x", target=Step(event="a"), periods=3).digest


def test_events_that_the_plan_does_not_have_are_named() -> None:
    plan = TrackingPlan.load(Settings().plan)
    retention = Retention(name="back", target=Step(event="page_view"), returning=Step(event="teleport"))
    assert unknown_events([retention], plan) == ["back: the tracking plan has no event 'teleport'"]
    assert unknown_events([retention], TrackingPlan()) == []
    assert unknown_events(Analyses.load(Settings().analytics).usable, plan) == []
