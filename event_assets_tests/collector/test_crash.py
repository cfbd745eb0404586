"""A collector process that is killed or stopped under load: what it acknowledged is on the stream."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from event_assets.collector import WriteKeys
from event_assets.settings import load_settings
from event_assets.streams import open_stream
from event_assets_tests.collector.serving import event, free_port, process, written

KILLS = 5
BATCH = 20


class Senders:
    """Clients that send batches until told to stop, and remember the ids that were acknowledged."""

    def __init__(self, port: int, key: str) -> None:
        self.acknowledged: set[str] = set()
        self.enough = threading.Event()
        self._numbers = itertools.count()
        self._url = f"http://127.0.0.1:{port}/v1/events"
        self._stopped = threading.Event()
        self._headers = {"x-write-key": key}

    def run(self) -> None:
        """One client's life."""
        with httpx.Client(headers=self._headers, timeout=10) as client:
            while not self._stopped.is_set():
                self._send(client)

    def _send(self, client: httpx.Client) -> None:
        batch = [event(next(self._numbers)) for _ in range(BATCH)]
        try:
            answer = client.post(self._url, json=batch)
        except httpx.HTTPError:
            self._stopped.wait(0.01)
            return
        if answer.status_code == 200:
            self.acknowledged.update(result["event_id"] for result in answer.json()["results"])
            if len(self.acknowledged) % (BATCH * 10) == 0:
                self.enough.set()

    def stop(self) -> None:
        """Ends every client after its request."""
        self._stopped.set()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_every_acknowledged_event_is_on_the_stream_after_the_collector_ended(tmp_path: Path, how: int) -> None:
    settings = load_settings(home=tmp_path)
    port, key = free_port(), WriteKeys.of(settings).create("site", "web")
    senders = Senders(port, key)
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(senders.run) for _ in range(4)]
        try:
            for _ in range(KILLS):
                senders.enough.clear()
                with process(tmp_path, port, EVENT_ASSETS_COLLECTOR_IP_RATE="0") as collector:
                    assert senders.enough.wait(300)
                    collector.send_signal(how)
                    collector.wait()
        finally:
            senders.stop()
        for done in running:
            done.result()
    on_stream = [json.loads(line)["event_id"] for line in written(open_stream(settings))]
    assert senders.acknowledged <= set(on_stream)
    assert len(on_stream) == len(set(on_stream))


def test_a_wrong_setting_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), process(tmp_path, free_port(), EVENT_ASSETS_IP_PRIVACY="secret"):
        pass
    assert "EVENT_ASSETS_IP_PRIVACY" in (tmp_path / "collector.log").read_text()


def figure(port: int, name: str) -> float:
    """A figure as one of the workers says it: of a connection of its own, which any may take."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
    (value,) = re.findall(rf"^{name} (\S+)$", text, re.MULTILINE)
    return float(value)


@pytest.mark.slow
def test_two_processes_share_a_port_a_stream_the_keys_and_their_figures(tmp_path: Path) -> None:
    port, key = free_port(), WriteKeys(tmp_path / "keys.json").create("site", "web")
    with process(tmp_path, port, "--workers=2") as collector:
        for number in range(20):
            answer = httpx.post(
                f"http://127.0.0.1:{port}/v1/events", json=event(number), headers={"x-write-key": key}, timeout=30
            )
            assert answer.status_code == 200
        assert {figure(port, "collector_events_accepted_total") for _ in range(12)} == {20.0}
        limit = figure(port, "collector_buffer_limit_bytes")
        _workers(collector)[0].kill()
        # Another takes its place; what it counted stays, what it could hold does not.
        while True:
            with contextlib.suppress(httpx.TransportError):
                shown = figure(port, "collector_events_accepted_total"), figure(port, "collector_buffer_limit_bytes")
                assert shown[0] == 20.0 and shown[1] <= limit
                if len(_workers(collector)) == 2 and shown[1] == limit == 2 * 128 * 2**20:
                    break
        collector.terminate()
        assert collector.wait(300) is not None
    assert len(written(open_stream(load_settings(home=tmp_path)))) == 20


def _workers(collector: subprocess.Popen[bytes]) -> list[psutil.Process]:
    children = psutil.Process(collector.pid).children()
    alive = [each for each in children if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in alive if "spawn_main" in " ".join(each.cmdline())]


@pytest.mark.slow
def test_workers_that_are_slow_to_start_are_let_start(tmp_path: Path) -> None:
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text("import time\ntime.sleep(7)\n")
    key = WriteKeys(tmp_path / "keys.json").create("site", "web")
    path = f"{tmp_path / 'slow'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    port = free_port()
    with process(tmp_path, port, "--workers", "2", PYTHONPATH=path):
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/events", json=event(1), headers={"x-write-key": key})
    assert answer.status_code == 200
