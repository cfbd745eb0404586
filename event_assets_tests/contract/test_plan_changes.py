"""What a new plan breaks: each change by name, and none where whoever keeps the old plan keeps the new one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.event import Event
from event_assets.contract.plan import EventPlan, PlanSettings, TrackingPlan
from event_assets.contract.plan_changes import breaking_changes
from event_assets.contract.plan_property import property_fault, property_type
from event_assets_tests.contract.events import line


def plan_of(event: dict[str, Any] | None, unknown: str = "warn") -> TrackingPlan:
    events = {} if event is None else {"paid": msgspec.convert({"event": "paid", **event}, EventPlan, str_keys=True)}
    return TrackingPlan(events, msgspec.convert({"unknown_events": unknown}, PlanSettings))


def of(**properties: Any) -> dict[str, Any]:
    return {"versions": {1: {"properties": properties}}}


NUMBER = {"type": "number", "minimum": 0, "maximum": 10}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (of(), None, "paid: the event is no longer in the plan"),
        (of(), {**of(), "mode": "reject"}, "paid: mode warn became reject"),
        (of(), {**of(), "fields": ["user_id"]}, "paid: the field user_id is required now"),
        (of(), {"versions": {2: {}}}, "paid v1: the version is no longer in the plan"),
        (of(sum=NUMBER), of(), "paid v1: the property sum is no longer in the plan"),
        (of(), of(sum={**NUMBER, "required": True}), "paid v1: the property sum is new and required"),
        (of(sum=NUMBER), of(sum={**NUMBER, "required": True}), "the property sum is required now"),
        (of(sum=NUMBER), of(sum={"type": "string"}), "was of type number, and is of type string"),
        (of(sum=NUMBER), of(sum={**NUMBER, "minimum": 1}), "must be at least 1"),
        (of(sum=NUMBER), of(sum={**NUMBER, "maximum": 9}), "must be at most 9"),
        (of(code={"type": "string"}), of(code={"type": "string", "max_length": 3}), "must have at most 3"),
        (of(code={"type": "string"}), of(code={"type": "string", "pattern": "x"}), "must match x"),
        (of(code={"type": "string"}), of(code={"type": "string", "enum": ["a"]}), "takes only a"),
        (
            of(code={"type": "string", "enum": ["a", "b"]}),
            of(code={"type": "string", "enum": ["a", "c"]}),
            "takes no longer b",
        ),
    ],
)
def test_each_breaking_change_is_named(old: dict[str, Any], new: dict[str, Any] | None, said: str) -> None:
    [sentence] = breaking_changes(plan_of(old), plan_of(new))
    assert said in sentence


def test_a_stricter_treatment_of_unknown_events_is_named() -> None:
    assert breaking_changes(plan_of(of()), plan_of(of(), "reject")) == [
        "events that are not in the plan: warn became reject"
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (of(sum=NUMBER), of(sum={"type": "number"}, more={"type": "string"})),
        (of(sum={**NUMBER, "required": True}), of(sum=NUMBER)),
        (of(step={"type": "integer", "enum": [1, 2]}), of(step={"type": "integer", "minimum": 1, "maximum": 2})),
        (of(step={"type": "integer"}), of(step={"type": "number"})),
        (of(code={"type": "string", "enum": ["a"]}), of(code={"type": "string", "enum": ["a", "b"], "pii": True})),
        (of(), {"versions": {1: {}, 2: {"properties": {"sum": {"type": "number", "required": True}}}}}),
        ({**of(), "fields": ["user_id"], "mode": "reject"}, of()),
    ],
)
def test_what_takes_more_than_before_breaks_nothing(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert breaking_changes(plan_of(old), plan_of(new)) == []


KINDS = st.sampled_from(["string", "integer", "number", "boolean", "array", "object"])
BOUNDS = {"minimum": st.integers(-2, 2), "maximum": st.integers(-2, 2), "max_length": st.integers(0, 2)}
RULES = st.fixed_dictionaries(
    {"type": KINDS},
    optional={
        "required": st.booleans(),
        "enum": st.lists(st.sampled_from(["", "a", "ab", 0, 1, 2]), min_size=1, max_size=3, unique=True),
        "pattern": st.sampled_from(["a", "^$"]),
        **BOUNDS,
    },
)
VALUES = st.sampled_from([None, "", "a", "ab", "abc", -3, 0, 1, 2, 1.5, 9, True, [], [1, 2, 3], {}, {"a": 1}])


def usable(rule: dict[str, Any]) -> bool:
    read = msgspec.convert({"event": "paid", **of(p=rule)}, EventPlan).versions[1].properties["p"]
    try:
        return property_fault(read) is None and property_type(read) is not None
    except TypeError:
        return False


@given(old=RULES.filter(usable), new=RULES.filter(usable), value=VALUES)
def test_whoever_keeps_the_old_plan_keeps_a_new_one_that_breaks_nothing(
    old: dict[str, Any], new: dict[str, Any], value: Any
) -> None:
    before, after = plan_of(of(p=old)), plan_of(of(p=new))
    event = msgspec.json.decode(line(event="paid", properties={} if value is None else {"p": value}), type=Event)
    if not breaking_changes(before, after) and before.compile()(event) is None:
        assert after.compile()(event) is None
