"""The services of a local stack, each with its command and when it is ready. Which of them a stack has, and in which
order, is decided in `local.py`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from event_assets.embedded.postgres import HOST
from event_assets.embedded.record import StackRecord
from event_assets.embedded.service import ServiceSpec, StackError
from event_assets.embedded.sockets import socket_of
from event_assets.stack import health

SPARK, ARRIVALS_SPARK = "spark", "spark-arrivals"
USED = frozenset({"postgres", SPARK, ARRIVALS_SPARK})
"""What other services use while they end."""
_NICENESS = 10
"""Of the engine of everything that is not on the way of new events to the warehouse: where both want all cores, new
events have nine tenths of them."""
DASHBOARDS = "The dashboards' server"


def spark(home: Path, environment: Mapping[str, str]) -> ServiceSpec:
    """The embedded engine, which gives way to that of new events."""
    return _engine(SPARK, "The Spark engine", home, environment, _NICENESS)


def arrivals_spark(home: Path, environment: Mapping[str, str]) -> ServiceSpec:
    """The embedded engine that takes new events to the warehouse, and nothing else."""
    return _engine(ARRIVALS_SPARK, "The Spark engine of new events", home, environment, 0)


def _engine(name: str, title: str, home: Path, environment: Mapping[str, str], niceness: int) -> ServiceSpec:
    socket = socket_of(home, name)
    serve = [sys.executable, "-m", "event_assets.embedded.spark_server", "--socket", str(socket)]
    return ServiceSpec(
        name=name,
        title=title,
        command=[*serve, "--niceness", str(niceness)],
        is_ready=lambda: health.socket_accepts(socket),
        environment=environment,
        grace_seconds=3.0,
    )


def collector(plan: StackRecord, environment: Mapping[str, str]) -> ServiceSpec:
    return ServiceSpec(
        name="collector",
        title="The ingest API",
        command=[sys.executable, "-m", "event_assets.collector"],
        is_ready=lambda: health.answers_ok(f"{plan.collector_url}/v1/ready"),
        environment=environment,
    )


def code_server(socket: Path, definitions: str, environment: Mapping[str, str]) -> ServiceSpec:
    """Dagster's code server, which runs what a caller names: it listens where only this user gets in."""
    return ServiceSpec(
        name="dagster-code",
        title="Dagster's code server",
        command=[
            *(sys.executable, "-m", "event_assets.stack.instance", "code-server", "start"),
            *("--module-name", definitions, "--location-name", "event_assets"),
            *("--socket", str(socket), "--log-level", "warning"),
        ],
        is_ready=lambda: health.code_server_serves(socket),
        environment=environment,
        stop_signal="INT",
        grace_seconds=5.0,
    )


def webserver(plan: StackRecord, workspace: Path, environment: Mapping[str, str]) -> ServiceSpec:
    return ServiceSpec(
        name="dagster-webserver",
        title="The Dagster UI",
        command=[
            *(sys.executable, "-m", "dagster_webserver", "--workspace", str(workspace), "--host", HOST),
            *("--port", str(port_of(plan.dagster_url)), "--dagster-log-level", "warning"),
        ],
        is_ready=lambda: health.definitions_loaded(plan.dagster_url),
        environment=environment,
        stop_signal="INT",
        ready_within_seconds=180.0,
    )


def daemon(plan: StackRecord, workspace: Path, environment: Mapping[str, str]) -> ServiceSpec:
    begun = time.time()
    return ServiceSpec(
        name="dagster-daemon",
        title="Dagster's daemon",
        command=[
            *(sys.executable, "-m", "dagster._daemon", "run", "--workspace", str(workspace)),
            *("--log-level", "warning"),
        ],
        is_ready=lambda: health.daemons_beat(plan.dagster_url, begun),
        environment=environment,
        stop_signal="INT",
        ready_within_seconds=180.0,
    )


def dashboards(url: str, environment: Mapping[str, str]) -> ServiceSpec:
    return ServiceSpec(
        name="dashboards",
        title=DASHBOARDS,
        command=[sys.executable, "-m", "event_assets.dashboards.server", "--port", str(port_of(url))],
        is_ready=lambda: health.answers_ok(f"{url}/health"),
        environment=environment,
        ready_within_seconds=180.0,
    )


def port_of(url: str | None) -> int:
    """Raises `StackError` where the address names none."""
    port = urlsplit(url or "").port
    if port is None:
        raise StackError("An address of the stack has no port.")
    return port
