"""The spool: no call waits for the disk, and what was tracked is in the file a moment later, in order and numbered."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from event_assets_tests.processes import eventually
from event_assets_tests.sdk.conftest import Clients, Collector
from event_assets_tests.sdk.fault_server import FaultServer

OFFLINE = "http://127.0.0.1:9"


def rows(path: Path) -> int:
    with sqlite3.connect(path) as db:
        found: int = db.execute("SELECT count(*) FROM events").fetchone()[0]
    return found


def test_what_was_tracked_is_in_the_file_a_moment_later(tmp_path: Path, client_of: Clients) -> None:
    client = client_of(OFFLINE, disk="spool", flush_interval=3_600.0)
    for number in range(700):
        client.track("search", {"n": number}, anonymous_id="a")
    assert eventually(lambda: (tmp_path / "queue.sqlite").exists() and rows(tmp_path / "queue.sqlite") == 700)
    assert (client.stats.queued, client.stats.storage) == (700, "disk")


def test_events_are_sent_in_order_and_numbered(collector: Collector, client_of: Clients) -> None:
    client = client_of(collector.url, collector.key, disk="spool", batch_size=7)
    for number in range(60):
        client.track("search", {"n": number}, anonymous_id=f"a{number % 3}")
    assert client.flush(20)
    events = collector.events()
    assert sorted(event["properties"]["n"] for event in events) == list(range(60))
    for name in range(3):
        found = [event for event in events if event["anonymous_id"] == f"a{name}"]
        assert [event["sequence"] for event in found] == list(range(20))
        assert [event["properties"]["n"] for event in found] == list(range(name, 60, 3))


def test_while_the_file_is_locked_no_call_waits_and_nothing_is_lost(
    tmp_path: Path, faults: FaultServer, client_of: Clients
) -> None:
    path = tmp_path / "queue.sqlite"
    client = client_of(faults.url, disk="spool")
    client.track("search", {"n": 0}, anonymous_id="a")
    assert client.flush(20)
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    for number in range(1, 500):
        assert client.track("search", {"n": number}, anonymous_id="a")
    lock.execute("COMMIT")
    lock.close()
    assert client.flush(20)
    assert sorted({event["properties"]["n"] for event in faults.events}) == list(range(500))


def test_closing_keeps_what_could_not_be_sent(tmp_path: Path, client_of: Clients) -> None:
    client = client_of(OFFLINE, disk="spool")
    client.track("search", anonymous_id="a")
    client.close(timeout=0)
    assert rows(tmp_path / "queue.sqlite") == 1


def test_without_a_thread_it_is_in_the_file_when_the_call_returns(tmp_path: Path, client_of: Clients) -> None:
    client_of(OFFLINE, disk="spool", sync=True).track("search", anonymous_id="a")
    assert rows(tmp_path / "queue.sqlite") == 1
