"""A real Kafka broker on a free port of the loopback interface, from the archives that `make build/kafka` fetches.

It is its own controller (KRaft), with everything it keeps in one folder; started again there it has its topics back.
Who comes without a name, or as `USER`, may do all; others what they are given.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from event_assets_tests.emulators.servers import EmulatorAbsent

ARCHIVES = Path(__file__).parents[2] / "build" / "kafka"
USER, PASSWORD = "collector", "a-password-of-tests"
_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
_GUARD = [sys.executable, "-m", "event_assets.stack.guard", "--signal", "KILL", "--"]
"""Ends the broker by SIGKILL when it is told to, and when the tests that started it are gone."""


class KafkaBroker:
    """A broker that can be ended and started again on the same port with the same topics."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.secure_port, controller = _free_port(), _free_port(), _free_port()
        self.ca_file = folder / "broker.pem"
        self._make_certificate()
        listeners = f"PLAINTEXT://127.0.0.1:{self.port},SASL_SSL://127.0.0.1:{self.secure_port}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": listeners,
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl_ssl.plain.sasl.jaas.config": (
                f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
            ),
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{USER}",
            "listener.name.sasl_ssl.ssl.keystore.location": str(folder / "broker.p12"),
            "listener.name.sasl_ssl.ssl.keystore.password": PASSWORD,
            "listener.name.sasl_ssl.ssl.keystore.type": "PKCS12",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(folder / "data"),
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "auto.create.topics.enable": "false",
            "log.retention.check.interval.ms": "200",
            "log.initial.task.delay.ms": "200",
            "log.segment.delete.delay.ms": "0",
        }
        (folder / "server.properties").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        storage = ["format", "-t", _CLUSTER, "-c", str(folder / "server.properties"), "--add-scram", scram]
        self._run("kafka.tools.StorageTool", *storage)
        self._process: subprocess.Popen[bytes] | None = None

    def _make_certificate(self) -> None:
        """A key that signs for the loopback address, and its certificate as clients trust it."""
        keystore = ["-keystore", str(self.folder / "broker.p12"), "-storepass", PASSWORD, "-alias", "broker"]
        made = ["-genkeypair", "-keyalg", "RSA", "-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1"]
        shown = ["-exportcert", "-rfc", "-file", str(self.ca_file)]
        for what in (made, shown):
            subprocess.run(["keytool", *what, *keystore], capture_output=True, check=True)

    @property
    def brokers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def secure_brokers(self) -> str:
        """Where it asks for TLS, `USER` and `PASSWORD` (PLAIN or SCRAM-SHA-512)."""
        return f"127.0.0.1:{self.secure_port}"

    @property
    def process(self) -> psutil.Process:
        """The broker itself, while it runs."""
        assert self._process is not None
        (broker,) = psutil.Process(self._process.pid).children()
        return broker

    def start(self) -> None:
        """Starts it and waits until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            command = [*_GUARD, *_java("kafka.Kafka", str(self.folder / "server.properties"))]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        while True:
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2_000:]
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return

    def kill(self) -> None:
        """Ends it as a fault of the machine would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _run(self, *command: str) -> None:
        done = subprocess.run(_java(*command), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def kafka(folder: Path) -> Iterator[KafkaBroker]:
    """A running broker. Raises `EmulatorAbsent`."""
    if shutil.which("java") is None or not any(ARCHIVES.glob("kafka_*.jar")):
        raise EmulatorAbsent("Kafka needs Java 17 and its archives; run: make build/kafka")
    broker = KafkaBroker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


def _java(*command: str) -> list[str]:
    options = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return ["java", *options, "-cp", f"{ARCHIVES}{os.sep}*", *command]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
