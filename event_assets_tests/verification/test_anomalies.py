"""An anomaly is found where it was planted, whatever its events' times were cut to, and missed where it is not."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from event_assets.verification.evidence import Evidence
from event_assets.verification.report import Expectation
from event_assets.verification.verify import _anomalies

BEGINS, ENDS = 1_000_000_017.0, 1_000_003_650.0


class Event(NamedTuple):
    """An event of an anomaly: when it happened, whether its time was cut, and how wrong its clock is."""

    happened_at: float
    stripped: bool
    clock: float = 0.0

    @property
    def derived_at(self) -> float:
        at = self.happened_at + self.clock
        return at // 60 * 60 if self.stripped else at


def line_of(events: list[Event]) -> Expectation:
    evidence = Evidence.__new__(Evidence)
    evidence.connection = sqlite3.connect(":memory:")
    evidence.connection.executescript(
        """
        ATTACH ':memory:' AS truth;
        CREATE TABLE truth.anomalies (kind, begins_at, ends_at, metric);
        CREATE TABLE counted (event_id, event, happened_at, stripped);
        CREATE TABLE submissions (event_id);
        CREATE TABLE lake_enriched_events (event_id, event, derived_at);
        """
    )
    evidence.connection.execute("INSERT INTO truth.anomalies VALUES ('bot_wave', ?, ?, 'view')", (BEGINS, ENDS))
    for number, event in enumerate(events):
        evidence.connection.execute("INSERT INTO submissions VALUES (?)", (number,))
        row = (number, "view", event.happened_at, event.stripped)
        evidence.connection.execute("INSERT INTO counted VALUES (?, ?, ?, ?)", row)
        found = (number, "view", event.derived_at)
        evidence.connection.execute("INSERT INTO lake_enriched_events VALUES (?, ?, ?)", found)
    [line] = _anomalies(evidence)
    evidence.connection.close()
    return line


def near(moment: float) -> st.SearchStrategy[float]:
    return st.floats(moment - 150, moment + 150)


@given(st.lists(st.builds(Event, near(BEGINS) | near(ENDS), st.booleans(), st.floats(-4, 4)), max_size=12))
def test_events_at_its_edges_may_fall_either_way(events: list[Event]) -> None:
    assert line_of(events).ok


def test_events_in_its_midst_that_are_shown_at_another_time_are_missed() -> None:
    events = [Event(BEGINS + 600 + number, bool(number % 2)) for number in range(6)]
    assert line_of(events).ok
    line = line_of([*events[:-1], events[-1]._replace(clock=7_200)])
    assert (line.ok, line.expected, line.actual) == (False, 6, 5)
