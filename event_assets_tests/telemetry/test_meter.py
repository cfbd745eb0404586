"""What one process tells, added up to a line a minute."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from event_assets.telemetry import metrics as names
from event_assets.telemetry.meter import MOST_VALUES, representative
from event_assets_tests.telemetry.telling import Lines


def test_a_line_has_what_came_since_the_last_one_and_no_more() -> None:
    told = Lines()
    told.meter.count(names.EVENTS_ACCEPTED, 3)
    told.meter.count(names.EVENTS_ACCEPTED)
    told.meter.value(names.STEP_SECONDS, 0.5, 2.0)
    told.meter.note("RowsByTable", "sessions", 7)
    told.meter.flush()
    told.meter.count(names.EVENTS_ACCEPTED, 2)
    told.meter.flush()
    told.meter.flush()
    first, second = told.lines
    assert (first["EventsAccepted"], first["StepSeconds"], first["RowsByTable"]) == (4, [0.5, 2.0], {"sessions": 7})
    assert second["EventsAccepted"] == 2 and "StepSeconds" not in second and "RowsByTable" not in second


def test_a_beat_writes_once_a_minute() -> None:
    told = Lines()
    for _ in range(100):
        told.meter.count(names.SENSOR_TICKS)
        told.now += 4
        told.meter.beat()
    assert [line["SensorTicks"] for line in told.lines] == [15] * 6


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=1_000))
def test_a_line_holds_as_many_values_as_cloudwatch_takes_the_least_and_the_largest_among_them(
    values: list[float],
) -> None:
    shown = representative(values)
    assert len(shown) == min(len(values), MOST_VALUES)
    assert (min(shown), max(shown)) == (min(values), max(values)) and set(shown) <= set(values)
