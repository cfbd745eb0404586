"""The stack as a whole: all answers, what ends alone comes back, and all end together, however that happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from event_assets.embedded.engine import connect
from event_assets.embedded.record import StackRecord, read_record
from event_assets.embedded.service import StackError
from event_assets.settings import Settings
from event_assets.stack.local import LocalStack
from event_assets_tests.processes import alive, eventually, family

ROOT = Path(__file__).parents[2]
STACK = """
import signal, sys
from event_assets.settings import load_settings
from event_assets.embedded.engine import connect
from event_assets.stack.local import LocalStack
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.default_int_handler)
settings = load_settings(home=sys.argv[1], collector_port=int(sys.argv[2]), dagster_port=0)
with LocalStack(settings, {}, lambda line: print(line, flush=True), "event_assets_tests.stack.idle_definitions") as it:
    print("started", flush=True)
    it.watch()
"""

pytestmark = pytest.mark.slow


class Running:
    """A stack in a process of its own."""

    def __init__(self, home: Path, collector_port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", STACK, str(home), str(collector_port)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.process.stdout is not None
        self.said = []
        for line in self.process.stdout:
            if line == "started\n":
                break
            self.said.append(line.strip())
        record = read_record(home)
        assert record is not None, self.said
        self.record: StackRecord = record


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    tmp_path.chmod(0o755)
    stack = Running(tmp_path)
    everything = family(stack.process.pid)
    yield stack
    stack.process.kill()
    stack.process.wait()
    assert eventually(lambda: not alive(everything))


def niceness(record: StackRecord, name: str) -> int:
    (service,) = psutil.Process(record.services[name].pid).children()
    return int(service.nice())


def runs(record: StackRecord) -> list[str]:
    query = {"query": "{ runsOrError { ... on Runs { results { status } } } }"}
    answer = httpx.post(f"{record.dagster_url}/graphql", json=query, timeout=10).json()
    return [run["status"] for run in answer["data"]["runsOrError"]["results"]]


def test_everything_answers_and_what_ends_alone_is_started_again(running: Running, tmp_path: Path) -> None:
    record = running.record
    assert httpx.get(f"{record.collector_url}/v1/ready").is_success
    assert httpx.get(record.docs_url).is_success
    assert httpx.get(record.lineage_url).is_success
    assert record.warehouse_url is not None and record.spark_remote is not None
    with psycopg.connect(record.warehouse_url) as session:
        assert session.execute("SELECT 1").fetchall() == [(1,)]
    assert record.arrivals_spark_remote is not None and record.arrivals_spark_remote != record.spark_remote
    for remote in (record.spark_remote, record.arrivals_spark_remote):
        spark = connect(remote)
        assert spark.range(3).count() == 3
        spark.client.close()  # else PySpark would ask it for its settings when the stack is gone
    assert niceness(record, "spark") > niceness(record, "spark-arrivals") == os.nice(0)
    assert eventually(lambda: "STARTED" in runs(record), 60)
    assert open_to_others(tmp_path) == []
    listening = [each for process in family(running.process.pid) for each in process.net_connections("tcp")]
    assert {each.laddr.ip for each in listening if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}

    (service,) = psutil.Process(record.services["collector"].pid).children()
    service.kill()
    assert eventually(lambda: not httpx_ready(record))
    assert eventually(lambda: httpx_ready(record))
    again = read_record(tmp_path)
    assert again is not None and again.services["collector"].pid != record.services["collector"].pid

    second = LocalStack(Settings(home=tmp_path))
    with pytest.raises(StackError, match=rf"already runs under .*: process {running.process.pid}"):
        second.start()
    second.stop()
    assert read_record(tmp_path) is not None


def open_to_others(home: Path) -> list[Path]:
    """What anybody but its owner could enter, read or write, under a home and the home itself."""
    found = [home, *home.rglob("*")]
    return [path for path in found if not path.is_symlink() and path.exists() and path.stat().st_mode & 0o077]


def httpx_ready(record: StackRecord) -> bool:
    try:
        return httpx.get(f"{record.collector_url}/v1/ready").is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_however_the_stack_ends(number: signal.Signals, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stack = Running(tmp_path, collector_port=port)
    assert f"Port {port} is taken: the ingest API is on port" in stack.said[0]
    assert eventually(lambda: "STARTED" in runs(stack.record), 60)
    everything = family(stack.process.pid)
    assert len(everything) > 15

    stack.process.send_signal(number)
    stack.process.wait(300)

    assert eventually(lambda: not alive(everything))
    assert read_record(tmp_path) is None
