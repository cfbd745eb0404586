"""A cluster of Apache Spark on this machine: a master, workers and a Spark Connect server, each a process of its own.

Its configuration is what `infra/spark/bootstrap.sh` writes for a real one, save for addresses and sizes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyspark
from pyspark.sql import SparkSession

from event_assets.embedded.ports import accepts, free_port
from event_assets_tests import engines

BOOTSTRAP = engines.REPOSITORY / "infra" / "spark" / "bootstrap.sh"
HOST = "127.0.0.1"
_SPARK = Path(pyspark.__file__).parent
_HERE = {
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.connect.grpc.binding.address": HOST,
    "spark.ui.enabled": "false",
    "spark.driver.memory": "1g",
    "spark.executor.memory": "1g",
    "spark.executor.cores": "1",
    "spark.dynamicAllocation.minExecutors": "2",
    "spark.sql.shuffle.partitions": "4",
}


def make_node(folder: Path) -> Path:
    """A node as the bootstrap makes one, with this environment's Python and Spark; gives Spark's home."""
    bin_, home = folder / "venv" / "bin", folder / "pyspark"
    bin_.mkdir(parents=True)
    home.mkdir()
    for part in _SPARK.iterdir():
        if part.name != "conf":
            (home / part.name).symlink_to(part)
    python = bin_ / "python"
    python.write_text(f'#!/bin/bash\nPYTHONPATH={folder}${{PYTHONPATH:+:$PYTHONPATH}} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return home


def bootstrap(folder: Path, step: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Does one step of the bootstrap on a node."""
    variables = {"PREFIX": str(folder), "UNITS": str(folder / "units"), "AWS_REGION": "eu-central-1", **environment}
    given = {**os.environ, "EVENT_ASSETS_SPARK_MASTER": "spark.event-assets.internal", **variables}
    return subprocess.run(["bash", str(BOOTSTRAP), step], env=given, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Worker:
    """A worker with its executors."""

    process: subprocess.Popen[bytes]

    def has_executor(self) -> bool:
        return bool(self._executors())

    def is_at_work(self) -> bool:
        """Whether an executor of it uses the processor just now."""
        before = self._seconds()
        time.sleep(0.1)
        return self._seconds() - before > 0.02

    def kill(self) -> None:
        """As a machine that is taken away: nobody is told."""
        os.killpg(self.process.pid, signal.SIGKILL)

    def _seconds(self) -> float:
        return sum(process.cpu_times().user for process in self._executors())

    def _executors(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs."""

    remote: str
    workers: list[Worker]

    @contextmanager
    def session(self) -> Iterator[SparkSession]:
        session = engines.connect(self.remote)
        try:
            yield session
        finally:
            session.stop()


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A cluster of so many workers with a core each. Needs Java."""
    home = make_node(folder)
    settings = bootstrap(folder, "settings")
    assert settings.returncode == 0, settings.stderr
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}
    environment |= {
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "PYTHONPATH": str(engines.REPOSITORY),
    }
    port, connect = free_port(), free_port()
    master = f"spark://{HOST}:{port}"

    with ExitStack() as running:

        def start(name: str, *command: str) -> subprocess.Popen[bytes]:
            log = running.enter_context((folder / f"{name}.log").open("wb"))
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
            running.callback(_end, process)
            return process

        runs = str(home / "bin" / "spark-class")
        where = ("--host", HOST, "--webui-port", "0")
        _await(
            start("master", runs, "org.apache.spark.deploy.master.Master", *where, "--port", str(port)), port, folder
        )
        sized = ("--cores", "1", "--memory", "1g")
        made = [
            Worker(
                start(
                    f"worker-{number}",
                    *(runs, "org.apache.spark.deploy.worker.Worker", *where, *sized),
                    *("--work-dir", str(folder / f"work-{number}"), master),
                )
            )
            for number in range(workers)
        ]
        settings_here = [
            f"--conf={name}={value}" for name, value in {**_HERE, "spark.connect.grpc.binding.port": connect}.items()
        ]
        serves = "org.apache.spark.sql.connect.service.SparkConnectServer"
        submit = (str(home / "bin" / "spark-submit"), "--master", master, *settings_here, "--class", serves)
        _await(start("connect", *submit, "spark-internal"), connect, folder)
        yield Cluster(f"sc://{HOST}:{connect}", made)


def _await(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    while not accepts(HOST, port):
        if process.poll() is not None:
            said = "\n".join(log.read_text("utf-8", "replace")[-2000:] for log in folder.glob("*.log"))
            raise RuntimeError(f"Spark did not start: {said}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
