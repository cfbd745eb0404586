"""The verifier's own walk through strict funnels, where events are of one instant."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.rules.condition import Step
from event_assets.rules.funnel import Funnel
from event_assets.verification.funnels import funnel_rows
from event_assets.verification.history import Event
from event_assets.verification.product import _events


def happened(name: str, at: int, number: int) -> Event:
    return Event(f"e{number}", name, "a1", None, None, None, "web", at, at, 0.0, {"event": name}, "p")


@pytest.mark.parametrize(
    ("steps", "moments", "reached"),
    [
        ("abc", "xa b c", 3),
        ("abc", "a bx cx", 3),
        ("abc", "xcba", 3),
        ("abc", "a x bc", 1),
        ("aaa", "a ax a", 3),
    ],
)
def test_what_is_no_step_does_not_part_strict_steps_of_its_own_instant(steps: str, moments: str, reached: int) -> None:
    names = [(name, at) for at, together in enumerate(moments.split()) for name in together]
    events = [happened(name, at * 1_000_000, number) for number, (name, at) in enumerate(names)]
    rows = funnel_rows(Funnel(name="x", steps=[Step(event=name) for name in steps], order="strict"), events)
    assert [rows["(all)", step + 1][1] for step in range(len(steps))] == [int(k < reached) for k in range(len(steps))]


@given(days=st.integers(1, 6), ago=st.integers(0, 6))
def test_the_days_of_a_funnel_end_so_many_before_the_last(days: int, ago: int) -> None:
    began = dt.date(2026, 2, 25)
    history = SimpleNamespace(human=[SimpleNamespace(site_date=str(began + dt.timedelta(days=n))) for n in range(8)])
    history.events = history.human
    funnel = Funnel(name="f", steps=[Step(event="a"), Step(event="b")], days=days, days_ago=ago)
    found = [event.site_date for event in _events(funnel, cast(Any, history))]
    assert found == [str(began + dt.timedelta(days=n)) for n in range(8) if 7 - ago - days < n <= 7 - ago]
