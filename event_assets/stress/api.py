"""The ingest API under load: as many collector processes as wanted on one port, a key, and what they use and say.

They serve the local profile under a folder of its own, whatever the settings of this process are.
"""

from __future__ import annotations

import re
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from event_assets.collector.keys import WriteKeys
from event_assets.embedded.ports import free_port
from event_assets.embedded.service import Service, ServiceSpec, StackError
from event_assets.settings import PREFIX, Settings, load_settings
from event_assets.stack.health import answers_ok

_UNREACHED_RATE = 1e9
"""A rate of the key that is checked with each request and never reached."""
_STARTED = b"Application startup complete"


def stress_settings(home: Path, **more: object) -> Settings:
    """Settings of the local profile that keep everything under `home`."""
    return load_settings(
        profile="local",
        home=home,
        stream_kind="embedded",
        stream_name="events",
        lake_url=None,
        spark_remote=None,
        warehouse_kind="postgres",
        warehouse_events="all",
        **{"warehouse_url": None, "collector_host": "127.0.0.1", "collector_ip_rate": 0, **more},
    )


class Usage(NamedTuple):
    """CPU seconds so far and megabytes held, of some processes together."""

    cpu: float
    memory_mb: float


class Writes(NamedTuple):
    """Durable writes and the seconds that they took."""

    number: int
    seconds: float


class Api:
    """A running ingest API."""

    def __init__(self, url: str, key: str, processes: int, service: Service) -> None:
        self.url = url
        self.key = key
        self.processes = processes
        self._service = service

    def usage(self) -> Usage:
        """What its processes use."""
        return usage_of(self._service.pid)

    def stream_writes(self) -> Writes:
        """Durable writes to the stream so far. Each process counts its own: none are known where there are several."""
        if self.processes > 1:
            return Writes(0, 0.0)
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        count, seconds = (
            float(found.group(1))
            if (found := re.search(rf"^collector_stream_write_seconds_{name} (\S+)$", text, re.M))
            else 0.0
            for name in ("count", "sum")
        )
        return Writes(int(count), seconds)


@contextmanager
def serving_api(settings: Settings, processes: int) -> Iterator[Api]:
    """An ingest API of so many processes, all ready. Raises `StackError` where they do not start."""
    settings.home.mkdir(parents=True, exist_ok=True)
    key = WriteKeys.of(settings).create("stress", "web", events_per_second=_UNREACHED_RATE)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = settings.home / "collector.log"
    spec = ServiceSpec(
        name="collector",
        title="The ingest API",
        command=[sys.executable, "-m", "event_assets.collector", "--workers", str(processes)],
        is_ready=lambda: answers_ok(f"{url}/v1/ready") and log.read_bytes().count(_STARTED) >= processes,
        environment=_environment(settings, port),
    )
    service = Service(spec, settings.home)
    try:
        while not service.check():
            time.sleep(0.05)
        yield Api(url, key, processes, service)
        if not service.running:
            raise StackError(service.fault())
    finally:
        service.ask_to_stop()
        service.wait_stopped()


def _environment(settings: Settings, port: int) -> dict[str, str]:
    named = {"collector_port": str(port)}
    for name in ("profile", "home", "stream_kind", "stream_name", "collector_host", "collector_ip_rate"):
        named[name] = str(getattr(settings, name))
    return {PREFIX + name.upper(): value for name, value in named.items()}


def usage_of(pid: int) -> Usage:
    """What a process and all that it started use."""
    cpu = memory = 0.0
    try:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            times = process.cpu_times()
            cpu += times.user + times.system
            memory += process.memory_info().rss / 1e6
    except psutil.Error:
        pass  # it has ended meanwhile; what it used until the last look stands
    return Usage(cpu, memory)
