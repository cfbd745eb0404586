"""What a demo says while it waits: how much came, and in a few words what is missing."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from event_assets.simulator.run import SimulationProgress
from event_assets.stack.demo import Moment, shortfall
from event_assets.stack.display import demo_progress
from event_assets.stack.overview import LedgerTotals, Overview

NOTHING = Overview([], LedgerTotals(), {}, {}, {})


def told(moment: Moment) -> str:
    out = StringIO()
    with demo_progress(Console(file=out, width=500)) as watch:
        watch(moment)
    return out.getvalue().strip()


def test_events_are_counted_as_acknowledged_and_then_as_those_in_the_warehouse() -> None:
    progress = SimulationProgress(1.0, 20_010, 20_000, 10)
    assert told(Moment(progress)) == "20,000 events acknowledged"
    assert told(Moment(progress, NOTHING, 2_500, "x")) == "17,500 of 20,000 are in the warehouse; waiting: x"
    assert told(Moment(progress, NOTHING)) == "20,000 of 20,000 are in the warehouse"


def test_three_tables_that_are_behind_are_named_and_the_others_counted() -> None:
    pending = {"a": ["2026-03-01"], "b": ["2026-03-01", "2026-03-02"], "c": ["whole table"]}
    named = "a (2026-03-01), b (2 days from 2026-03-01 to 2026-03-02), c (whole table)"
    assert shortfall(Overview([], LedgerTotals(), {}, {}, pending), 0) == [f"these tables are behind: {named}"]
    more = pending | {name: ["whole table"] for name in "defgh"}
    assert shortfall(Overview([], LedgerTotals(), {}, {}, more), 0) == [f"these tables are behind: {named}, 5 more"]


def test_all_that_is_missing_is_said() -> None:
    overview = Overview(["shard-1"], LedgerTotals(pending=3, balanced=False), {}, {}, {})
    assert shortfall(overview, 7) == [
        "7 acknowledged events are not in the warehouse",
        "the stream holds unread records (shard-1)",
        "3 clean events are not enriched",
        "the ledger does not balance",
    ]
    assert shortfall(NOTHING, 0) == []
