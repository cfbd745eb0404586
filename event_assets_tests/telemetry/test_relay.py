"""What a relay takes is told on as it was told, and nothing of it here."""

from __future__ import annotations

from collections.abc import Iterable

from event_assets.telemetry import metrics as names
from event_assets.telemetry.process import meter, telling, traces, tracing
from event_assets.telemetry.relay import Relay, tell_on
from event_assets.telemetry.traces import Place
from event_assets_tests.telemetry.telling import Lines

PLACE = Place("events", "shard-0", "7")


class Noted:
    """A way that notes what it is told."""

    share = 1.0

    def __init__(self) -> None:
        self.told: list[object] = []

    def landed(self, places: Iterable[tuple[Place, float]], ended: float) -> None:
        self.told.append((list(places), ended))

    def done(self, what: str, began: float, ended: float, rows: int) -> None:
        self.told.append((what, began, ended, rows))


def work() -> None:
    meter().count(names.EVENTS_CLEANED, 3)
    meter().value(names.STEP_SECONDS, 0.5, 1.5)
    meter().note("RowsByTable", "clean_events", 3)
    if (way := traces()) is not None:
        way.landed([(PLACE, 1.0)], 2.0)
        way.done("refresh clean_events", 2.0, 3.0, 3)


def test_what_was_told_elsewhere_is_told_here_as_it_was() -> None:
    here, there = Lines(), Lines()
    way, noted = Noted(), Noted()
    with telling(here.meter), tracing(way):
        relay = Relay(1.0)
        with relay.listening():
            work()
        here.meter.flush()
        assert here.lines == [] and way.told == []
        work()
        here.meter.flush()
    with telling(there.meter), tracing(noted):
        tell_on(relay.taken())
        there.meter.flush()
    assert there.lines == here.lines and noted.told == way.told != []


def test_what_failed_elsewhere_is_told_and_nothing_of_ways_where_none_is_traced() -> None:
    relay, lines = Relay(0.0), Lines()
    try:
        with relay.listening():
            assert traces() is None
            meter().count(names.STEPS_FAILED)
            raise RuntimeError("no")
    except RuntimeError:
        pass
    with telling(lines.meter):
        tell_on(relay.taken())
        tell_on(relay.taken())
        lines.meter.flush()
    (line,) = lines.lines
    assert line["StepsFailed"] == 2
