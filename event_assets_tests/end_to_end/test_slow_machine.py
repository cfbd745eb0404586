"""A demo on one core beside a program that wants it all, and a second one after it: both settle."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_assets_tests.end_to_end.platform import Demo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.release,
    pytest.mark.skipif(shutil.which("taskset") is None, reason="needs taskset"),
]


@pytest.fixture
def slow_core() -> Iterator[tuple[str, ...]]:
    """What is written before a command so that it runs on a core that others want too, and at a lower priority."""
    core = str(min(os.sched_getaffinity(0)))
    endless = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(["taskset", "-c", core, *endless]) as hog:
        try:
            yield ("taskset", "-c", core, "nice", "-n", "5")
        finally:
            hog.kill()


def test_a_demo_and_another_over_the_same_home_settle(slow_core: tuple[str, ...], tmp_path: Path) -> None:
    landed = 0
    for _ in range(2):
        demo = Demo(tmp_path / "home", "--once", before=slow_core)
        summary = demo.summary()
        assert demo.process.wait() == 0
        assert summary["balanced"] and summary["landed"] >= landed + summary["acknowledged"]
        report = demo.command("verify", "--json")
        assert [line for line in json.loads(report.stdout) if not line["ok"]] == []
        landed = summary["landed"]
