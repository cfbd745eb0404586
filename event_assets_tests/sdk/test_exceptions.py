"""Exceptions as events: what they say, whom they are about, and those that nobody catches."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from event_assets.contract.decoder import Decoded, EventDecoder
from event_assets.contract.plan import TrackingPlan
from event_assets_sdk import EventClient
from event_assets_sdk.events import text_of
from event_assets_tests.sdk.conftest import Clients

ROOT = Path(__file__).parents[2]
PLAN = TrackingPlan.load(ROOT / "event_assets" / "contract" / "plans")


def deep(levels: int) -> None:
    if levels == 0:
        raise ValueError("x" * 5_000)
    deep(levels - 1)


def test_an_exception_keeps_the_plan_however_long_it_is(client_of: Clients) -> None:
    made: list[dict[str, Any]] = []
    client = client_of("http://127.0.0.1:9", sync=True, before_send=made.append)
    try:
        deep(900)
    except ValueError:
        client.capture_exception(properties={"component": "cart"}, user_id="u")
    client.capture_exception()
    [event] = made
    assert event["user_id"] == "u" and event["properties"]["component"] == "cart"
    assert event["properties"]["stack"].rstrip().endswith("xxx")
    decoded = EventDecoder(PLAN).decode(text_of(event)[:-1] + b',"received_at":"2026-11-22T10:00:00Z"}')
    assert isinstance(decoded, Decoded) and decoded.violations is None


def test_an_exception_of_nobody_is_of_the_installation(client_of: Clients) -> None:
    made: list[dict[str, Any]] = []
    client = client_of("http://127.0.0.1:9", sync=True, before_send=made.append)
    for _ in range(2):
        client.capture_exception(KeyError("x"))
    assert made[0]["anonymous_id"] == made[1]["anonymous_id"] == made[0]["install_id"]


def test_what_nobody_catches_is_kept_and_still_printed(tmp_path: Path) -> None:
    program = f"""
import threading
from event_assets_sdk import EventClient
events = EventClient("http://127.0.0.1:9", "ea_0_0", queue_path={str(tmp_path / "queue.sqlite")!r}, exit_timeout=0.1)
events.capture_uncaught()
dying = threading.Thread(target=lambda: 1 / 0)
dying.start()
dying.join()
raise KeyError("lost")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr and "KeyError: 'lost'" in done.stderr
    with EventClient("http://127.0.0.1:9", "ea_0_0", queue_path=tmp_path / "queue.sqlite", sync=True) as client:
        assert client.stats.queued == 2
        client.opt_out()
