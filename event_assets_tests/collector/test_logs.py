"""What the collector logs: one JSON object a line, whatever clients send, and nothing about anybody."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import httpx
import pytest

from event_assets.collector import WriteKeys
from event_assets.collector.logs import JsonFormatter
from event_assets_tests.collector.serving import event, free_port, process


@pytest.mark.parametrize("hostile", ["a\r\nb", "\x1b[31m", "\u2028", '"}\n{"level": "error"}'])
def test_no_value_can_forge_a_line(hostile: str) -> None:
    record = logging.makeLogRecord({"msg": "refused: %s", "args": (hostile,), "code": hostile})
    text = JsonFormatter().format(record)
    assert text.isascii() and text.isprintable()
    assert json.loads(text)["code"] == hostile and json.loads(text)["message"] == f"refused: {hostile}"


def test_the_log_of_a_collector_names_nobody(tmp_path: Path) -> None:
    keys = WriteKeys(tmp_path / "keys.json")
    key, stale = keys.create("site", "web"), keys.create("stale", "web")
    keys.revoke(stale)
    person = event(user_id="ada@mail.example", traits={"phone": "+44 20 7946 0000"}, properties={"query": "secret"})
    port = free_port()
    with process(tmp_path, port) as running, httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        bodies: list[object] = [person, {**person, "platform": "fridge"}, [], "ada@mail.example\r\nforged"]
        for body in bodies:
            client.post("/v1/events", json=body, headers={"x-write-key": key, "x-forwarded-for": "203.0.113.77"})
        client.post("/v1/events", json=person, headers={"x-write-key": stale, "user-agent": "Ada's phone"})
        running.terminate()
        running.wait()
    log = (tmp_path / "collector.log").read_text()
    entries = [json.loads(line) for line in log.splitlines()]
    assert {"empty_body", "unknown_write_key"} <= {entry.get("code") for entry in entries}
    for said in (key, stale, "ada@mail.example", "7946", "secret", "203.0.113", "Ada's phone", "a-0", "forged"):
        assert said not in log
