"""The SDK needs Python alone: no package of others, and nothing of the platform."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from event_assets_tests.sdk.conftest import Collector
from event_assets_tests.wheels import sdk_wheel

ROOT = Path(__file__).parents[2] / "python-sdk"
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
before = set(sys.modules)
from event_assets_sdk import EventClient
client = EventClient("http://127.0.0.1:9", "ea_0_0", queue_path=sys.argv[1], exit_timeout=0.1)
assert client.track("search", {{"query": "shoes"}}, anonymous_id="a"), client.stats
assert client.stats.queued == 1, client.stats
for name in sorted(set(sys.modules) - before):
    print(name)
"""


def test_it_works_where_nothing_is_installed_and_imports_nothing_of_the_platform(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(tmp_path / "queue.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "event_assets_sdk.client" in loaded
    assert [name for name in loaded if name.split(".")[0] not in {*sys.stdlib_module_names, "event_assets_sdk"}] == []


SENDS = """
import importlib.metadata
import sys

from event_assets_sdk import EventClient

with EventClient(*sys.argv[1:3], disk=False) as client:
    client.track("search", {"query": "shoes"}, anonymous_id="a")
    assert client.flush(30), client.stats
print(*(each.name for each in importlib.metadata.distributions()))
"""


@pytest.mark.slow
def test_what_is_published_is_installed_alone_brings_nothing_else_and_sends(
    collector: Collector, tmp_path: Path
) -> None:
    python = tmp_path / "environment" / "bin" / "python"
    uv = ["uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, tmp_path / "environment"], check=True)
    subprocess.run([*uv, "pip", "install", "--python", python, sdk_wheel(tmp_path)], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), "-c", SENDS, collector.url, collector.key]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["event-assets-sdk"]
    assert [event["properties"] for event in collector.events()] == [{"query": "shoes"}]


def test_importing_it_starts_nothing() -> None:
    program = "import threading, event_assets_sdk; assert threading.active_count() == 1"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)
