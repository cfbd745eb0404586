"""Spark engines for tests: Sail in this process, Apache Spark in one of its own.

`python -m event_assets_tests.engines` is that other process: it prints the port of its Spark Connect server and serves
until its standard input ends.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from event_assets.embedded import engine as embedded
from event_assets.embedded.engine import Engine
from event_assets.embedded.sockets import socket_path
from event_assets.lake.session import prepare_session

REPOSITORY = Path(__file__).parent.parent
CONNECTOR = REPOSITORY / "build" / "spark-kafka"
"""What `make build/spark-kafka` fetches: with it Apache Spark reads topics of Kafka."""
_PATIENCE_SECONDS = 60.0
_OF_EMULATORS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""What Spark's own processes ask emulators of AWS with: they are started before a test says so."""
_PATIENT = {"SAIL_SPARK__SESSION_TIMEOUT_SECS": "86400"}
"""A session is asked for nothing while other files are tested, on a slow machine for longer than Sail waits."""


@contextmanager
def sail() -> Iterator[SparkSession]:
    """A session of an embedded Sail server, in UTC."""
    with sail_server() as remote:
        session = connect(remote)
        try:
            yield session
        finally:
            _ask(session.stop)  # a server waits for its sessions


@contextmanager
def sail_server() -> Iterator[str]:
    """Address of an embedded Sail server, for sessions of this process and of others."""
    engine = Engine(_PATIENT, "error", socket_path(f"spark-of-tests-{uuid.uuid4().hex}"))
    engine.start()
    try:
        yield engine.remote
    finally:
        _ask(engine.stop)


@contextmanager
def apache_spark() -> Iterator[SparkSession]:
    """A session of Apache Spark's own Spark Connect server on two cores, in UTC. Needs Java."""
    command = [sys.executable, "-m", "event_assets_tests.engines"]
    environment = {**_OF_EMULATORS, **os.environ, "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(REPOSITORY)}
    for name in [name for name in environment if name.startswith("SPARK_")]:
        del environment[name]
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        try:
            port = process.stdout.readline().strip()
            if not port.isdigit():
                raise RuntimeError(f"Apache Spark did not start: {port or 'it ended at once'}")
            session = connect(f"sc://127.0.0.1:{int(port)}")
            yield session
            _ask(session.stop)
        finally:
            process.kill()  # the virtual machine ends when its standard input does


def _ask(stop: Callable[[], None]) -> None:
    """Lets it stop in order, but not for ever: all that it holds ends with this process at the latest. Where it does
    not stop, standard error says what each thread waits for."""
    stopping = threading.Thread(target=stop, name="stop of an engine", daemon=True)
    stopping.start()
    stopping.join(_PATIENCE_SECONDS)
    if stopping.is_alive():
        faulthandler.dump_traceback(sys.__stderr__ or sys.stderr)


def has_java() -> bool:
    """Whether Apache Spark can run here."""
    return shutil.which("java") is not None


def connect(remote: str) -> SparkSession:
    """A session of its own with the server at this address, prepared as the platform prepares its own."""
    session = embedded.connect(remote)
    prepare_session(session)
    return session


def _serve() -> None:
    settings: dict[str, bool | float | int | str | None] = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": "0",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.python.sql.dataFrameDebugging.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
        "spark.jars": ",".join(map(str, sorted(CONNECTOR.glob("*.jar")))),
    }
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    try:
        service = getattr(session._jvm, "org.apache.spark.sql.connect.service.SparkConnectService$")
        print(getattr(service, "MODULE$").localPort(), flush=True)
        sys.stdin.read()
    finally:
        session.stop()


if __name__ == "__main__":
    _serve()
