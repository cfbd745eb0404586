"""The collector is killed again and again, in `make prove` a hundred times, under load while an application sends to it
through the SDK's queue.

Each collector is a process of its own that serves the embedded log on disk, and ends by SIGKILL while it takes events.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from event_assets.collector import WriteKeys
from event_assets.collector.__main__ import serve
from event_assets.collector.app import create_app
from event_assets.contract.records import unpack
from event_assets.settings import load_settings
from event_assets.streams import EventStream, open_stream
from event_assets_sdk import EventClient
from event_assets_sdk.bounds import Bounds
from event_assets_sdk.disk_queue import DiskQueue
from event_assets_tests.collector.serving import free_port
from event_assets_tests.examples import in_proportion

KILLS = in_proportion(20)
ACCEPTED_BETWEEN_KILLS = 100
LONGEST_BETWEEN_KILLS = 60.0
MOST_WAITING = 2_000
Event = dict[str, Any]


def collect(home: str, port: int) -> None:
    """The life of one collector."""
    settings = load_settings(home=Path(home), collector_port=port, collector_ip_rate=0)
    serve(settings, create_app(settings))


@contextmanager
def collecting(home: Path, port: int) -> Iterator[None]:
    """A collector until the end of the block, which is a SIGKILL. Forked from a process that has imported it."""
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process: BaseProcess = context.Process(target=collect, args=(str(home), port))
    process.start()
    try:
        yield
        assert process.is_alive(), "the collector ended by itself"
    finally:
        process.kill()
        process.join()


class Application:
    """Tracks events without a pause, in a thread, and remembers the id of each."""

    def __init__(self, client: EventClient) -> None:
        self.client = client
        self.tracked: list[str] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Application:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ends.is_set():
            for _ in range(20):
                number = len(self.tracked)
                event_id = self.client.track("search", {"n": number}, anonymous_id=f"a{number % 5}")
                assert event_id is not None
                self.tracked.append(event_id)
            self._ends.wait(0.002 if self.client.stats.queued < MOST_WAITING else 0.05)

    def wait_for(self, accepted: int) -> None:
        """Waits until so many more events were acknowledged."""
        enough = self.client.stats.accepted + accepted
        until = time.monotonic() + LONGEST_BETWEEN_KILLS
        while self.client.stats.accepted < enough:
            assert time.monotonic() < until, self.client.stats
            time.sleep(0.002)


class Taken:
    """What is on the stream, read on from where the last look ended."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._after: dict[str, str | None] = {shard.shard_id: None for shard in stream.shards()}
        self.events: list[Event] = []
        self.ids: set[str] = set()

    def look(self) -> None:
        for shard, after in self._after.items():
            while records := self._stream.read(shard, after).records:
                after = self._after[shard] = records[-1].sequence_number
                events = [json.loads(line) for record in records for line in unpack(record.data)]
                self.events += events
                self.ids.update(event["event_id"] for event in events)


@pytest.mark.slow
def test_killed_collectors_lose_nothing_that_they_acknowledged(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    stream = open_stream(settings)
    stream.create(shards=2)
    taken = Taken(stream)
    port, key = free_port(), WriteKeys.of(settings).create("shop", "server")
    queue = DiskQueue(tmp_path / "queue.sqlite", Bounds(2**40, "drop_newest"), 30.0, pytest.fail)
    client = EventClient(
        f"http://127.0.0.1:{port}", key, queue_path=queue.path, flush_interval=0.02, first_wait=0.01, longest_wait=0.05
    )
    with Application(client) as application:
        for _ in range(KILLS):
            with collecting(tmp_path, port):
                application.wait_for(ACCEPTED_BETWEEN_KILLS)
                time.sleep(random.uniform(0, 0.02))  # anywhere in the work on a batch
            tracked = list(application.tracked)
            waiting = {event.event_id for event in queue.take(10**6, 10**12)}
            taken.look()
            acknowledged = set(tracked) - waiting
            assert acknowledged <= taken.ids
            assert len(acknowledged) >= ACCEPTED_BETWEEN_KILLS
    with collecting(tmp_path, port):
        assert client.flush(60)
    stats = client.stats
    client.close()
    taken.look()
    assert stats.retries >= KILLS // 2, "the kills were felt"
    assert taken.ids == set(application.tracked)
    assert stats.accepted == stats.tracked == len(application.tracked)
    check_copies(taken.events)


def check_copies(events: list[Event]) -> None:
    """Events that came twice, since their acknowledgement was lost, differ in nothing but the times of their way."""
    first: dict[str, Event] = {}
    for event in events:
        content = {name: value for name, value in event.items() if name not in ("sent_at", "received_at")}
        assert first.setdefault(event["event_id"], content) == content
    for name in {event["anonymous_id"] for event in events}:
        own = [event for event in first.values() if event["anonymous_id"] == name]
        assert [event["sequence"] for event in own] == list(range(len(own))), "in order, without a gap"
