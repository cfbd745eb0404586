"""Every kind of file of a home is damaged in turn: the doctor says which it is, and what it advises heals it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.collector import WriteKeys
from event_assets.contract.records import BadEncoding, decompress
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.doctor.sqlite import examine_stream, rescue
from event_assets.embedded.postgres import open_postgres
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.registry import STEPS, RefreshStep
from event_assets.streams import StreamRecord
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.pipeline.pipeline import BY_DAY, Pipeline


def event(number: int, day: int, **fields: object) -> bytes:
    at = f"2026-03-{day:02}T10:{number:02}:00Z"
    shown = {"event_id": f"e{number}", "event": "page_view", "anonymous_id": f"a{number % 3}", "platform": "web"}
    page = {"page_view_id": f"p{number}", "page": {"url": "https://shop.example/"}}
    return json.dumps({**shown, **page, "derived_at": at, "received_at": at, **fields}).encode()


def made(pipeline: Pipeline, steps: Sequence[RefreshStep]) -> Pipeline:
    """A home with keys, a stream and a lake, made in two runs of these steps."""
    for events in ([event(1, 1), event(2, 2), b"{"], [event(3, 2, event="identify", user_id="u"), event(2, 3)]):
        pipeline.put(events)
        pipeline.run(steps=steps)
    pipeline.stream.close()
    WriteKeys.of(pipeline.settings).create("shop", "web")
    return pipeline


@pytest.fixture(scope="module")
def whole(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """With every table."""
    return made(Pipeline(spark, tmp_path_factory.mktemp("whole") / "home"), STEPS)


@pytest.fixture(scope="module")
def small(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """With tables of events and sessions."""
    return made(Pipeline(spark, tmp_path_factory.mktemp("small") / "home"), BY_DAY)


def copy(pipeline: Pipeline, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of its home that may be damaged, as the one that commands are about."""
    shutil.copytree(pipeline.settings.home, folder / "home")
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(folder / "home"))
    return folder / "home"


@pytest.fixture
def home(small: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return copy(small, tmp_path, monkeypatch)


def doctor(*arguments: str, status: int) -> str:
    result = CliRunner().invoke(app, ["doctor", *arguments])
    assert result.exit_code == status, result.output
    return result.output


def flip(path: Path, place: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 1
    path.write_bytes(data)


def first(home: Path, pattern: str) -> Path:
    return sorted(home.glob(pattern))[0]


def test_a_sound_home_is_said_to_be_so(home: Path) -> None:
    shown = doctor(status=0)
    assert "DAMAGED" not in shown
    assert "stream: sound, 1 files" in shown and "keys: sound, 1 files" in shown and "raw_events: sound" in shown


def current_file(folder: Path) -> Path:
    """A file of the table's current version: replaced ones are nobody's loss."""
    return Path(Lake(Storage(str(folder.parent))).table(folder.name).snapshot().files[0].url)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped byte": lambda folder: flip(current_file(folder)),
    "a missing file": lambda folder: current_file(folder).unlink(),
    "the log": lambda folder: sorted(folder.glob("_delta_log/*1.json"))[0].write_bytes(b"{"),
    "the progress": lambda folder: sorted(folder.glob("_progress/*.json"))[-1].write_bytes(b"{"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "damage"),
    [
        *(("sessions", damage) for damage in DAMAGES),
        *((table, "a flipped byte") for table in ("clean_events", "quarantined_events", "enriched_events", "users")),
    ],
)
def test_a_damaged_table_is_put_aside_and_made_anew_with_the_same_rows(
    table: str, damage: str, whole: Pipeline, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copy(whole, tmp_path, monkeypatch)
    DAMAGES[damage](home / "lake" / table)
    shown = doctor(status=1)
    assert f"{table}: DAMAGED {home}/lake/{table}/" in shown and shown.count("DAMAGED") == 1
    assert "was moved to" in doctor("--heal", status=1)
    assert not (home / "lake" / table).exists()
    pipeline = Pipeline(spark, home)
    pipeline.run()
    pipeline.stream.close()
    doctor(status=0)
    for spec in LAKE_TABLES:
        assert len(pipeline.rows(spec.name)) == len(whole.rows(spec.name)), spec.name
    assert pipeline.rows(table) == whole.rows(table)


def test_a_damaged_object_of_raw_events_is_put_back_from_the_stream(home: Path) -> None:
    path = first(home, "lake/raw_events/**/*.parquet")
    good = path.read_bytes()
    flip(path)
    assert f"raw_events: DAMAGED {path}" in doctor(status=1)
    assert "was written again from the stream" in doctor("--heal", status=1)
    assert path.read_bytes() == good
    doctor(status=0)


def test_an_object_that_the_stream_has_no_more_is_left_and_said_to_be(home: Path) -> None:
    path = first(home, "lake/raw_events/**/*.parquet")
    flip(path)
    damaged = path.read_bytes()
    (home / "stream.db").unlink()
    Pipeline(None, home).stream.close()  # type: ignore[arg-type]
    assert "put it back from a backup" in doctor(status=1)
    assert "stays damaged" in doctor("--heal", status=1)
    assert path.read_bytes() == damaged


def test_a_damaged_log_of_raw_events_asks_for_a_backup(home: Path) -> None:
    path = first(home, "lake/raw_events/_delta_log/*1.json")
    path.write_bytes(b"{")
    assert f"put {home}/lake/raw_events back from a backup" in doctor("--heal", status=1)


@pytest.mark.slow
@pytest.mark.parametrize("place", [0.35, 0.5, 0.65, 0.8])
def test_what_can_be_read_of_a_damaged_stream_is_rescued_at_its_place(place: float, home: Path) -> None:
    pipeline = Pipeline(None, home)  # type: ignore[arg-type]
    for number in range(60):
        pipeline.put([event(number % 60, 4, properties={"noise": os.urandom(6_000).hex()})], key=f"k{number}")
    pipeline.stream.close()
    before = stored(home / "stream.db")
    data = bytearray((home / "stream.db").read_bytes())
    start = int(len(data) * place)
    data[start : start + 40_000] = os.urandom(40_000)
    (home / "stream.db").write_bytes(data)
    assert f"stream: DAMAGED {home}/stream.db" in doctor(status=1)
    shown = doctor("--heal", status=1)
    assert "records again" in shown, shown
    doctor(status=0)
    after = stored(home / "stream.db")
    same = {sequence for sequence, data in after.items() if before[sequence] == data}
    assert len(same) >= len(before) // 4
    for sequence in after.keys() - same:  # kept, to be set aside by whoever cleans it
        with pytest.raises(BadEncoding):
            decompress(after[sequence])
    again = Pipeline(None, home)  # type: ignore[arg-type]
    again.put([event(1, 5)])
    again.stream.close()
    assert stored(home / "stream.db").keys() > after.keys()


@pytest.fixture(scope="module")
def stream_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("stream") / "stream.db"
    stream = EmbeddedStream(path, "events")
    stream.create(2)
    for number in range(60):
        stream.put([StreamRecord(f"k{number}", Random(number).randbytes(6_000))])
    stream.close()
    return path.read_bytes()


@given(st.floats(0, 0.95), st.sampled_from([1, 100, 4_000, 40_000]), st.integers(0, 2**32))
def test_no_damage_of_a_stream_stops_the_doctor(stream_file: bytes, place: float, length: int, seed: int) -> None:
    data = bytearray(stream_file)
    start = int(len(data) * place)
    data[start : start + length] = Random(seed).randbytes(len(data[start : start + length]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.db"
        path.write_bytes(data)
        examine_stream(path, "events")
        if "records again" in rescue(path, "events"):
            assert not examine_stream(path, "events").findings


def stored(path: Path) -> dict[int, bytes]:
    with sqlite3.connect(path) as connection:
        rows = dict(connection.execute("SELECT sequence, data FROM records").fetchall())
    connection.close()
    return rows


def test_a_flipped_byte_in_a_record_of_the_stream_is_noticed(home: Path) -> None:
    path = home / "stream.db"
    record = min(stored(path).values(), key=len)
    flip_at = path.read_bytes().index(record) + len(record) // 2
    data = bytearray(path.read_bytes())
    data[flip_at] ^= 1
    path.write_bytes(data)
    assert "cannot be unpacked" in doctor(status=0)


def test_a_record_that_a_producer_packed_wrong_is_no_damage_and_stays_as_it_came(home: Path) -> None:
    pipeline = Pipeline(None, home)  # type: ignore[arg-type]
    pipeline.put_records([StreamRecord("k", b"\x1f\x8b\x08cut")])
    pipeline.stream.close()
    assert "note: record" in doctor(status=0)
    before = stored(home / "stream.db")
    rescue(home / "stream.db", "events")
    assert stored(home / "stream.db") == before


def test_a_stream_beyond_rescue_says_so_and_is_left(home: Path) -> None:
    (home / "stream.db").write_bytes(os.urandom(50_000))
    assert "beyond rescue" in doctor("--heal", status=1)
    shutil.move(home / "stream.db", home / "stream.db.damaged")
    Pipeline(None, home).stream.close()  # type: ignore[arg-type]
    doctor(status=0)


def test_damaged_keys_are_for_a_person_to_mend(home: Path) -> None:
    path = home / "keys.json"
    good = path.read_text()
    path.write_text(good[:-20])
    assert f"keys: DAMAGED {path}" in doctor(status=1)
    assert f"{path} is left" in doctor("--heal", status=1)
    path.unlink()
    WriteKeys(path).create("shop", "web")
    doctor(status=0)


def test_a_rule_that_cannot_be_read_is_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "segments"
    folder.mkdir()
    (folder / "buyers.yaml").write_text("name: [")
    monkeypatch.setenv("EVENT_ASSETS_SEGMENTS_DIR", str(folder))
    shown = doctor(status=1)
    assert f"DAMAGED {folder}" in shown and "buyers.yaml" in shown


def test_a_warehouse_out_of_reach_is_named_without_its_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_URL", "postgresql://me:hush@127.0.0.1:1/db")
    shown = doctor(status=1)
    assert "warehouse: DAMAGED the warehouse" in shown and "EVENT_ASSETS_WAREHOUSE_URL" in shown and "hush" not in shown


def test_dagsters_storage_is_moved_away_where_it_is_damaged(home: Path) -> None:
    path = home / "dagster" / "history" / "runs.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(20_000))
    assert f"DAMAGED {path}" in doctor("--heal", status=1)
    doctor(status=0)


def test_a_program_reads_the_same(home: Path) -> None:
    flip(first(home, "lake/sessions/data/**/*.parquet"))
    told = json.loads(doctor("--json", status=1))
    (finding,) = [finding for part in told["parts"] for finding in part["findings"]]
    assert finding["fault"] == "its bytes are not those that were written"
    assert finding["remedy"].startswith("stop the stack")


@pytest.mark.slow
def test_a_flipped_byte_in_the_embedded_warehouse_is_noticed_and_a_new_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(home))
    with open_postgres(home) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA analytics")
        connection.execute("CREATE TABLE analytics.facts AS SELECT generate_series(1, 10000) AS number")
        connection.execute("CHECKPOINT")
        found = connection.execute("SELECT pg_relation_filepath('analytics.facts')").fetchone()
        assert found is not None
    assert "warehouse: sound" in doctor(status=0)
    flip(home / "postgres" / found[0])
    shown = doctor(status=1)
    assert f"warehouse: DAMAGED {home}/postgres" in shown and "invalid page" in shown
    assert f"{home}/postgres was moved to" in doctor("--heal", status=1)
    with open_postgres(home) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    doctor(status=0)
