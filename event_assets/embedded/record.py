"""stack.json: what runs under a home and how it is reached, for every process that did not start it.

Only the stack writes it. A record whose stack is gone counts as none.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

FILE_NAME = "stack.json"


@dataclass(frozen=True)
class ServiceRecord:
    """One process of the stack."""

    pid: int
    log: str


@dataclass(frozen=True)
class StackRecord:
    """A running stack. URLs are None for what it did not start itself and does not know."""

    pid: int
    started: float
    """Start of the process `pid`, in seconds since 1970: tells it from a later one with the same number."""
    home: str
    dagster_home: str
    collector_url: str
    dagster_url: str
    warehouse_url: str | None
    """With its password; the file is readable for its owner only."""
    spark_remote: str | None
    services: dict[str, ServiceRecord]
    arrivals_spark_remote: str | None = None
    dashboard_url: str | None = None
    """None where the extra `dashboard` is not installed."""

    @property
    def lineage_url(self) -> str:
        """The page of the Dagster UI with all assets and what they are made from."""
        return f"{self.dagster_url}/asset-groups"

    @property
    def docs_url(self) -> str:
        """The page that documents the ingest API."""
        return f"{self.collector_url}/docs"

    @property
    def alive(self) -> bool:
        """Whether the stack's own process still runs."""
        return _runs(self.pid, self.started)


def started_at(pid: int) -> float:
    """Start of a process in seconds since 1970."""
    return float(psutil.Process(pid).create_time())


def write_record(record: StackRecord) -> Path:
    """Write the record where `read_record` finds it, whole or not at all."""
    path = Path(record.home) / FILE_NAME
    text = json.dumps(asdict(record), indent=1) + "\n"
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
    return path


def read_record(home: Path) -> StackRecord | None:
    """The stack that runs under this home, or None: never started, stopped, or killed and its record left behind."""
    try:
        fields: dict[str, Any] = json.loads((home / FILE_NAME).read_text(encoding="utf-8"))
        services = {name: ServiceRecord(**service) for name, service in fields.pop("services").items()}
        record = StackRecord(**fields, services=services)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return record if record.alive else None


def remove_record(home: Path) -> None:
    """Forget the stack under this home."""
    (home / FILE_NAME).unlink(missing_ok=True)


def _runs(pid: int, started: float) -> bool:
    try:
        return abs(started_at(pid) - started) < 1.0
    except psutil.Error:
        return False
