"""A stack or a demo that runs in a process of its own, as a user starts it, and questions to its Dagster UI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from event_assets.embedded.record import StackRecord, read_record
from event_assets_tests.processes import eventually

ROOT = Path(__file__).parents[2]
EVENTS = 3000


class Running:
    """A command of `event-assets` that stays, under a home of its own. `before` is written before it, as `nice` is."""

    def __init__(self, home: Path, *arguments: str, before: Sequence[str] = ()) -> None:
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("EVENT_ASSETS_", "DAGSTER_"))},
            "EVENT_ASSETS_HOME": str(home),
            "EVENT_ASSETS_COLLECTOR_PORT": "0",
            "EVENT_ASSETS_DAGSTER_PORT": "0",
            "EVENT_ASSETS_DASHBOARD_PORT": "0",
        }
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "event_assets.cli", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self.environment,
        )

    @property
    def record(self) -> StackRecord:
        """Where the running stack is."""
        assert eventually(lambda: read_record(self.home) is not None)
        record = read_record(self.home)
        assert record is not None
        return record

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another `event-assets` command in the same home."""
        return subprocess.run(
            [sys.executable, "-m", "event_assets.cli", *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self.environment,
            check=False,
        )

    def graphql(self, query: str) -> dict[str, Any]:
        """The data that the Dagster UI's API answers."""
        answer = httpx.post(f"{self.record.dagster_url}/graphql", json={"query": query}, timeout=30).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def stop(self) -> int:
        """Interrupt it, as Ctrl-C does; the status that it ends with."""
        self.process.terminate()
        return self.process.wait(300)


class Demo(Running):
    """`event-assets demo --json`. It stays until `stop`."""

    def __init__(self, home: Path, *options: str, before: Sequence[str] = ()) -> None:
        super().__init__(home, "demo", "--json", "--events", str(EVENTS), "--seconds", "5", *options, before=before)

    def summary(self) -> dict[str, Any]:
        """The JSON object that it prints; waits for it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the demo ended with status {self.process.wait()} and no summary"
        summary: dict[str, Any] = json.loads(line)
        return summary
