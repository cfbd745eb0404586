"""The recipes of the documentation, run as they stand, against a real collector."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from event_assets.sdk import EventClient
from event_assets_tests.sdk.conftest import Collector

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "send-from-python.md"


def recipe(name: str) -> str:
    """The block of Python that begins with this comment."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    [found] = [block for block in blocks if block.startswith(f"# {name}\n")]
    return str(found)


@pytest.fixture
def names(collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the recipes take for given."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return {"EventClient": EventClient, "ENDPOINT": collector.url, "KEY": collector.key, "BROKER": "memory://"}


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
def test_a_celery_worker_has_sent_when_it_ends(collector: Collector, names: dict[str, Any]) -> None:
    from celery.contrib.testing.worker import start_worker

    run("celery", names)
    app = names["app"]
    app.conf.update(result_backend="cache+memory://")
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        names["ship"].delay("o-1", "u-1").get(timeout=30)
    assert [event["event"] for event in collector.events()] == ["order_shipped"]
    names["events"].close()
