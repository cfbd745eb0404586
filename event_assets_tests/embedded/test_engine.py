"""The embedded engine finds in its environment what it needs, and nobody reaches it but who may open its socket."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import psutil
import pytest

from event_assets.embedded import engine as embedded
from event_assets.embedded.engine import Engine, connect
from event_assets.embedded.service import StackError
from event_assets.embedded.sockets import socket_path

FOOTERS, STATISTICS = (
    "SAIL_PARQUET__FILE_METADATA_CACHE__SIZE_LIMIT",
    "SAIL_PARQUET__FILE_STATISTICS_CACHE__MAX_ENTRIES",
)
VARIABLES = ("RUST_LOG", "MIMALLOC_PURGE_DELAY", "AWS_REGION", "SAIL_RUNTIME__STACK_SIZE", FOOTERS, STATISTICS)
CALL = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for family, address in ((socket.AF_UNIX, sys.argv[1]), (socket.AF_INET, ("127.0.0.1", int(sys.argv[2])))):
    try:
        socket.socket(family).connect(address)
    except OSError as fault:
        print(type(fault).__name__)
"""
READ = """
import sys, psutil, pyarrow as pa, pyarrow.parquet as pq
from event_assets_tests.engines import sail
wide = pa.table({f"column_{number}": pa.array([str(number)] * 20) for number in range(300)})
with sail() as spark:
    for number in range(150):
        path = f"{sys.argv[1]}/{number}.parquet"
        pq.write_table(wide, path)
        spark.read.schema("column_0 string").parquet(path).toArrow()
        if number == 30:
            before = psutil.Process().memory_full_info().uss
    print((psutil.Process().memory_full_info().uss - before) / 2**20)
"""


@pytest.fixture(autouse=True)
def _environment_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def engine() -> Iterator[Engine]:
    started = Engine({}, "error", socket_path(f"spark-of-test-{uuid.uuid4().hex[:16]}"))
    started.start()
    yield started
    started.stop()


def test_an_engine_stops_though_the_clock_of_the_day_was_set_back_by_years(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, asked = time.time, threading.Event()

    def far_ahead() -> float:
        if threading.current_thread().name != "MainThread":
            asked.set()
        return wall() + 10 * 365 * 86_400

    engine = Engine({}, "error", socket_path(f"spark-of-test-{uuid.uuid4().hex[:16]}"))
    engine.start()
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", far_ahead)
        assert asked.wait(300), "the connection is not watched"
    stopping = threading.Thread(target=engine.stop, daemon=True)
    stopping.start()
    stopping.join(300)
    assert not stopping.is_alive()


def test_the_lakes_place_is_set_freed_memory_is_given_back_and_stacks_are_deep(tmp_path: Path) -> None:
    Engine({"AWS_REGION": "eu-west-1"}, "error", tmp_path / "s")
    assert [os.environ[name] for name in VARIABLES[:4]] == ["error", "0", "eu-west-1", "67108864"]


@pytest.mark.slow
def test_of_files_that_were_read_it_keeps_no_more_than_is_set(tmp_path: Path) -> None:
    """In processes of their own: what an engine has once is its own for good."""
    grown = {most: _grown_by(tmp_path / most, {FOOTERS: most, STATISTICS: "10"}) for most in ("1000000", "0")}
    assert grown["1000000"] < grown["0"] / 2, grown
    Engine({}, "error", tmp_path / "s")
    assert 0 < int(os.environ[FOOTERS]) < 2**27 and 0 < int(os.environ[STATISTICS]) < 10_000


def _grown_by(folder: Path, environment: dict[str, str]) -> float:
    """By how many MB an engine grows that reads new files of very many columns again and again."""
    folder.mkdir()
    told = subprocess.run(
        [sys.executable, "-c", READ, str(folder)], env={**os.environ, **environment}, capture_output=True, check=True
    )
    return float(told.stdout)


def test_what_is_set_already_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIMALLOC_PURGE_DELAY", "1000")
    monkeypatch.setenv("RUST_LOG", "debug")
    Engine({}, "error", tmp_path / "s")
    assert os.environ["MIMALLOC_PURGE_DELAY"] == "1000"
    assert os.environ["RUST_LOG"] == "debug"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a say in it")
def test_an_engines_process_has_no_huge_pages(engine: Engine) -> None:
    assert "THP_enabled:\t0" in Path("/proc/self/status").read_text()


def test_results_and_errors_come_over_the_socket_as_they_are(engine: Engine) -> None:
    session = connect(engine.remote)
    assert session.range(200_000).toArrow().num_rows == 200_000
    with pytest.raises(Exception, match="nothing_here"):
        session.sql("SELECT nothing_here").collect()
    session.stop()


class _Garbling(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Lets the first answer on settings and on a plan's columns through without its end."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self.still_sound = {"Config", "AnalyzePlan"}

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        method = self._channel.stream_stream(details.method)

        def forward(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            for answer in method(requests):
                name = details.method.rpartition("/")[2]
                yield answer[:-1] if name in self.still_sound else answer
                self.still_sound.discard(name)

        return grpc.stream_stream_rpc_method_handler(forward)


@pytest.fixture
def garbling(engine: Engine) -> Iterator[tuple[_Garbling, str]]:
    """What stands between an engine and who asks it, and its address."""
    with grpc.insecure_channel(engine.remote) as channel:
        garbling = _Garbling(channel)
        between = grpc.server(ThreadPoolExecutor(8), [garbling])
        port = between.add_insecure_port("127.0.0.1:0")
        between.start()
        yield garbling, f"sc://127.0.0.1:{port}"
        between.stop(None).wait()


def test_an_answer_that_cannot_be_read_is_asked_for_again(garbling: tuple[_Garbling, str]) -> None:
    between, remote = garbling
    session = connect(remote)
    assert session.sql("SELECT 1 AS one").columns == ["one"]
    assert session.conf.get("spark.sql.session.timeZone")
    session.stop()
    assert not between.still_sound


@pytest.mark.slow
def test_an_engine_that_is_gone_is_asked_a_few_times_and_then_said_to_be(engine: Engine) -> None:
    session = connect(engine.remote)
    assert session.range(3).count() == 3
    engine.lost.set()
    with pytest.raises(Exception, match="engine is lost"):
        session.range(3).count()


def test_a_plan_of_some_hundred_steps_does_not_end_the_engine(engine: Engine) -> None:
    session = connect(engine.remote)
    assert session.sql("SELECT " + " + ".join(["1"] * 800)).collect()[0][0] == 800
    session.stop()


def test_the_engine_listens_on_no_port_and_its_socket_is_its_owners(engine: Engine) -> None:
    ports = {each.laddr.port for each in psutil.Process().net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    _, port = engine.sail_address
    assert port not in ports
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)
    assert stat.S_IMODE(engine.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(engine.path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_of_the_machine_is_refused(engine: Engine) -> None:
    _, port = engine.sail_address
    command = [sys.executable, "-c", CALL, str(engine.path), str(port)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["PermissionError", "ConnectionRefusedError"]


def test_whoever_connects_before_the_port_is_closed_ends_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    close = embedded._close_port
    early: list[socket.socket] = []

    def close_late(port: int) -> None:
        early.append(socket.create_connection(("127.0.0.1", port)))
        early[0].sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        early[0].recv(1)
        close(port)

    monkeypatch.setattr(embedded, "_close_port", close_late)
    engine = Engine({}, "error", socket_path(f"spark-of-test-{uuid.uuid4().hex[:16]}"))
    with pytest.raises(StackError, match="Something else"):
        engine.start()
    early[0].close()  # Sail waits for whoever is connected
    engine.stop()
