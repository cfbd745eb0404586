"""The local stack: which services it has, on which ports, in which order they start and stop.

How one process is kept and ended belongs to `service.py` and `guard.py`.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from event_assets.embedded.engine import SOCKET_SCHEME
from event_assets.embedded.ports import ClaimedPorts
from event_assets.embedded.postgres import HOST, PREFERRED_PORT, PostgresCluster, sole_postgres
from event_assets.embedded.record import (
    ServiceRecord,
    StackRecord,
    read_record,
    remove_record,
    started_at,
    write_record,
)
from event_assets.embedded.service import Service, ServiceSpec, StackError
from event_assets.embedded.sockets import socket_of
from event_assets.permissions import keep_private, make_private_folder, private_by_default
from event_assets.settings import Settings
from event_assets.stack import services
from event_assets.stack.instance import dagster_home
from event_assets.stack.restarts import Restarts

DEFINITIONS = "event_assets.definitions"

Report = Callable[[str], None]


class LocalStack:
    """All services of a platform on this machine, started on entering the block and gone after it.

    `environment` is this process's, handed on to the services; `report` receives a sentence for each thing worth
    saying while it starts and runs.
    """

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str] = os.environ,
        report: Report = lambda sentence: None,
        definitions: str = DEFINITIONS,
    ) -> None:
        self.settings = settings
        self.home = settings.home.absolute()
        self._report = report
        self._definitions = definitions
        self._services: list[Service] = []
        self._restarts = Restarts()
        self._ports = ClaimedPorts()
        self._lock: int | None = None
        self._record: StackRecord | None = None
        self._given_dagster_home = environment.get("DAGSTER_HOME")

    @property
    def record(self) -> StackRecord:
        """Where everything is. Raises `StackError` before the stack has started."""
        if self._record is None:
            raise StackError("The stack has not started.")
        return self._record

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when all of it can be used. Raises `StackError`."""
        self._take_home()
        self._record = self._plan()
        first, second = self._specs(self._record)
        with ExitStack() as until_started:
            if self.settings.warehouse_url is None:
                until_started.enter_context(sole_postgres(self.home))
            for stage in (first, second):
                self._start_all(stage)
        self._write_record()

    def watch(self) -> None:
        """Return never: keep the services running, starting again those that end. Raises `StackError` on giving up."""
        while True:
            self.check()
            time.sleep(0.5)

    def check(self) -> None:
        """Start again every service that has ended. Raises `StackError` when one ended too often within an hour."""
        for index, service in enumerate(self._services):
            if service.running:
                continue
            if self._restarts.are_too_many(service.spec.name):
                raise StackError(service.fault())
            self._report(f"{service.spec.title} {service.ending}, and is started again. Its log is {service.log}.")
            self._services[index] = Service(service.spec, self._logs)
            self._write_record()

    def stop(self) -> None:
        """End every service: first those that use others, then those they use."""
        users = [service for service in self._services if service.spec.name not in services.USED]
        used = [service for service in self._services if service.spec.name in services.USED]
        for group in (users, used):
            for service in group:
                service.ask_to_stop()
            for service in group:
                service.wait_stopped()
        self._services.clear()
        self._ports.close()
        if self._lock is not None:
            remove_record(self.home)
            os.close(self._lock)
            self._lock = None

    @property
    def _logs(self) -> Path:
        return self.home / "logs"

    def _take_home(self) -> None:
        """Make sure that this is the only stack under its home, and stay so until `stop` or the end of the process."""
        private_by_default()
        keep_private(self.home)
        make_private_folder(self._logs)
        lock = os.open(self.home / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            running = read_record(self.home)
            where = f": process {running.pid}, {running.dagster_url}" if running else ""
            raise StackError(
                f"A stack already runs under {self.home}{where}. Stop it first, or set EVENT_ASSETS_HOME to another "
                "folder."
            ) from None
        self._lock = lock
        remove_record(self.home)

    def _plan(self) -> StackRecord:
        settings = self.settings
        collector = self._port("The ingest API", settings.collector_host, settings.collector_port)
        dagster = self._port("The Dagster UI", HOST, settings.dagster_port)
        warehouse = settings.warehouse_url.get_secret_value() if settings.warehouse_url else None
        host = _reached_at(settings.collector_host)
        return StackRecord(
            pid=os.getpid(),
            started=started_at(os.getpid()),
            home=str(self.home),
            dagster_home=str(dagster_home(self.home, Path.cwd(), self._given_dagster_home)),
            collector_url=f"http://{host}:{collector}",
            dagster_url=f"http://{HOST}:{dagster}",
            warehouse_url=warehouse or PostgresCluster(self.home).url(self._ports.claim(HOST, PREFERRED_PORT)),
            spark_remote=settings.spark_remote or self._socket_remote(services.SPARK),
            arrivals_spark_remote=settings.arrivals_spark_remote
            or settings.spark_remote
            or self._socket_remote(services.ARRIVALS_SPARK),
            services={},
            dashboard_url=self._dashboard_url(),
        )

    def _socket_remote(self, engine: str) -> str:
        return f"{SOCKET_SCHEME}{socket_of(self.home, engine)}"

    def _dashboard_url(self) -> str | None:
        if importlib.util.find_spec("dash_mantine_components") is None:
            self._report("There are no dashboards: install event-assets[dashboard] for them.")
            return None
        host = _reached_at(self.settings.dashboard_host)
        return f"http://{host}:{self._port(services.DASHBOARDS, host, self.settings.dashboard_port)}"

    def _port(self, title: str, host: str, wanted: int) -> int:
        try:
            port = self._ports.claim(host, wanted)
        except OSError as fault:
            raise StackError(f"{title} cannot listen on {host}: {fault}. Name an address of this machine.") from None
        if wanted and port != wanted:
            self._report(f"Port {wanted} is taken: {title[0].lower()}{title[1:]} is on port {port} this time.")
        return port

    def _specs(self, plan: StackRecord) -> tuple[list[ServiceSpec], list[ServiceSpec]]:
        """The services that need no other to start, and those that are started when the first can be used."""
        environment = self._environment(plan)
        code_socket = socket_of(self.home, "dagster-code")
        first = [
            services.collector(plan, environment),
            services.code_server(code_socket, self._definitions, environment),
        ]
        if self.settings.spark_remote is None:
            first.insert(0, services.spark(self.home, environment))
        if plan.arrivals_spark_remote == self._socket_remote(services.ARRIVALS_SPARK):
            first.insert(0, services.arrivals_spark(self.home, environment))
        if self.settings.warehouse_url is None:
            first.insert(0, PostgresCluster(self.home).service(services.port_of(plan.warehouse_url)))
        workspace = self._workspace(code_socket)
        second = [services.webserver(plan, workspace, environment), services.daemon(plan, workspace, environment)]
        if plan.dashboard_url is not None:
            second.append(services.dashboards(plan.dashboard_url, environment))
        return first, second

    def _environment(self, plan: StackRecord) -> dict[str, str]:
        return {
            "EVENT_ASSETS_HOME": plan.home,
            "EVENT_ASSETS_COLLECTOR_HOST": self.settings.collector_host,
            "EVENT_ASSETS_COLLECTOR_PORT": str(services.port_of(plan.collector_url)),
            "EVENT_ASSETS_DAGSTER_PORT": str(services.port_of(plan.dagster_url)),
            "EVENT_ASSETS_WAREHOUSE_URL": plan.warehouse_url or "",
            "EVENT_ASSETS_SPARK_REMOTE": plan.spark_remote or "",
            "EVENT_ASSETS_ARRIVALS_SPARK_REMOTE": plan.arrivals_spark_remote or "",
            "DAGSTER_HOME": plan.dagster_home,
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def _workspace(self, code_socket: Path) -> Path:
        path = self.home / "workspace.yaml"
        server = {"socket": str(code_socket), "location_name": "event_assets"}
        path.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
        return path

    def _start_all(self, specs: list[ServiceSpec]) -> None:
        begun = time.monotonic()
        waiting = [Service(spec, self._logs) for spec in specs]
        self._services += waiting
        while waiting:
            for service in list(waiting):
                if service.check():
                    waiting.remove(service)
                    self._report(f"{service.spec.title} is ready ({time.monotonic() - begun:.1f} s).")
            time.sleep(0.05)

    def _write_record(self) -> None:
        services = {s.spec.name: ServiceRecord(pid=s.pid, log=str(s.log)) for s in self._services}
        fields = {name: getattr(self.record, name) for name in self.record.__dataclass_fields__}
        self._record = StackRecord(**{**fields, "services": services})
        write_record(self._record)


def _reached_at(host: str) -> str:
    """The address by which this machine reaches what listens on that one."""
    return HOST if host in {"0.0.0.0", "::"} else host
