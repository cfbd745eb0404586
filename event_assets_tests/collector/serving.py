"""A real collector over real HTTP: in a thread with a stream of the test's choosing, or as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn

from event_assets.collector import WriteKeys, create_app
from event_assets.collector.connections import BoundedProtocol
from event_assets.collector.limits import CollectorLimits
from event_assets.contract.records import unpack
from event_assets.settings import Settings
from event_assets.streams import EventStream


def event(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A valid event."""
    return {
        "event_id": f"e-{number}",
        "event": "search",
        "anonymous_id": f"a-{number % 7}",
        "platform": "web",
        "occurred_at": "2026-11-22T10:00:00.000Z",
        "sent_at": "2026-11-22T10:00:01.000Z",
        "properties": {"query": "shoes"},
        **fields,
    }


@contextmanager
def serving(
    settings: Settings,
    stream: EventStream | None = None,
    keys: WriteKeys | None = None,
    limits: CollectorLimits | None = None,
) -> Iterator[httpx.Client]:
    """A client of a collector that runs in a thread of this process until the block ends."""
    app = create_app(settings, stream, keys, limits)
    config = uvicorn.Config(app, port=0, http=BoundedProtocol, log_config=None, access_log=False, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def process(home: Path, port: int, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m event_assets.collector` as a process, ready to serve; killed at the end if it still runs."""
    given = {"EVENT_ASSETS_HOME": str(home), "EVENT_ASSETS_COLLECTOR_PORT": str(port), **environment}
    command = [sys.executable, "-m", "event_assets.collector", *arguments]
    with open(home / "collector.log", "ab") as log:
        running = subprocess.Popen(command, env={**os.environ, **given}, stderr=log)
    try:
        _wait_until_ready(running, port)
        yield running
    finally:
        if running.poll() is None:
            for worker in psutil.Process(running.pid).children():
                worker.kill()
        running.kill()
        running.wait()


def _wait_until_ready(running: subprocess.Popen[bytes], port: int) -> None:
    while running.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/v1/ready").raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.02)
    raise RuntimeError("the collector did not start; its log says why")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def written(stream: EventStream) -> list[bytes]:
    """Every event on the stream, as bytes."""
    lines: list[bytes] = []
    for shard in stream.shards():
        after = None
        while records := stream.read(shard.shard_id, after).records:
            after = records[-1].sequence_number
            lines += [line for record in records for line in unpack(record.data)]
    return lines
