"""How long new events take while old ones of thousands of days come through: `python -m benchmarks backlog [--json]`.

New events come each second, alone at first. Then the old ones come, all at once, over so many days before today, as an
application sends them that was offline for years; from then on days long past have their turns as the sensor gives
them, round after round and half of the time, beside the loop that new events have, on the same engine. Told is how long
new events took from their receipt into the warehouse in both stretches, and how long the old ones did until all of them
were there. At the end every event is in the warehouse once, and the ledger balances; the exit status is 1 else.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from event_assets.defs.automation.turns import MOST_DAYS
from event_assets.embedded.postgres import open_postgres
from event_assets.pipeline.arrivals import Arrivals
from event_assets.pipeline.following import Following
from event_assets.pipeline.late_days import LateDays
from event_assets.pipeline.pending_days import BY_EVENT_DATE, pending
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.engines import sail
from event_assets_tests.pipeline.pipeline import Pipeline

_BACKDATE_DAYS = 90
_LAST = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took), percentile_cont(0.95) WITHIN GROUP (ORDER BY took), count(*)
FROM (SELECT extract(epoch FROM loaded_at - received_at) AS took FROM analytics.fct_events
      WHERE event_id LIKE 'new-%%' AND received_at >= %s AND received_at < %s) AS events
"""


@dataclass
class _Load:
    """Events of now, so many a second, until it ends."""

    pipeline: Pipeline
    rate: int
    sent: int = 0
    _over: Event = field(default_factory=Event)

    def __enter__(self) -> _Load:
        self._thread = Thread(target=self._send, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _send(self) -> None:
        while not self._over.wait(1):
            now = dt.datetime.now(dt.UTC)
            self.pipeline.put([line(f"new-{self.sent + number}", number, now, now) for number in range(self.rate)])
            self.sent += self.rate


def line(name: str, person: int, happened: dt.datetime, received: dt.datetime) -> bytes:
    """A view of a page, as it comes from a trusted source."""
    told = {
        "event_id": name,
        "event": "page_view",
        "platform": "web",
        "anonymous_id": f"person-{person}",
        "page": {"url": f"https://shop.example/{person % 50}"},
        **dict.fromkeys(("occurred_at", "derived_at"), happened.isoformat()),
        **dict.fromkeys(("sent_at", "received_at"), received.isoformat()),
    }
    return json.dumps(told).encode()


def _old(events: int, days: int) -> Iterator[bytes]:
    now = dt.datetime.now(dt.UTC)
    for number in range(events):
        yield line(f"old-{number}", number % 1_000, now - dt.timedelta(days=1 + number % days), now)


def run(given: argparse.Namespace) -> dict[str, Any]:
    """The figures of one run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="event-assets-backlog-")))
        pipeline = Pipeline(stack.enter_context(sail()), folder / "home")
        warehouse = Warehouse(PostgresDialect(LakeFiles()), stack.enter_context(open_postgres(folder / "warehouse")))
        warehouse.ensure()
        over = Event()
        arrivals = Arrivals(Following(pipeline.refresh(), warehouse, _BACKDATE_DAYS), is_over=over.is_set)
        beside = stack.enter_context(ThreadPoolExecutor(1))
        with _Load(pipeline, given.rate) as load:
            staying = beside.submit(lambda: sum(1 for _ in arrivals.stay()))
            try:
                time.sleep(given.seconds)
                began = dt.datetime.now(dt.UTC)
                pipeline.put([*_old(given.events, given.days)])
                turns, rounds = _turns(pipeline, warehouse, lambda: arrived(warehouse, "old") < given.events)
                ended = dt.datetime.now(dt.UTC)
            finally:
                over.set()
            staying.result()
        last = Arrivals(Following(pipeline.refresh(), warehouse, _BACKDATE_DAYS), idle_seconds=0)
        list(last.stay())
        return {
            "old events": given.events,
            "days": given.days,
            "new events a second": given.rate,
            "seconds until all old events are there": round((ended - began).total_seconds(), 1),
            "turns": turns,
            "rounds": rounds,
            "alone": _took(warehouse, began - dt.timedelta(seconds=given.seconds / 2), began),
            "beside": _took(warehouse, began, ended),
            "every event once": arrived(warehouse, "old") == given.events
            and arrived(warehouse, "new") == load.sent
            and pipeline.ledger()["enriched"] == given.events + load.sent,
        }


def _turns(pipeline: Pipeline, warehouse: Warehouse, is_behind: Callable[[], bool]) -> tuple[int, int]:
    """Turns of days long past, each as the sensor asks for it, until nothing is behind. Gives how many there were, and
    how many rounds in them."""
    turns = rounds = 0
    while is_behind():
        furthest = str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=_BACKDATE_DAYS))
        days = [day for day in pending(pipeline.lake, BY_EVENT_DATE).in_turn() if day < furthest][:MOST_DAYS]
        began = time.monotonic()
        if days:
            late = LateDays(Following(pipeline.refresh(), warehouse, _BACKDATE_DAYS), days, is_behind)
            deque(late.stay(), maxlen=0)
            turns, rounds = turns + 1, rounds + late.rounds
        time.sleep(max(0.5, time.monotonic() - began))
    return turns, rounds


def arrived(warehouse: Warehouse, kind: str) -> int:
    """How many events of a kind are in the warehouse."""
    with warehouse.connect() as session:
        found = session.execute(
            "SELECT count(*), count(DISTINCT event_id) FROM analytics.fct_events WHERE event_id LIKE %s", (f"{kind}-%",)
        ).fetchone()
    assert found is not None and found[0] == found[1], "an event is there twice"
    return int(found[0])


def _took(warehouse: Warehouse, since: dt.datetime, until: dt.datetime) -> dict[str, float]:
    with warehouse.connect() as session:
        row = session.execute(_LAST, (since, until)).fetchone()
    assert row is not None
    half, most, events = row
    return {"p50 seconds": round(float(half or 0), 2), "p95 seconds": round(float(most or 0), 2), "events": events}


def main(argv: list[str]) -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks backlog", description=__doc__)
    parser.add_argument("--events", type=int, default=50_000, help="old events")
    parser.add_argument("--days", type=int, default=4_000, help="days that they lie on")
    parser.add_argument("--rate", type=int, default=50, help="new events a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="of new events alone")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    found = run(given)
    print(json.dumps(found) if given.json else json.dumps(found, indent=2))
    return 0 if found["every event once"] else 1
