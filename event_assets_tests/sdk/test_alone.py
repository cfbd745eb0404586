"""The SDK needs Python alone: no package of others, and nothing of the platform."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
before = set(sys.modules)
from event_assets.sdk import EventClient
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
    assert "event_assets.sdk.client" in loaded
    ours = [name for name in loaded if name.split(".")[0] == "event_assets"]
    assert [name for name in ours if name != "event_assets" and not name.startswith("event_assets.sdk")] == []
    assert [name for name in loaded if name.split(".")[0] not in {*sys.stdlib_module_names, "event_assets"}] == []


def test_importing_it_starts_nothing() -> None:
    program = "import threading, event_assets.sdk; assert threading.active_count() == 1"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)
