"""Nothing of an event whose person refused analytics is in any byte of any file, but what is said to stay."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest
import zstandard
from pyspark.sql import SparkSession

from event_assets.collector import WriteKeys
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.embedded.postgres import open_postgres
from event_assets.importing import ApiSink, StreamAside, StreamSink
from event_assets.pipeline.load import load_step
from event_assets.pipeline.registry import STEPS, refresh_all
from event_assets.pipeline.window import EVERYTHING
from event_assets.settings import load_settings
from event_assets.warehouse.lake_files import LakeFiles
from event_assets.warehouse.postgres import PostgresDialect
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.collector.serving import serving
from event_assets_tests.pipeline.pipeline import Pipeline

pytestmark = pytest.mark.slow

MARK = "Mk7q"
"""Begins every value that may not stay."""
WILLING = "Wn4z"
"""In its place in the event of somebody who did not refuse."""
_NAMES = ("name", "appid", "appversion", "appbuild", "path")


def marked(number: int, **changes: Any) -> dict[str, Any]:
    """An event with a mark in every text but those that stay, and addresses of its own."""
    texts = {
        name: f"{MARK}{name}{number}"
        for name in ("event_id", "anonymous_id", "user_id", "session_id", "page_view_id", "unknown", "email")
    }
    secret = f"{MARK}{number}"
    return {
        **texts,
        "event": "page_view",
        "platform": "web",
        "sequence": 772_991_377_515_243,
        "occurred_at": "2026-03-01T10:11:12.345678Z",
        "sent_at": "2026-03-01T10:11:13.456789Z",
        "app": {"id": "app-stays", "version": "1.2", "build": "7"},
        "page": {
            "url": f"https://{secret}:{secret}@x.example/path-stays;s={secret}?email={secret}@mail.example#{secret}",
            "title": secret,
            "referrer": f"https://y.example/{secret}",
        },
        "screen": {"name": secret, "width": 1_772_137_791},
        "device": dict.fromkeys(("user_agent", "model", "os", "os_version", "locale", "timezone", "more"), secret),
        "library": {"name": secret, "version": secret},
        "ip": "198.51.100.77",
        "properties": {"email": secret, "previous_id": secret, "nested": {"phone": secret}, secret: 1},
        "traits": {"email": secret, "name": secret},
        "consent": {"analytics": False},
        **changes,
    }


FORBIDDEN = [
    text.encode() for text in (MARK, "198.51.100", "203.0.113", "772991377515243", "1772137791", "mail.example")
]
FORBIDDEN += [b":12.345678", b":13.456789", b"y.example"]


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder byte for byte, and what is packed inside: records, cells of Parquet files."""
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        data = path.read_bytes()
        yield str(path), data
        if path.suffix == ".parquet":
            for name, column in zip(*_columns(path), strict=True):
                for value in column:
                    yield from _unpacked(f"{path} {name}", value if isinstance(value, bytes) else str(value).encode())
        elif data.startswith(b"SQLite format 3\0"):
            database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    for value in row:
                        yield from _unpacked(
                            f"{path} {table}", value if isinstance(value, bytes) else str(value).encode()
                        )
            database.close()


def _columns(path: Path) -> tuple[list[str], list[list[Any]]]:
    table = pq.read_table(path, partitioning=None)
    return table.column_names, [column.to_pylist() for column in table.columns]


def _unpacked(place: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield place, data
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        yield f"{place} zstd", zstandard.ZstdDecompressor().decompressobj().decompress(data)
    if data.startswith(b"\x1f\x8b"):
        yield f"{place} gzip", gzip.decompress(data)


def found(folder: Path) -> dict[str, set[str]]:
    """Where which of the forbidden bytes are."""
    places: dict[str, set[str]] = {}
    for place, data in contents(folder):
        for text in FORBIDDEN:
            if text in data:
                places.setdefault(text.decode(), set()).add(place)
    return places


def bodies() -> list[dict[str, Any]]:
    """Events of somebody who refused: sound ones, of every reserved kind, and broken ones."""
    kinds = ("page_view", "identify", "alias", "purchase", "screen_view")
    sound = [marked(number, event=kind) for number, kind in enumerate(kinds)]
    broken = [
        marked(10, platform=f"{MARK}toaster"),
        marked(11, occurred_at=f"{MARK}yesterday"),
        marked(12, consent={"analytics": f"{MARK}no"}),
        marked(13, session_id=MARK * 64),
        marked(14, properties={"deep": json.loads("[" * 30 + f'"{MARK}"' + "]" * 30)}),
        marked(15, event_id=7),
    ]
    return sound + broken


def send(client: httpx.Client, key: str) -> None:
    """By every door: one a body, an array, NDJSON, a beacon, a pixel."""
    headers = {"x-write-key": key, "user-agent": f"{MARK}agent", "x-forwarded-for": "203.0.113.99"}
    every = bodies()
    for event in every:
        client.post("/v1/events", json=event, headers=headers)
    client.post("/v1/events", json=every, headers=headers)
    client.post(
        "/v1/events", content="\n".join(map(json.dumps, every)), headers={**headers, "content-type": "text/plain"}
    )
    client.post(f"/v1/events?write_key={key}", content=json.dumps(every), headers={"content-type": "text/plain"})
    client.post("/v1/events", content=json.dumps(every[0])[:-1], headers=headers)
    query = {
        "write_key": key,
        "platform": "web",
        "event": "mail_opened",
        "consent_analytics": "false",
        "mail": f"{MARK}may",
    }
    query |= {name: f"{MARK}{name}" for name in ("event_id", "anonymous_id", "user_id", "session_id", "title")}
    pixel = client.get("/v1/pixel.gif", params=query | {"url": f"https://x.example/path-stays?{MARK}"}, headers=headers)
    assert pixel.status_code == 200


def counted(answer: httpx.Response) -> dict[str, Any]:
    """What an answer says became of the events; a pixel says nothing."""
    answer.read()
    return dict(answer.json()) if "json" in answer.headers.get("content-type", "") else {}


@pytest.mark.representative
@pytest.mark.parametrize("refusal", ["strip", "drop"])
def test_no_byte_of_any_file_says_who_refused(
    spark: SparkSession, tmp_path: Path, refusal: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings(home=tmp_path / "home", consent_refused=refusal, collector_ip_rate=0)
    pipeline = Pipeline(spark, settings.home)
    keys = WriteKeys.of(settings)
    key, trusted = keys.create("site", "web"), keys.create("backend", "server", trusted=True)
    caplog.handler.setLevel("DEBUG")
    lines = [json.dumps(event).encode() for event in bodies()]
    lines += [lines[0][:-1], lines[0].replace(b'"page_view"', b'"\xff"')]
    with caplog.at_level("DEBUG"), serving(settings, pipeline.stream, keys) as client:
        answers: list[dict[str, Any]] = []
        client.event_hooks["response"] = [lambda answer: answers.append(counted(answer))]
        send(client, key)
        send(client, trusted)
        client.event_hooks["response"] = []
        said = client.get("/metrics").text
        api = ApiSink(str(client.base_url), trusted, StreamAside(pipeline.stream, settings))
        api.write(lines)
        api.close()
    StreamSink(settings, pipeline.stream).write(lines)
    pipeline.refusal = refusal
    pipeline.run()
    dropped = sum(answer.get("dropped", 0) for answer in answers) + 2 * (
        refusal == "drop"
    )  # a pixel's answer says nothing
    assert f"\ncollector_events_dropped_total {dropped:.1f}\n" in said and (dropped > 20) == (refusal == "drop")
    assert found(settings.home) == {}
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert logged and not any(MARK in message for message in logged)
    counts = pipeline.ledger()
    if refusal == "drop":
        assert counts["clean"] == 0 and counts["quarantined"] == counts["landed"] > 60
        assert {row["reason"] for row in pipeline.rows("quarantined_events")} == {"consent_refused"}
        return
    rows = pipeline.rows("enriched_events")
    assert {row["page_url"] for row in rows} == {"https://x.example/path-stays"}
    assert {row["app_id"] for row in rows} == {"app-stays", None}  # a pixel names none
    for name in ("anonymous_id", "user_id", "session_id", "page_view_id", "properties", "traits", "extra", "ip"):
        assert {row[name] for row in rows} == {None}, name
    assert all(row["derived_at"].second == row["derived_at"].microsecond == 0 for row in rows)
    for table in ("identities", "visitors", "users", "sessions", "session_issues", "conversions"):
        assert pipeline.rows(table) == []
    # The same events by four ways and two keys are one each, and the pixel's.
    assert counts["enriched"] == len({row["event_id"] for row in rows}) == 6
    assert counts["conflicts"] == 0


@pytest.mark.parametrize("refusal", ["strip", "drop"])
def test_cleaning_keeps_no_more_of_what_a_producer_put_on_the_stream_itself(
    spark: SparkSession, tmp_path: Path, refusal: Any
) -> None:
    pipeline = Pipeline(spark, tmp_path)
    pipeline.refusal = refusal
    pipeline.put([json.dumps(event).encode() for event in bodies()])
    pipeline.run()
    places = {place for found_at in found(tmp_path / "lake").values() for place in found_at}
    assert all("/raw_events/" in place for place in places), places
    assert pipeline.ledger()["landed"] == len(bodies())


@pytest.mark.representative
def test_no_byte_of_any_file_says_by_what_advertisers_know_a_device_whose_owner_is_kept_from_others(
    spark: SparkSession, tmp_path: Path
) -> None:
    settings = load_settings(home=tmp_path / "home", collector_ip_rate=0)
    pipeline = Pipeline(spark, settings.home)
    key = WriteKeys.of(settings).create("app", "ios")
    device = {"id": f"{MARK}id", "advertising_id": f"{MARK}ad", "manufacturer": "Apple", "ad_tracking": True}
    plain = {"event": "a", "anonymous_id": "a1", "platform": "ios", "device": device, "consent": {"marketing": False}}
    device_of_segment = {"type": "ios", "id": f"{MARK}id", "advertisingId": f"{MARK}ad", "token": f"{MARK}token"}
    by_segment = {
        "type": "track",
        "event": "b",
        "messageId": "s-1",
        "anonymousId": "a1",
        "context": {
            "device": device_of_segment,
            "consent": {"categoryPreferences": {"Advertising": False}},
        },
    }
    with serving(settings, pipeline.stream, WriteKeys.of(settings)) as client:
        client.headers["x-write-key"] = key
        client.post("/v1/events", json={**plain, "event_id": "n-1"})
        client.post("/v1/events", json=[{**plain, "event_id": "n-2"}, {**plain, "event_id": "n-3", "unknown": 1}])
        client.post("/v1/events", json={**plain, "event_id": "n-7", "consent": {"sell_or_share": False}})
        client.post("/v1/batch", json={"batch": [by_segment, {**by_segment, "event": None, "messageId": "s-2"}]})
        # A browser says so for its person: Global Privacy Control.
        client.headers["sec-gpc"] = "1"
        unsaid = {**plain, "consent": {"analytics": True}, "event_id": "n-5"}
        client.post("/v1/events", json=unsaid)
        client.post("/v1/events", json=[{**plain, "consent": None, "event_id": "n-6"}])
        context = {"device": device_of_segment}
        for broken in ({"messageId": "s-3"}, {"messageId": "s-4", "event": None}):
            client.post("/v1/batch", json={"batch": [{**by_segment, "context": context, **broken}]})
    sold = {**plain, "event_id": "n-8", "consent": {"marketing": True, "sell_or_share": False}}
    lines = [json.dumps({**plain, "event_id": "n-4"}).encode(), json.dumps(sold).encode()]
    StreamSink(settings, pipeline.stream).write(lines)
    refresh_all(pipeline.refresh(), [step for step in STEPS if step.group in ("ingest", "events")])
    assert found(settings.home) == {}
    rows = pipeline.rows("enriched_events")
    assert [row["event_id"] for row in sorted(rows, key=lambda row: row["event_id"])] == [
        "n-1",
        "n-2",
        "n-3",
        "n-4",
        "n-5",
        "n-6",
        "n-7",
        "n-8",
        "s-1",
        "s-3",
    ]
    assert {row["device_id"] for row in rows} == {None}
    assert [row["device_manufacturer"] for row in rows].count("Apple") == 8
    assert len(pipeline.rows("quarantined_events")) == 2


@pytest.mark.parametrize("refusal", ["strip", "drop"])
def test_no_byte_of_the_warehouse_and_its_log_says_who_refused(
    spark: SparkSession, tmp_path: Path, postgres_home: Path, refusal: Any
) -> None:
    settings = load_settings(home=tmp_path / "home", consent_refused=refusal)
    pipeline = Pipeline(spark, settings.home)
    pipeline.refusal = refusal
    willing = marked(1, event_id="e", consent={"analytics": True})
    willing = json.loads(json.dumps(willing).replace(MARK, WILLING)) | {"ip": "192.0.2.7"}
    StreamSink(settings, pipeline.stream).write([json.dumps(event).encode() for event in [*bodies(), willing]])
    pipeline.run()
    with open_postgres(postgres_home) as url:
        warehouse = Warehouse(PostgresDialect(LakeFiles()), url)
        warehouse.ensure()
        for table in WAREHOUSE_TABLES:
            load_step(pipeline.lake, warehouse, table, EVERYTHING)
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("CHECKPOINT")
        files = {path: path.read_bytes() for path in postgres_home.rglob("*") if path.is_file()}
    held = {path.relative_to(postgres_home).parts[-2] for path, data in files.items() if WILLING.encode() in data}
    assert "pg_wal" in held and len(held) > 1  # the scan sees what is in tables and in the log of changes
    refused = [text for text in FORBIDDEN if text not in json.dumps(willing).encode()]
    assert {(text, path) for path, data in files.items() for text in refused if text in data} == set()


def test_the_record_of_a_refusal_says_whose_it_is_and_nothing_else(spark: SparkSession, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, consent_refused="drop", collector_ip_rate=0)
    pipeline = Pipeline(spark, tmp_path)
    keys = WriteKeys.of(settings)
    sent = {**marked(1, event="consent_changed"), "event_id": "e", "anonymous_id": "a", "user_id": "u"}
    with serving(settings, pipeline.stream, keys) as client:
        answer = client.post("/v1/events", json=sent, headers={"x-write-key": keys.create("site", "web")})
    assert answer.json()["accepted"] == 1
    pipeline.run()
    assert {place for places in found(tmp_path).values() for place in places} == set()
    assert {row["person_id"]: row["consent_analytics"] for row in pipeline.rows("users")}["a"] is False
