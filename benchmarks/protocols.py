"""`python -m benchmarks protocols`: what translating costs the collector.

Batches of 50 messages as the browser SDKs of Segment and Mixpanel send them, and of 25 by GA4's Measurement Protocol,
beside the same events natively. `…_share` is the rate of the one by the rate of the other, by the collector's processor
time.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
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
    costs: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        sent = _bodies(Path(folder))
        with collector_process("null", Path(folder) / "home") as (url, key, process):
            for _ in range(2):  # the first round warms up
                for name, (path, bodies, events) in sent.items():
                    costs[name] = _cpu_us(url + path, key, bodies, seconds, process, events)
    shares = {f"{name}_share": round(costs["native"] / cost, 2) for name, cost in costs.items() if name != "native"}
    return {**{f"cpu_us_{name}": cost for name, cost in costs.items()}, **shares}


def _bodies(folder: Path) -> dict[str, tuple[str, Path, int]]:
    """Of each protocol the path, a file with a body a line, and the events of each."""
    block = next(event_blocks(BODIES * BATCH, duplicates=0.0))
    lines = [re.sub(rb',"(?:received_at|ip)":"[^"]*"', b"", line) for line in block.splitlines()]
    lines.sort(key=lambda line: str(json.loads(line)["anonymous_id"]))
    sent = {}
    for name, (path, size, body_of) in _PROTOCOLS.items():
        batches = [lines[start : start + size] for start in range(0, len(lines), size)]
        (folder / name).write_text("\n".join(map(body_of, batches)), encoding="utf-8")
        sent[name] = (path, folder / name, size)
    return sent


def _native_batch(lines: list[bytes]) -> str:
    return (b"[" + b",".join(lines) + b"]").decode()


def _segment_batch(lines: list[bytes]) -> str:
    events = [json.loads(line) for line in lines]
    batch = {"batch": [segment_message(event) for event in events], "sentAt": events[0]["sent_at"], "writeKey": "k"}
    return json.dumps(batch, separators=(",", ":"))


def segment_message(event: dict[str, Any]) -> dict[str, Any]:
    """An event as a browser SDK of Segment sends it."""
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


def _mixpanel_batch(lines: list[bytes]) -> str:
    return json.dumps([_of_mixpanel(json.loads(line)) for line in lines], separators=(",", ":"))


def _of_mixpanel(event: dict[str, Any]) -> dict[str, Any]:
    page = event.get("page", {})
    properties = {
        "$os": "Linux",
        "$browser": "Chrome",
        "$browser_version": 156,
        "$current_url": page.get("url"),
        "$referrer": page.get("referrer"),
        "current_page_title": page.get("title"),
        "$screen_height": 720,
        "$screen_width": 1280,
        "mp_lib": "web",
        "$lib_version": "2.83.0",
        "$insert_id": event["event_id"],
        "time": dt.datetime.fromisoformat(event["occurred_at"]).timestamp(),
        "distinct_id": event.get("user_id") or f"$device:{event.get('anonymous_id')}",
        "$device_id": event.get("anonymous_id"),
        "token": "k",
        "mp_sent_by_lib_version": "2.83.0",
        **event.get("properties", {}),
    }
    kept = {name: value for name, value in properties.items() if value is not None}
    return {"event": "$mp_web_page_view" if event["event"] == "page_view" else event["event"], "properties": kept}


def _ga4_batch(lines: list[bytes]) -> str:
    events = [json.loads(line) for line in lines]
    body = {"client_id": events[0]["anonymous_id"], "events": list(map(_of_ga4, events))}
    return json.dumps(body, separators=(",", ":"))


def _of_ga4(event: dict[str, Any]) -> dict[str, Any]:
    page = event.get("page", {})
    of_page = {f"page_{name}": page[name] for name in ("title", "referrer") if name in page}
    location = {"page_location": page["url"]} if "url" in page else {}
    micros = int(dt.datetime.fromisoformat(event["occurred_at"]).timestamp() * 1e6)
    params = {**location, **of_page, "engagement_time_msec": 100, **event.get("properties", {})}
    return {"name": event["event"], "timestamp_micros": micros, "params": params}


_PROTOCOLS: dict[str, tuple[str, int, Callable[[list[bytes]], str]]] = {
    "native": ("/v1/events", BATCH, _native_batch),
    "segment": ("/v1/batch", BATCH, _segment_batch),
    "mixpanel": ("/track", BATCH, _mixpanel_batch),
    "ga4": ("/mp/collect", BATCH // 2, _ga4_batch),
}


def _cpu_us(url: str, key: str, bodies: Path, seconds: float, process: psutil.Process, events: int) -> float:
    """The collector's processor time for an event, in microseconds."""
    command = [sys.executable, "-m", "benchmarks.load", url, str(bodies), "--key", key]
    command += ["--seconds", str(seconds), "--connections", str(CONNECTIONS)]
    before = sum(process.cpu_times()[:2])
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    used = sum(process.cpu_times()[:2]) - before
    load = Load(**json.loads(done.stdout), cpu_seconds=(used,))
    if load.failed or not load.requests:
        raise RuntimeError(f"{load.failed} requests to {url} failed")
    return load.cpu_us(events)
