"""`python -m benchmarks protocols`: what translating costs the collector.

Batches of 50 messages as Segment's browser SDK sends them, beside the same events natively. `translated_share` is the
rate of the one by the rate of the other, by the collector's processor time.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks.collector import BATCH, BODIES, CONNECTIONS, Figures, Load, collector_process
from benchmarks.data import event_blocks

_KINDS = {"page_view": "page", "identify": "identify"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks protocols", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=10, help="length of each measurement")
    asked = parser.parse_args(argv)
    figures = translated(asked.seconds)
    print(json.dumps(figures) if asked.json else "\n".join(f"{name:<24} {value}" for name, value in figures.items()))
    return 0


def translated(seconds: float) -> Figures:
    """Microseconds of the collector's processor time for an event, and the share."""
    with tempfile.TemporaryDirectory() as folder:
        native, segment = _bodies(Path(folder))
        with collector_process("null", Path(folder) / "home") as (url, key, process):
            costs = {}
            for _ in range(2):  # the first round warms up
                for path, bodies in (("/v1/events", native), ("/v1/batch", segment)):
                    costs[path] = _cpu_us(url + path, key, bodies, seconds, process)
    return {
        "cpu_us_native": costs["/v1/events"],
        "cpu_us_translated": costs["/v1/batch"],
        "translated_share": round(costs["/v1/events"] / costs["/v1/batch"], 2),
    }


def _bodies(folder: Path) -> tuple[Path, Path]:
    block = next(event_blocks(BODIES * BATCH, duplicates=0.0))
    lines = [re.sub(rb',"(?:received_at|ip)":"[^"]*"', b"", line) for line in block.splitlines()]
    lines.sort(key=lambda line: str(json.loads(line)["anonymous_id"]))
    batches = [lines[start : start + BATCH] for start in range(0, len(lines), BATCH)]
    native, segment = folder / "native", folder / "segment"
    native.write_bytes(b"\n".join(b"[" + b",".join(batch) + b"]" for batch in batches))
    segment.write_text("\n".join(map(_segment_batch, batches)), encoding="utf-8")
    return native, segment


def _segment_batch(lines: list[bytes]) -> str:
    events = [json.loads(line) for line in lines]
    batch = {"batch": [_message(event) for event in events], "sentAt": events[0]["sent_at"], "writeKey": "k"}
    return json.dumps(batch, separators=(",", ":"))


def _message(event: dict[str, Any]) -> dict[str, Any]:
    kind, device = _KINDS.get(event["event"], "track"), event.get("device", {})
    context = {
        "userAgent": device.get("user_agent"),
        "locale": device.get("locale"),
        "timezone": device.get("timezone"),
        "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
    }
    page: dict[str, Any] = {}
    if "page" in event:
        page = {"path": urlsplit(event["page"]["url"]).path, "search": "", **event["page"]}
        context["page"] = page
    return {
        "timestamp": event["occurred_at"],
        "integrations": {"Segment.io": True},
        "type": kind,
        "properties": {**(page if kind == "page" else {}), **event.get("properties", {})},
        "context": {name: value for name, value in context.items() if value},
        "messageId": event["event_id"],
        "anonymousId": event.get("anonymous_id"),
        "userId": event.get("user_id"),
        "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        **({"event": event["event"]} if kind == "track" else {}),
        **({"traits": event["traits"]} if "traits" in event else {}),
    }


def _cpu_us(url: str, key: str, bodies: Path, seconds: float, process: psutil.Process) -> float:
    """The collector's processor time for an event, in microseconds."""
    command = [sys.executable, "-m", "benchmarks.load", url, str(bodies), "--key", key]
    command += ["--seconds", str(seconds), "--connections", str(CONNECTIONS)]
    before = sum(process.cpu_times()[:2])
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    used = sum(process.cpu_times()[:2]) - before
    load = Load(**json.loads(done.stdout), cpu_seconds=(used,))
    if load.failed or not load.requests:
        raise RuntimeError(f"{load.failed} requests to {url} failed")
    return load.cpu_us(BATCH)
