"""The verifier's own walk through strict funnels, where events are of one instant."""

from __future__ import annotations

import pytest

from event_assets.rules.analysis import Funnel, Step
from event_assets.verification.funnels import funnel_rows
from event_assets.verification.history import Event


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
