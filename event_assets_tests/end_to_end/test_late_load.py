"""An ordinary load with three of ten events late, over 400 days: events of now keep arriving in the warehouse while the
old days take their turn, and in the end all of them are there."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import psycopg
import pytest

from event_assets.collector.keys import WriteKeys
from event_assets.stack.health import recent_runs
from event_assets.stack.patience import Patience
from event_assets_tests.end_to_end.platform import Running
from event_assets_tests.processes import eventually

pytestmark = [pytest.mark.slow, pytest.mark.release]

BACK_DAYS = 400
LATE_SHARE = 0.3
BATCH = 20
LOOKS = 3
"""How often the events of now are waited for while the load goes on, at the least."""
STANDSTILL_SECONDS = 1200.0
"""Nothing at all may move for so long, on whatever machine."""


class Load(threading.Thread):
    """Sends batches without end, as an application does whose devices were offline: all are received now."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__(daemon=True)
        self.new: set[str] = set()
        """Acknowledged events of now."""
        self.old: dict[str, dt.date] = {}
        """Acknowledged events of earlier days, with their day."""
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)
        self._ends = threading.Event()
        self._chance = random.Random(400)

    def run(self) -> None:
        while not self._ends.wait(1):
            self._send()

    def end(self) -> None:
        self._ends.set()
        self.join()

    def _send(self) -> None:
        now, sent = dt.datetime.now(dt.UTC), len(self.new) + len(self.old)
        back = [self._days_back() for _ in range(BATCH)]
        happened = {f"e{sent + place}": now - dt.timedelta(days=days) for place, days in enumerate(back)}
        events = [
            {
                "event_id": event_id,
                "event": "page_view",
                "platform": "server",
                "anonymous_id": f"a{self._chance.randrange(200)}",
                "occurred_at": at.isoformat(),
                "sent_at": now.isoformat(),
            }
            for event_id, at in happened.items()
        ]
        answer = self._client.post("/v1/events", json=events).json()
        assert answer["accepted"] == BATCH, answer
        for (event_id, at), days in zip(happened.items(), back, strict=True):
            if days:
                self.old[event_id] = at.date()
            else:
                self.new.add(event_id)

    def _days_back(self) -> int:
        return self._chance.randint(1, BACK_DAYS) if self._chance.random() < LATE_SHARE else 0


class Stack(Running):
    """A stack, and what its warehouse holds."""

    def arrived(self) -> set[str]:
        """The ids of all events that are in the warehouse."""
        url = self.record.warehouse_url
        assert url is not None
        with psycopg.connect(url) as session, suppress(psycopg.errors.UndefinedTable):
            return {row[0] for row in session.execute("SELECT event_id FROM analytics.fct_events").fetchall()}
        return set()

    def missing(self, events: set[str]) -> int:
        """How many of these are not there."""
        return len(events - self.arrived())

    def wait_for(self, missing: Callable[[], int]) -> None:
        """Waits until nothing is missing, for as long as anything moves."""
        patience = Patience(STANDSTILL_SECONDS)
        while left := missing():
            runs = tuple(recent_runs(self.record.dagster_url, since=0.0))
            assert not patience.is_over((left, runs)), f"{left} are missing, and nothing moves"
            assert self.process.poll() is None, "the stack ended"
            time.sleep(1)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "home", "up")
    yield stack
    stack.process.terminate()
    stack.process.wait()


def test_events_of_now_arrive_while_old_days_take_their_turn_and_all_do_in_the_end(stack: Stack) -> None:
    assert eventually(lambda: (stack.home / "stack.json").exists() or stack.process.poll() is not None, 600)
    load = Load(stack.record.collector_url, WriteKeys(stack.home / "keys.json").create("shop", "server"))
    load.start()
    assert eventually(lambda: bool(load.new and load.old) or not load.is_alive(), 600)
    looks, beside = 0, 0
    while looks < LOOKS or not beside:
        acknowledged = set(load.new)
        stack.wait_for(partial(stack.missing, acknowledged))
        assert load.is_alive()
        arrived, old = stack.arrived(), set(load.old)
        assert acknowledged <= arrived
        assert old - arrived, "old days are still to come while events of now are there"
        looks, beside = looks + 1, len(old & arrived)
    load.end()
    assert min(load.old.values()) < dt.datetime.now(dt.UTC).date() - dt.timedelta(days=90), "some are long past"
    stack.wait_for(partial(stack.missing, load.new | load.old.keys()))
    stack.wait_for(lambda: not json.loads(stack.command("status", "--json").stdout)["settled"])
    ledger = json.loads(stack.command("status", "--json").stdout)["ledger"]
    assert ledger["balanced"] and ledger["enriched"] == len(load.new) + len(load.old)
