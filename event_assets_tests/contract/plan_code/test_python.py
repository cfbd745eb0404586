"""The plan as Python: what a type checker finds in it, and that no plan refuses what its functions make."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.plan import PlanError, TrackingPlan
from event_assets.contract.plan_code.python import FIELDS, python_code
from event_assets_sdk import EventClient, EventFields
from event_assets_sdk.events import InvalidEvent, text_of
from event_assets_tests.contract.plan_code.plans import GOOD, awkward, keeps, values

with tempfile.TemporaryDirectory() as _folder:
    PLAN = awkward(Path(_folder))
ROOT = Path(__file__).parents[3]
WHO: dict[str, Any] = {"user_id": "u", "context": {"page": {"url": "https://shop.example"}}}


def module_of(plan: TrackingPlan) -> Any:
    module = ModuleType("planned_events")
    exec(compile(python_code(plan), "planned_events", "exec"), module.__dict__)
    return module


def client_that_keeps(made: list[bytes]) -> EventClient:
    """A client that sends nothing: what it would send is in the list."""

    def keep(event: dict[str, Any]) -> None:
        try:
            made.append(text_of(event))
        except InvalidEvent:
            return

    return EventClient("http://127.0.0.1:9", "ea_0_0", disk=False, sync=True, before_send=keep)


MODULE = module_of(PLAN)
MADE: list[bytes] = []
CLIENT = client_that_keeps(MADE)


@given(values(times=st.datetimes() | st.datetimes(timezones=st.timezones())))
def test_what_a_function_makes_is_never_refused_by_the_plan(properties: dict[str, Any]) -> None:
    MADE.clear()
    MODULE.order_completed(CLIENT, properties, **WHO)
    assert all(keeps(PLAN, text) for text in MADE), MADE


def test_an_event_is_made_of_what_keeps_the_plan_and_told_of_where_it_does_not() -> None:
    made: list[bytes] = []
    with client_that_keeps(made) as client:
        MODULE.order_completed(client, GOOD, **WHO)
        MODULE.import_(client, anonymous_id="a")
        MODULE.event_2_off(client, anonymous_id="a")
        assert client.stats.invalid == 0
        wrong: list[tuple[dict[str, Any], dict[str, Any], str]] = [
            ({**GOOD, "from": 101}, WHO, "the property from must be at most 100"),
            ({**GOOD, "order-id": "x"}, WHO, "the property order-id must match"),
            ({**GOOD, "items": [1, 2, 3]}, WHO, "the property items must have at most 2"),
            ({"currency": "EUR"}, WHO, "the property order-id is required"),
            (GOOD, {"user_id": "u"}, "the field page.url is required"),
            (GOOD, {**WHO, "user_id": ""}, "the field user_id is required"),
        ]
        for properties, fields, said in wrong:
            assert MODULE.order_completed(client, properties, **fields) is None
            assert client.stats.last_problem is not None and said in client.stats.last_problem.detail
        assert client.stats.invalid == len(wrong)
    assert len(made) == 3 and all(keeps(PLAN, text) for text in made)
    assert b'"schema_version":2' in made[0] and b'"schema_version":3' in made[2]


def test_events_that_the_sdk_has_calls_for_get_no_function() -> None:
    assert not hasattr(MODULE, "identify")


def test_the_fields_of_a_call_are_those_of_the_sdk() -> None:
    assert list(FIELDS) != [] and set(FIELDS) == set(get_type_hints(EventFields)) - {"schema_version"}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [("Order Paid", "order_paid", "'Order Paid' and 'order_paid'"), ("$", "!", "'!' has no letter")],
)
def test_events_that_cannot_be_told_apart_by_name_are_an_error(one: str, other: str, said: str, tmp_path: Path) -> None:
    for number, name in enumerate((one, other)):
        (tmp_path / f"{number}.yaml").write_text(f"event: {name!r}\nversions: {{1: {{}}}}")
    with pytest.raises(PlanError, match=said.replace("$", r"\$")):
        python_code(TrackingPlan.load(tmp_path))


PROGRAM = """
from event_assets_sdk import EventClient
from planned_events import event_2_off, import_, order_completed

def send(client: EventClient) -> None:
    order_completed(client, {"order-id": "o_1", "currency": "EUR", "step": 1}, user_id="u", context={})
    import_(client, {"note": None}, anonymous_id="a")
    import_(client)
    event_2_off(client)
    order_completed(client, {"currency": "EUR"}, user_id="u", context={})  # type: ignore[typeddict-item]
    order_completed(client, {"order-id": "o", "currency": "X"}, user_id="u", context={})  # type: ignore[typeddict-item]
    order_completed(client, {"order-id": "o", "currency": "EUR"}, context={})  # type: ignore[call-arg]
    import_(client, {"note": 5})  # type: ignore[typeddict-item]
    import_(client, {"nate": "x"})  # type: ignore[typeddict-unknown-key]
    import_(client, usr_id="u")  # type: ignore[call-arg]
"""


@pytest.mark.slow
def test_mypy_takes_the_code_and_finds_what_would_break_the_plan(tmp_path: Path) -> None:
    shipped = TrackingPlan.load(ROOT / "event_assets" / "contract" / "plans")
    (tmp_path / "shipped.py").write_text(python_code(shipped), encoding="utf-8")
    (tmp_path / "planned_events.py").write_text(python_code(PLAN), encoding="utf-8")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--cache-dir=.cache",
        "shipped.py",
        "program.py",
    ]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "python-sdk")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
