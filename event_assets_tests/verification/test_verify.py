"""Each line of the report holds on a sound platform, and fails on the one damage that it is there to find.

The sound platform is made here by hand from what a simulation put on the stream, without the pipeline.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from event_assets.collector import WriteKeys
from event_assets.contract.records import BadEncoding, unpack
from event_assets.settings import Settings, load_settings
from event_assets.simulator.rates import FaultRates
from event_assets.simulator.run import run_simulation
from event_assets.simulator.truth import TruthLedger
from event_assets.streams import EventStream, open_stream
from event_assets.verification import Evidence, Expectation, verify
from event_assets.verification.expected import work_out
from event_assets_tests.collector.serving import serving

Rows = list[dict[str, Any]]
Platform = dict[str, Rows]
"""The rows of every lake table."""

BY_HAND = (
    *("collector", "raw_events", "clean_events", "quarantined_events", "enriched_events", "duplicate_events"),
    *("event_ledger", "page_views", "sessions", "identities", "users", "anomalies"),
    *(
        f"warehouse.{name}"
        for name in ("fct_events", "fct_page_views", "fct_sessions", "dim_users", "dim_user_segments")
    ),
)
"""The components of the platform that is made here; the others are in test_marts.py."""
RATES = FaultRates(duplicate=0.2, conflict=0.05, late_visit=0.1, malformed=0.02, plan_quarantine=0.9, clock_skew=0.2)
UTC = pa.timestamp("us", tz="UTC")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def sound(home: Path) -> Platform:
    """What a faultless pipeline makes of a simulation."""
    settings = load_settings(home=home, collector_ip_rate=0)
    stream, keys = open_stream(settings), WriteKeys.of(settings)
    key = keys.create("demo", "web")
    with serving(settings, stream, keys) as client:
        run_simulation(
            settings, str(client.base_url), key, stream, events=1_200, seconds=0.5, faults=RATES, anomalies=["bot_wave"]
        )
    platform = _platform(home / "truth.db", stream)
    stream.close()
    return platform


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> Settings:
    return load_settings(home=home, lake_url=str(tmp_path / "lake"))


def _platform(truth: Path, stream: EventStream) -> Platform:
    evidence = Evidence(truth)
    work_out(evidence, "any")
    known = {
        (row[0], row[1], row[2]): row[3:]
        for row in evidence.rows("SELECT shard_id, sequence_number, line, fate, fate_reason FROM taken")
    }
    by_id = {row[0]: row[1:] for row in evidence.rows("SELECT event_id, fate, fate_reason FROM taken")}
    raw: Rows = []
    clean: Rows = []
    quarantined: Rows = []
    for shard, sequence, data in _records(stream):
        raw.append({"shard_id": shard, "sequence_number": sequence, "data": data})
        for line, text in enumerate(_lines(data)):
            event = _json(text)
            event_id = event.get("event_id")
            place = {"shard_id": shard, "sequence_number": sequence, "line": line}
            fate, reason = known.get((shard, sequence, line)) or by_id[str(event_id)]
            if fate == "quarantined":
                quarantined.append({**place, "event_id": event_id, "reason": reason})
            else:
                clean.append({**place, "event_id": event_id, "event": event})
    return {
        "raw_events": raw,
        "clean_events": [{name: row[name] for name in row if name != "event"} for row in clean],
        "quarantined_events": quarantined,
        **_counted(clean, evidence),
        **_behaviour(evidence),
    }


def _records(stream: EventStream) -> Iterator[tuple[str, str, bytes]]:
    for shard in stream.shards():
        for record in stream.read(shard.shard_id, None, max_records=100_000, max_bytes=10**9).records:
            yield shard.shard_id, record.sequence_number, record.data


def _lines(data: bytes) -> list[bytes]:
    try:
        return unpack(data)
    except BadEncoding:
        return [b""]


def _json(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _counted(clean: Rows, evidence: Evidence) -> Platform:
    happened = dict(evidence.rows("SELECT event_id, happened_at FROM counted"))
    first: dict[str, dict[str, Any]] = {}
    duplicates: Rows = []
    order = sorted(clean, key=lambda row: (row["event"].get("received_at", "9"), row["sequence_number"], row["line"]))
    for row in order:
        event = row["event"]
        if event["event_id"] in first:
            conflict = event.get("properties") != first[event["event_id"]].get("properties")
            duplicates.append({"event_id": event["event_id"], "is_conflict": conflict})
        else:
            first[event["event_id"]] = event
    enriched = [
        {
            "event_id": event_id,
            "event": event["event"],
            "anonymous_id": None if event_id.startswith("stripped-") else event.get("anonymous_id"),
            "user_id": event.get("user_id"),
            "derived_at": _told(event_id, happened[event_id]),
            "site_date": _told(event_id, happened[event_id]).date(),
        }
        for event_id, event in first.items()
    ]
    ledger = [{"arrival_date": dt.date(2026, 11, 20), "arrival_hour": 1, "balanced": True}]
    return {"enriched_events": enriched, "duplicate_events": duplicates, "event_ledger": ledger}


def _told(event_id: str, happened: float) -> dt.datetime:
    at = dt.datetime.fromtimestamp(happened, dt.UTC)
    return at.replace(second=0, microsecond=0) if event_id.startswith("stripped-") else at


def _behaviour(evidence: Evidence) -> Platform:
    revenue = evidence.number("SELECT sum(revenue) FROM counted WHERE event = 'purchase'")
    sessions = [
        {
            "session_id": session_id or f"made-{n}",
            "anonymous_id": key,
            "user_id": key,
            "events": 1,
            "revenue": 0.0,
            "campaign_key": _no_key(4),
            "device_key": _no_key(4),
            "geo_key": _no_key(3),
        }
        for n, (session_id, key) in enumerate(evidence.rows("SELECT session_id, key FROM expected_sessions"))
    ]
    sessions[0]["revenue"] = float(revenue)
    views = evidence.rows(
        """
        SELECT DISTINCT page_view_id FROM counted WHERE event = 'page_view'
        UNION ALL SELECT event_id FROM counted WHERE event = 'screen_view'
        """
    )
    people = evidence.rows("SELECT id, person FROM expected_people")
    users: Rows = [
        {"person_id": person, "events": 0, "revenue": 0.0, "is_bot": False} for person in sorted({p for _, p in people})
    ]
    known = "SELECT count(*) FROM counted WHERE coalesce(anonymous_id, user_id) IS NOT NULL"
    users[0] |= {"events": int(evidence.number(known)), "revenue": float(revenue)}
    identities = [{"id_type": "user", "id": id_, "person_id": person} for id_, person in people]
    return {
        "page_views": [
            {"page_view_id": view, "session_id": "s", "engaged_seconds": 0}
            | {"page_key": _no_key(2), "geo_key": _no_key(3)}
            for (view,) in views
        ],
        "sessions": sessions,
        "identities": identities,
        "users": users,
    }


def _no_key(columns: int) -> str:
    """The key of so many columns of which none is known."""
    return hashlib.md5(b"6:(none)" * columns).hexdigest()


def _write(settings: Settings, platform: Platform) -> None:
    for name, rows in platform.items():
        table = pa.Table.from_pylist(rows)
        fields = [pa.field(f.name, UTC if f.name == "derived_at" else f.type) for f in table.schema]
        write_deltalake(f"{settings.lake}/{name}", table.cast(pa.schema(fields)), mode="append")


def _failed(report: list[Expectation], among: Collection[str] = BY_HAND) -> set[str]:
    return {line.component for line in report if not line.ok and line.component in among}


def test_on_a_sound_platform_every_line_holds(settings: Settings, sound: Platform) -> None:
    _write(settings, sound)
    report = verify(settings)
    assert [line for line in report if not line.ok and line.component in BY_HAND] == []
    assert {line.component for line in report} >= {"collector", *sound} - {"users"}


def _without_one(
    table: str, matching: Callable[[dict[str, Any]], bool] = lambda row: True
) -> Callable[[Platform], None]:
    def damage(platform: Platform) -> None:
        platform[table].remove(next(row for row in platform[table] if matching(row)))

    return damage


def _an_event_twice(platform: Platform) -> None:
    platform["enriched_events"].append(platform["enriched_events"][0])


def _an_event_moved(platform: Platform) -> None:
    # Of a stripped event only the minute is known: the next one can be right as well.
    told = next(row for row in platform["enriched_events"] if not row["event_id"].startswith("stripped-"))
    told["derived_at"] += dt.timedelta(minutes=1)


def _a_sound_event_set_aside(platform: Platform) -> None:
    row = platform["clean_events"][0]
    platform["quarantined_events"].append({**row, "reason": "malformed_json"})


def _a_conflict_unseen(platform: Platform) -> None:
    next(row for row in platform["duplicate_events"] if row["is_conflict"])["is_conflict"] = False


def _books_out_of_balance(platform: Platform) -> None:
    platform["event_ledger"][0]["balanced"] = False


def _an_id_of_nobody(platform: Platform) -> None:
    rich = platform["users"][0]["person_id"]
    platform["identities"].remove(next(row for row in platform["identities"] if row["person_id"] != rich))


def _a_person_torn_apart(platform: Platform) -> None:
    people = [row["person_id"] for row in platform["identities"]]
    torn = next(row for row in platform["identities"] if people.count(row["person_id"]) > 1)
    torn["person_id"] = "somebody else"
    platform["users"].append({"person_id": "somebody else", "events": 0, "revenue": 0.0, "is_bot": False})


def _two_people_made_one(platform: Platform) -> None:
    first, second = sorted({row["person_id"] for row in platform["identities"]})[:2]
    for row in platform["identities"]:
        row["person_id"] = first if row["person_id"] == second else row["person_id"]


def _a_key_of_another_campaign(platform: Platform) -> None:
    platform["sessions"][0]["campaign_key"] = _no_key(5)


def _a_key_of_another_page(platform: Platform) -> None:
    platform["page_views"][0]["page_key"] = None


def _revenue_doubled(platform: Platform) -> None:
    platform["sessions"][0]["revenue"] = platform["sessions"][0]["revenue"] * 2 + 1


def _an_event_too_many_for_a_user(platform: Platform) -> None:
    platform["users"][1]["events"] += 1


def _a_user_too_rich(platform: Platform) -> None:
    platform["users"][1]["revenue"] += 9.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("component", "damage"),
    [
        ("raw_events", _without_one("raw_events", lambda row: row["data"][:1] == b"\x28")),
        ("raw_events", _without_one("raw_events", lambda row: row["data"][:1] == b"{")),
        ("clean_events", _without_one("clean_events")),
        ("quarantined_events", _without_one("quarantined_events", lambda row: row["reason"] == "bad_encoding")),
        ("quarantined_events", _without_one("quarantined_events", lambda row: row["reason"] == "plan_violation")),
        ("quarantined_events", _a_sound_event_set_aside),
        ("enriched_events", _without_one("enriched_events")),
        ("enriched_events", _an_event_twice),
        ("enriched_events", _an_event_moved),
        ("duplicate_events", _without_one("duplicate_events")),
        ("duplicate_events", _a_conflict_unseen),
        ("event_ledger", _books_out_of_balance),
        ("page_views", _without_one("page_views")),
        ("sessions", _without_one("sessions", lambda row: row["revenue"] == 0)),
        ("page_views", _a_key_of_another_page),
        ("sessions", _revenue_doubled),
        ("sessions", _a_key_of_another_campaign),
        ("identities", _an_id_of_nobody),
        ("identities", _a_person_torn_apart),
        ("identities", _two_people_made_one),
        ("users", _without_one("users", lambda row: row["events"] == 0)),
        ("users", _an_event_too_many_for_a_user),
        ("users", _a_user_too_rich),
    ],
)
def test_a_damage_is_found_in_its_component_and_nowhere_else(
    settings: Settings, sound: Platform, component: str, damage: Callable[[Platform], None]
) -> None:
    platform = {name: [dict(row) for row in rows] for name, rows in sound.items()}
    damage(platform)
    _write(settings, platform)
    # An event that is gone may be one of those that a planted anomaly is known by.
    assert _failed(verify(settings)) - {"anomalies"} == {component}


def test_a_lake_that_is_not_there_yet_is_missing_everything(settings: Settings, sound: Platform) -> None:
    assert _failed(verify(settings)) >= {"raw_events", "clean_events", "enriched_events", "sessions"}


def test_planted_losses_ring_the_alarm(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, collector_ip_rate=0)
    stream, keys = open_stream(settings), WriteKeys.of(settings)
    key = keys.create("demo", "web")
    with serving(settings, stream, keys) as client:
        rates = FaultRates(silent_loss=0.05)
        result = run_simulation(settings, str(client.base_url), key, stream, events=300, seconds=0.2, faults=rates)
    with TruthLedger(result.truth) as truth:
        lost = {row[0] for row in truth.query("SELECT event_id FROM submissions WHERE fault = 'silent_loss'")}
    raw = [dict(zip(("shard_id", "sequence_number", "data"), record, strict=True)) for record in _records(stream)]
    _write(settings, {"raw_events": raw})
    alarm = next(line for line in verify(settings) if line.component == "raw_events")
    assert not alarm.ok
    assert alarm.actual == len(lost)
    stream.close()


def test_an_anomaly_that_the_lake_shows_at_another_time_is_found(settings: Settings, sound: Platform) -> None:
    platform = {name: [dict(row) for row in rows] for name, rows in sound.items()}
    for row in platform["enriched_events"]:
        row["derived_at"] += dt.timedelta(days=400)
    _write(settings, platform)
    report = verify(settings)
    line = next(line for line in report if line.component == "anomalies")
    assert not line.ok
    assert line.what.startswith("page_view during bot_wave of ")
    assert line.actual == 0 < int(str(line.expected).split()[0])


def test_what_a_run_changes_while_it_is_read_is_read_again(
    settings: Settings, sound: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = sound["enriched_events"][-1:]
    _write(settings, {**sound, "enriched_events": sound["enriched_events"][:-1]})
    read = Evidence._read_lake

    def read_beside_a_run(self: Evidence, *arguments: Any) -> None:
        read(self, *arguments)
        if late:
            _write(settings, {"enriched_events": [late.pop()]})

    monkeypatch.setattr(Evidence, "_read_lake", read_beside_a_run)
    assert _failed(verify(settings)) == set() and not late


def test_a_run_that_goes_on_changing_what_is_read_is_said(
    settings: Settings, sound: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(settings, sound)
    read = Evidence._read_lake

    def read_beside_a_run(self: Evidence, *arguments: Any) -> None:
        read(self, *arguments)
        _write(settings, {"clean_events": sound["clean_events"][:1]})

    monkeypatch.setattr(Evidence, "_read_lake", read_beside_a_run)
    line = verify(settings)[-1]
    assert not line.ok and line.actual == 1 and "clean_events" in line.what and "verify again" in line.what


def test_without_a_truth_there_is_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no truth"):
        verify(load_settings(home=tmp_path))


@pytest.mark.slow
def test_the_warehouse_is_held_against_the_truth_too(settings: Settings, sound: Platform, postgres_url: str) -> None:
    _write(settings, sound)
    schema = settings.warehouse_schema
    people, events = [row["person_id"] for row in sound["users"]], sound["enriched_events"]
    tables: dict[str, list[tuple[Any, ...]]] = {
        "fct_events (event_id text)": [(row["event_id"],) for row in events],
        "fct_page_views (page_view_id text)": [(row["page_view_id"],) for row in sound["page_views"]],
        "fct_sessions (session_id text, anonymous_id text, user_id text, revenue float)": [
            (row["session_id"], row["anonymous_id"], row["user_id"], row["revenue"]) for row in sound["sessions"]
        ],
        "dim_users (person_id text)": [(person,) for person in people],
        "dim_user_segments (person_id text)": [(person,) for person in people],
    }
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        for table, rows in tables.items():
            name = f"{schema}.{table.partition(' ')[0]}"
            connection.execute(f"CREATE TABLE {schema}.{table}")
            with connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {name} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
        assert _failed(verify(settings, postgres_url)) == set()
        of_events = {"warehouse.fct_events", "warehouse.fct_page_views"}
        of_before = {"warehouse.fct_events"} if len({row["derived_at"].date() for row in events}) > 1 else set()
        for told, wrong in (("days:999", set()), ("days:1", of_before), ("none", of_events)):
            assert _failed(verify(settings.model_copy(update={"warehouse_events": told}), postgres_url)) == wrong
        connection.execute(
            f"DELETE FROM {schema}.fct_events WHERE event_id = (SELECT min(event_id) FROM {schema}.fct_events)"
        )
        connection.execute(f"UPDATE {schema}.fct_sessions SET revenue = revenue + 1")
        connection.execute(f"TRUNCATE {schema}.dim_users")
        failed = _failed(verify(settings, postgres_url))
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    assert failed == {f"warehouse.{name}" for name in ("fct_events", "fct_sessions", "dim_users")}
