"""Disks that are damaged, read-only, full or locked: events go on in memory, it is said, and nothing doubles."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from event_assets_sdk import Problem
from event_assets_sdk.bounds import Bounds
from event_assets_sdk.disk_queue import DiskQueue
from event_assets_sdk.events import NewEvent
from event_assets_tests.sdk.conftest import Clients
from event_assets_tests.sdk.fault_server import FaultServer, Reply


def new(number: int, size: int = 10) -> NewEvent:
    return NewEvent(f"e{number}", "a", b"x" * size, 0.0, 0.0, "p")


def queue_of(path: Path, **options: Any) -> DiskQueue:
    return DiskQueue(path, Bounds(1_000_000, "drop_oldest"), 0.05, options.get("on_damage", lambda _: None))


def numbers(events: list[dict[str, Any]]) -> list[int]:
    return [event["properties"]["n"] for event in events]


@pytest.mark.parametrize("damage", ["garbage", "pages"])
def test_a_damaged_file_is_left_and_a_new_one_begun(
    damage: str, tmp_path: Path, faults: FaultServer, client_of: Clients
) -> None:
    path = tmp_path / "queue.sqlite"
    before = client_of("http://127.0.0.1:9", sync=True)
    for number in range(200):
        before.track("search", {"n": number, "text": "x" * 500}, anonymous_id="a")
    before.close(timeout=0)
    content = bytearray(path.read_bytes())
    content[0 if damage == "garbage" else 4096 :] = os.urandom(len(content) - (0 if damage == "garbage" else 4096))
    path.write_bytes(content)
    problems: list[Problem] = []
    client = client_of(faults.url, sync=True, on_error=problems.append)
    client.track("search", {"n": 1_000}, anonymous_id="a")
    assert client.flush(20)
    assert numbers(faults.events) == [1_000]
    assert path.read_bytes()[-4096:] == content[-4096:], "the damaged file is kept"
    assert [problem.kind for problem in problems] == ["storage"]
    assert "damaged" in problems[0].detail and "queue.sqlite.2 begun" in problems[0].detail
    assert client.stats.storage == "disk"
    client.track("search", {"n": 1_001}, anonymous_id="a")
    client.close(timeout=0)
    again = client_of(faults.url, sync=True)
    assert again.flush(20)
    assert numbers(faults.events) == [1_000, 1_001], "the next process goes on with the new one"


def test_who_has_the_damaged_file_open_follows_to_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    one, other = queue_of(path), queue_of(path)
    one.put([new(1)])
    other.put([new(2)])
    one._set_aside(sqlite3.DatabaseError("as if"))
    other.put([new(3)])
    assert [event.event_id for event in one.take(10, 1_000)] == ["e3"]
    assert [event.event_id for event in other.take(10, 1_000)] == ["e3"]


@pytest.mark.parametrize("where", ["no folder can be made", "the file is another program's", "the file is a folder"])
def test_where_there_is_no_usable_file_events_wait_in_memory(
    where: str, tmp_path: Path, faults: FaultServer, client_of: Clients
) -> None:
    path = tmp_path / "place" / "queue.sqlite"
    if where == "no folder can be made":
        path.parent.write_text("a file where the folder should be")
    elif where == "the file is a folder":
        path.mkdir(parents=True)
    else:
        path.parent.mkdir()
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE orders (id INTEGER)")
    problems: list[Problem] = []
    client = client_of(faults.url, queue_path=path, on_error=problems.append)
    for number in range(5):
        assert client.track("search", {"n": number}, anonymous_id="a")
    assert client.stats.storage == "memory"
    assert client.flush(20)
    assert numbers(faults.events) == list(range(5))
    assert problems[0].kind == "storage" and str(path) in problems[0].detail
    if where == "the file is another program's":
        with sqlite3.connect(path) as database:
            assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("orders",)]


def fill(queue: DiskQueue | None) -> None:
    """Lets the file grow no further, as a full disk does."""
    assert queue is not None
    database = queue._connect()
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")


def test_when_the_disk_is_full_events_go_on_in_memory_and_move_to_the_disk_later(
    tmp_path: Path, faults: FaultServer, client_of: Clients
) -> None:
    client = client_of(faults.url, sync=True)
    client.track("search", {"n": 0}, anonymous_id="a")
    fill(client._queue._disk)
    fill(client._queue._sending)
    for number in range(1, 40):
        client.track("search", {"n": number, "text": "x" * 3_000}, anonymous_id="a")
    problem = client.stats.last_problem
    assert problem is not None and problem.kind == "storage" and "full" in problem.detail
    stats = client.stats
    assert stats.storage == "memory" and stats.queued == 40
    client._queue.close()  # a connection knows of the limit: closed, there is room again
    faults.script(lambda _: Reply(503, headers={"retry-after": "100"}))
    assert not client.flush(1)
    assert client.stats.storage == "disk"
    client.close(timeout=0)
    again = client_of(faults.url, sync=True)
    assert again.flush(20)
    assert numbers(faults.requests[-1]) == list(range(40)), "in the order in which they were tracked"


def test_what_the_file_cannot_forget_is_not_sent_again(faults: FaultServer, client_of: Clients) -> None:
    client = client_of(faults.url, sync=True)
    for number in range(3):
        client.track("search", {"n": number}, anonymous_id="a")
    sending = client._queue._sending
    assert sending is not None
    sending._connect().execute("PRAGMA query_only = ON")
    assert client.flush(20)
    problem = client.stats.last_problem
    assert problem is not None and problem.kind == "storage"
    assert numbers(faults.events) == [0, 1, 2]
    assert client.stats.queued == 0


def test_a_file_that_is_locked_for_long_keeps_nobody_waiting(
    tmp_path: Path, faults: FaultServer, client_of: Clients
) -> None:
    client = client_of(faults.url, sync=True)
    client.track("search", {"n": 0}, anonymous_id="a")
    with sqlite3.connect(tmp_path / "queue.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        client.track("search", {"n": 1}, anonymous_id="a")
        client.track("search", {"n": 2}, anonymous_id="a")
        stats = client.stats
        assert stats.storage == "memory"
        other.execute("ROLLBACK")
    assert client.flush(20)
    assert client.stats.storage == "disk"
    assert numbers(faults.events) == [0, 1, 2]


def test_only_the_owner_can_read_what_waits(tmp_path: Path, client_of: Clients) -> None:
    client = client_of("http://127.0.0.1:9", sync=True, queue_path=tmp_path / "deep" / "er" / "queue.sqlite")
    client.track("search", anonymous_id="a")
    for file in (tmp_path / "deep" / "er").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_without_a_home_events_wait_in_memory(
    faults: FaultServer, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    client = client_of(faults.url, queue_path=None)
    client.track("search", anonymous_id="a")
    assert client.stats.storage == "memory"
    assert client.flush(20)


def test_by_default_each_endpoint_and_key_has_a_file_under_the_home_folder(
    tmp_path: Path, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for key in ("one", "one", "other"):
        client_of("http://127.0.0.1:9", key, queue_path=None, sync=True).track("search", anonymous_id="a")
    assert len(list((tmp_path / ".event-assets-sdk").glob("*.sqlite"))) == 2


def test_one_sends_at_a_time(tmp_path: Path) -> None:
    one, other = queue_of(tmp_path / "q"), queue_of(tmp_path / "q")
    with one.sending() as mine:
        assert mine
        with other.sending() as theirs:
            assert not theirs
    with other.sending() as theirs:
        assert theirs


def test_a_put_is_whole_or_not_at_all(tmp_path: Path) -> None:
    queue = queue_of(tmp_path / "q")
    broken = NewEvent("e2", "a", None, 0.0, 0.0, "p")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        queue.put([new(1), broken])
    assert queue.waiting() == (0, 0)
    queue.put([new(3)])
    assert [(event.event_id, event.sequence) for event in queue.take(10, 1_000)] == [("e3", 0)]


def test_a_batch_is_cut_by_count_and_by_bytes_but_never_empty(tmp_path: Path) -> None:
    queue = queue_of(tmp_path / "q")
    queue.put([new(number, 100) for number in range(10)])
    assert len(queue.take(3, 10_000)) == 3
    assert len(queue.take(10, 450)) == 4
    assert len(queue.take(10, 1)) == 1
    queue.settle([event.position for event in queue.take(4, 10_000)])
    assert queue.waiting() == (6, 600)
    assert queue.take(1, 1)[0].event_id == "e4"


def test_numberings_are_forgotten_once_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("event_assets_sdk.disk_queue.MOST_SEQUENCES", 10)
    queue = queue_of(tmp_path / "q")
    for number in range(20):
        queue.put([new(number)._replace(anonymous_id=f"a{number}")])
    queue.tidy()
    queue.put([new(30)._replace(anonymous_id="a0"), new(31)._replace(anonymous_id="a19")])
    assert [event.sequence for event in queue.take(100, 10_000)][-2:] == [0, 1]


def test_a_week_offline_keeps_the_log_of_the_file_small(tmp_path: Path) -> None:
    queue = queue_of(tmp_path / "q")
    for number in range(2_000):
        queue.put([new(number, 200)])
        if number % 100 == 0:
            queue.tidy()
    assert (tmp_path / "q-wal").stat().st_size < 8_000_000
    assert len(queue.take(3_000, 10**9)) == 2_000


def test_threads_put_and_take_at_once(tmp_path: Path) -> None:
    putting, taking = queue_of(tmp_path / "q"), queue_of(tmp_path / "q")
    taking._busy_seconds = putting._busy_seconds = 30.0
    seen: list[str] = []

    def put() -> None:
        for number in range(300):
            putting.put([new(number)])

    thread = threading.Thread(target=put)
    thread.start()
    while thread.is_alive() or taking.waiting()[0]:
        taken = taking.take(50, 10_000)
        taking.settle([event.position for event in taken])
        seen += [event.event_id for event in taken]
    assert seen == [f"e{number}" for number in range(300)]


def test_state_is_json_that_a_restart_finds(tmp_path: Path) -> None:
    queue = queue_of(tmp_path / "q")
    queue.keep_state("anonymous_id", json.dumps("a"))
    queue.keep_state("anonymous_id", json.dumps("b"), if_absent=True)
    queue.close()
    assert queue_of(tmp_path / "q").state() == {"anonymous_id": '"a"'}
