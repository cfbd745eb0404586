"""The recipes of the documentation, run as they stand, against a real collector."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from event_assets_sdk import EventClient
from event_assets_tests.sdk.conftest import Collector

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "send-from-python.md"


def recipe(name: str) -> str:
    """The block of Python that begins with this comment."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    [found] = [block for block in blocks if block.startswith(f"# {name}\n")]
    return str(found)


@pytest.fixture
def names(collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the recipes take for given."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return {"EventClient": EventClient, "ENDPOINT": collector.url, "KEY": collector.key}


def run(name: str, names: dict[str, Any], **changes: str) -> dict[str, Any]:
    program = recipe(name)
    for shown, real in changes.items():
        program = program.replace(shown, real)
    exec(compile(program, name, "exec"), names)
    return names


def test_a_script_ends_when_all_is_sent(collector: Collector, names: dict[str, Any]) -> None:
    run("a short script", names)
    assert [event["event"] for event in collector.events()] == ["report_made"]


def test_asyncio_goes_on_while_it_is_sent(collector: Collector, names: dict[str, Any]) -> None:
    asyncio.run(run("asyncio", names)["main"]())
    assert [event["event"] for event in collector.events()] == ["job_done"]


def test_a_lambda_function_has_sent_when_it_answers(
    collector: Collector, names: dict[str, Any], tmp_path: Path
) -> None:
    program = recipe("AWS Lambda").replace("/tmp/", f"{tmp_path}/")
    exec(compile(program, "lambda", "exec"), names)
    names["handler"]({"id": "o-1", "user": "u-1"}, None)
    [event] = collector.events()
    assert (event["event"], event["properties"], event["user_id"]) == ("order_shipped", {"order_id": "o-1"}, "u-1")
    names["events"].close()


@pytest.mark.slow
def test_a_celery_worker_has_sent_when_it_ends(collector: Collector, tmp_path: Path) -> None:
    given = f"""
from event_assets_sdk import EventClient
ENDPOINT, KEY, BROKER = {collector.url!r}, {collector.key!r}, "filesystem://"
"""
    folder = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path)}
    # Only the end of the worker sends.
    program = recipe("celery").replace(
        'disk="spool"', f'disk="spool", flush_interval=3600.0, queue_path="{tmp_path}/q"'
    )
    (tmp_path / "shop.py").write_text(f"{given}{program}\napp.conf.broker_transport_options = {folder!r}\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}{os.pathsep}{ROOT / 'python-sdk'}"}
    sent = "from shop import ship; ship.delay('o-1', 'u-1')"
    subprocess.run([sys.executable, "-c", sent], env=environment, cwd=tmp_path, check=True)
    options = ["worker", "--pool", "prefork", "--concurrency", "1", "--loglevel", "INFO"]
    command = [sys.executable, "-m", "celery", "-A", "shop", *options]
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        for line in worker.stderr:
            if "succeeded" in line:
                worker.terminate()
        assert worker.wait(300) == 0
    assert [event["event"] for event in collector.events()] == ["order_shipped"]
