"""Faults of disk, stream and keys: events are sent again, readiness says what to do, the log says it once."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from event_assets.collector import WriteKeys
from event_assets.settings import load_settings
from event_assets.streams import open_stream
from event_assets_tests.collector.serving import event, serving, written
from event_assets_tests.disks import small_disk


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.05)


def fill(path: Path) -> None:
    """Takes all room on the disk."""
    with open(path, "wb") as file, contextlib.suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(4_096))


def is_ready(client: httpx.Client) -> bool:
    return client.get("/v1/ready").status_code == 200


@pytest.mark.slow
def test_a_full_disk_is_said_in_the_answer_in_readiness_in_a_metric_and_once_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path / "home", "8m") as home:
        settings = load_settings(home=home, collector_ip_rate=0)
        key = WriteKeys.of(settings).create("site", "web")
        with serving(settings) as client:
            client.headers["x-write-key"] = key
            assert client.post("/v1/events", json=event(1)).status_code == 200
            fill(home / "ballast")
            with caplog.at_level(logging.INFO):
                for number in range(3):
                    many = [event(number * 100 + at, properties={"text": os.urandom(900).hex()}) for at in range(100)]
                    answer = client.post("/v1/events", json=many)
                assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
                assert answer.json()["retry"] == 100
                ready = client.get("/v1/ready")
                assert (ready.status_code, ready.json()["status"]) == (503, "stream_unavailable")
                assert str(home) in ready.json()["detail"] and "make room" in ready.json()["detail"]
                assert int(ready.headers["retry-after"]) > 0
                assert "collector_stream_failing 1.0" in client.get("/metrics").text
                assert client.get("/v1/health").status_code == 200
                said = [line for line in caplog.records if line.levelno >= logging.WARNING]
                assert [line.getMessage() for line in said if line.name.startswith("event_assets.collector")] == [
                    "the stream takes no events"
                ]
                (home / "ballast").unlink()
                until(lambda: is_ready(client))
                assert client.post("/v1/events", json=event(2)).status_code == 200
            assert "collector_stream_failing 0.0" in client.get("/metrics").text
            assert "the stream takes events again" in caplog.text
        stream = open_stream(settings)
        assert len(written(stream)) == 2
        stream.close()


def test_damaged_keys_change_nothing_for_keys_that_were_read_and_readiness_warns(
    client: httpx.Client, keys: WriteKeys, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    assert client.post("/v1/events", json=event(1)).status_code == 200
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    until(lambda: "warning" in client.get("/v1/ready").json())
    assert str(path) in client.get("/v1/ready").json()["warning"]
    assert [client.post("/v1/events", json=event(number)).status_code for number in range(5)] == [200] * 5
    assert "collector_keys_unreadable 1.0" in client.get("/metrics").text
    assert [line.getMessage() for line in caplog.records].count("the write keys cannot be read") == 1
    path.write_bytes(whole)
    until(lambda: "warning" not in client.get("/v1/ready").json())
    assert "collector_keys_unreadable 0.0" in client.get("/metrics").text


@pytest.mark.parametrize("damage", [b"{", b"\xff\xfe", b"", b"[]", b'{"keys": [{"id": 1}]}'])
def test_a_collector_without_any_keys_is_not_ready_and_asks_to_send_again(tmp_path: Path, damage: bytes) -> None:
    settings = load_settings(home=tmp_path, collector_ip_rate=0)
    key = WriteKeys.of(settings).create("site", "web", allowed_origins=("*",))
    whole = (tmp_path / "keys.json").read_bytes()
    (tmp_path / "keys.json").write_bytes(damage)
    with serving(settings) as client:
        headers = {"x-write-key": key, "origin": "https://any.example"}
        for _ in range(3):
            answer = client.post("/v1/events", json=event(1), headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (503, "keys_unreadable")
            assert int(answer.headers["retry-after"]) > 0
        ready = client.get("/v1/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "keys_unreadable")
        assert str(tmp_path / "keys.json") in ready.json()["detail"] and "backup" in ready.json()["detail"]
        (tmp_path / "keys.json").write_bytes(whole)
        until(lambda: is_ready(client))
        assert client.post("/v1/events", json=event(1), headers=headers).status_code == 200


@pytest.mark.parametrize("damage", [b"no database" * 1_000, b"\0" * 4_096])
def test_a_damaged_stream_is_said_by_readiness_and_a_mended_one_is_used(tmp_path: Path, damage: bytes) -> None:
    settings = load_settings(home=tmp_path, collector_ip_rate=0)
    key = WriteKeys.of(settings).create("site", "web")
    path = tmp_path / "stream.db"
    path.write_bytes(damage)
    with serving(settings) as client:
        client.headers["x-write-key"] = key
        answer = client.post("/v1/events", json=event(1))
        assert (answer.status_code, answer.json()["retry"]) == (503, 1)
        ready = client.get("/v1/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "stream_unavailable")
        assert str(path) in ready.json()["detail"]
        path.unlink()
        until(lambda: client.post("/v1/events", json=event(1)).status_code == 200)
        until(lambda: is_ready(client))


def test_a_stream_that_is_damaged_while_the_collector_runs_is_said(client: httpx.Client, tmp_path: Path) -> None:
    assert client.post("/v1/events", json=event(1)).status_code == 200
    for file in tmp_path.glob("stream.db*"):
        if not file.name.endswith("-turns"):
            file.write_bytes(b"no database" * 1_000)
    assert client.post("/v1/events", json=event(2)).status_code == 503
    ready = client.get("/v1/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "stream_unavailable")
    assert str(tmp_path / "stream.db") in ready.json()["detail"]
