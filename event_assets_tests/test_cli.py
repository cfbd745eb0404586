"""The command as a person types it: what it prints where, and with which status it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.collector.keys import WriteKeys
from event_assets.contract.tables.anomalies import METRIC_INCIDENTS
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.settings import Settings, settings_table
from event_assets.stack.display import without_password
from event_assets.stack.settings_display import markdown_settings
from event_assets.streams import open_stream
from event_assets_tests.collector.serving import serving
from event_assets_tests.disks import read_only, small_disk
from event_assets_tests.factories import row_of

ROOT = Path(__file__).parents[1]
EVENT = {
    "event_id": "1",
    "event": "search",
    "anonymous_id": "a",
    "platform": "web",
    "occurred_at": "2024-05-01T10:00:00Z",
    "properties": {"query": "shoes", "results": 3},
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*arguments: str, status: int = 0) -> Any:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, result.output
    return result


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from event_assets.cli import app; "
        "CliRunner().invoke(app, ['demo', '--help']); "
        "print(sorted({'dagster', 'pyspark', 'pyarrow', 'pandas', 'uvicorn', 'psycopg'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert shown.stdout == "[]\n"


def test_a_wrong_setting_stops_the_command_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_COLLECTOR_PORT", "eighty")
    result = run("status", status=2)
    assert "EVENT_ASSETS_COLLECTOR_PORT is 'eighty'" in result.stderr
    assert "Traceback" not in result.output


def test_a_key_is_printed_once_listed_without_itself_and_can_be_revoked(home: Path) -> None:
    key = run("keys", "create", "shop", "--platform", "web", "--origin", "https://shop.example").stdout.strip()
    keys = WriteKeys(home / "keys.json")
    source = keys.find(key)
    assert source is not None and source.allowed_origins == ("https://shop.example",)

    listed = run("keys", "list", "--json").stdout
    assert key not in listed
    assert [row["name"] for row in json.loads(listed)] == ["shop"]

    run("keys", "revoke", source.id)
    assert WriteKeys(home / "keys.json").find(key) is None
    assert "no such key" in run("keys", "revoke", source.id, status=1).stderr

    logged = json.loads(run("audit", "show", "--json").stdout)
    assert [(entry["action"], entry["of"]) for entry in logged] == [
        (f"key_{n}", source.id) for n in ("created", "revoked")
    ]
    assert f"2 entries, the newest {logged[-1]['hash']}" in run("audit", "verify").stdout
    file = home / "lake" / "audit" / "0000000001.json"
    file.write_text(file.read_text().replace("shop", "blog"))
    assert "Entry 1 of the audit log was changed" in run("audit", "verify", status=1).stderr


def test_settings_show_values_but_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_URL", "postgresql://me:hunter2@db:5432/x")
    monkeypatch.setenv("EVENT_ASSETS_SESSION_TIMEOUT_MINUTES", "45")
    shown = run("settings").stdout
    assert "hunter2" not in shown
    assert "EVENT_ASSETS_SESSION_TIMEOUT_MINUTES" in shown and "45" in shown


def test_the_settings_table_for_the_readme_names_every_variable() -> None:
    table = run("settings", "--markdown").stdout
    assert all(f"| `{variable}` |" in table for variable, _, _ in settings_table())
    assert table == markdown_settings(settings_table()) + "\n"


def test_the_stream_is_made_by_a_command_and_shown(home: Path) -> None:
    for _ in range(2):
        assert "takes records on 2 shards" in run("stream", "create").output
    shown = json.loads(run("stream", "show", "--json").stdout)
    assert [row["open"] for row in shown] == ["yes", "yes"]


def test_a_gap_is_passed_by_a_command_that_shows_it_first(home: Path) -> None:
    run("stream", "create")
    assert "There is no gap." in run("stream", "skip-gap").output
    stream = open_stream(Settings(home=home))
    shard = stream.shards()[0].shard_id
    stream.close()
    table = Lake(Storage(str(home / "lake"))).table("raw_events")
    lost = {shard: {"after": "9" * 56, "ended": False, "seen_at": None}}  # of a stream that was made anew
    table.commit(table.snapshot(), Progress(positions={"events": lost}))
    asked = CliRunner().invoke(app, ["stream", "skip-gap"], input="n\n")
    assert asked.exit_code == 1 and "were trimmed before they were read" in asked.output.replace("\n", " ")
    assert [row["shard"] for row in json.loads(run("stream", "skip-gap", "--yes", "--json").stdout)] == [shard]
    assert "There is no gap." in run("stream", "skip-gap").output


def test_a_warehouse_that_is_not_there_yet_cannot_be_put_to_the_proof() -> None:
    assert "There is no warehouse yet" in run("warehouse", "verify", status=1).stderr


def test_external_tables_are_redshifts_over_a_lake_in_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "over a lake in a bucket" in run("warehouse", "external-tables", status=2).stderr
    cluster = {
        "PROFILE": "aws",
        "STREAM_NAME": "events",
        "LAKE_URL": "s3://acme/lake",
        "WAREHOUSE_URL": "postgresql://me:hunter2@wh:5439/x",
    }
    for name, value in cluster.items():
        monkeypatch.setenv(f"EVENT_ASSETS_{name}", value)
    shown = run("warehouse", "external-tables", "--schema", "raw").stdout
    assert shown.count('CREATE EXTERNAL TABLE "raw".') == 2 and "LOCATION 's3://acme/lake/external/" in shown
    assert "hunter2" not in shown


def test_a_file_is_put_on_the_stream(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(EVENT) + "\nnot json\n")
    result = json.loads(run("import", str(file), "--json").stdout)
    assert (result["accepted"], result["aside"]) == (1, {"malformed_json": 1})
    stream = open_stream(Settings())
    assert sum(stream.has_records_after(shard.shard_id, None) for shard in stream.shards()) >= 1
    stream.close()


def test_an_archive_of_another_sdk_is_shown_first_and_then_put_on_the_stream(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "archive.ndjson"
    tracked = {"type": "track", "event": "signup", "messageId": "m1", "anonymousId": "a", "properties": {"plan": "pro"}}
    file.write_text(json.dumps(tracked | {"timestamp": "2024-05-01T10:00:00Z"}) + "\n17\n")
    shown = run("import", str(file), "--format", "segment", "--dry-run").stdout
    assert "signup" in shown and "not_an_object" in shown
    assert not (home / "stream.db").exists()
    result = json.loads(run("import", str(file), "--format", "segment", "--json").stdout)
    assert (result["accepted"], result["aside"]) == (1, {"not_an_object": 1})
    assert "exclude each other" in run("import", str(file), "--format", "ga4", "--mapping", "x.yaml", status=2).stderr


@pytest.mark.slow
def test_a_file_of_which_every_line_is_refused_fails_with_a_sentence(tmp_path: Path) -> None:
    file, out = tmp_path / "events.ndjson", tmp_path / "out"
    file.write_text("".join(f'{{"a": {n}}}\n' for n in range(1200)))
    for command in (("import", str(file)), ("model", str(file), "--out", str(out))):
        shown = " ".join(run(*command, status=1).stdout.split())
        assert "Not one of 1,200 lines is an event of the contract" in shown
    file.write_text(file.read_text() + json.dumps(EVENT) + "\n")
    assert "Not one" not in run("import", str(file)).stdout


def test_a_path_that_no_line_has_fails_an_import(tmp_path: Path) -> None:
    file, mapping = tmp_path / "events.ndjson", tmp_path / "mapping.yaml"
    file.write_text(json.dumps(EVENT) + "\n")
    mapping.write_text(
        "fields: {event_id: event_id, event: event, platform: {value: web}, anonymous_id: event_id, user_id: usr}"
    )
    shown = run("import", str(file), "--mapping", str(mapping), status=1).stdout
    assert "In no line: usr (for user_id)." in shown and "1 accepted" in shown
    assert "event_id (for event_id): in 1 of 1 lines" in shown


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    result = run("import", str(tmp_path / "absent.ndjson"), status=2)
    assert "absent.ndjson" in result.stderr
    assert "Traceback" not in result.output


def test_status_of_an_empty_home_says_how_to_start() -> None:
    assert "event-assets up" in run("status").stdout
    state = json.loads(run("status", "--json").stdout)
    assert state["stack"] is None
    assert state["settled"] is True


def test_status_names_the_shards_with_unread_records(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(EVENT) + "\n")
    run("import", str(file))
    state = json.loads(run("status", "--json").stdout)
    assert len(state["unread_shards"]) == 1
    assert state["settled"] is False


def test_a_password_is_never_part_of_a_shown_address() -> None:
    assert without_password("postgresql://me:hunter2@db:5432/x") == "postgresql://me@db:5432/x"
    assert without_password("postgresql://db/x") == "postgresql://db/x"


def test_simulate_without_a_stack_says_what_to_do() -> None:
    result = run("simulate", status=1)
    assert "Start one (event-assets up), or name an endpoint and a write key." in result.stderr


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        (["--rate", "duplicate"], 2, "write NAME=SHARE"),
        (["--rate", "duplicates=0.1"], 1, "duplicates: there is no such rate"),
        (["--anomaly", "meteor", "--endpoint", "http://127.0.0.1:1"], 1, "'meteor' is no anomaly"),
    ],
)
def test_simulate_refuses_what_cannot_be_made(options: list[str], status: int, sentence: str) -> None:
    assert sentence in run("simulate", *options, status=status).stderr


def test_simulate_sends_to_an_endpoint_and_prints_what_must_become_of_it(home: Path) -> None:
    settings = Settings(home=home, collector_ip_rate=0)
    key = WriteKeys.of(settings).create("site", "web")
    with serving(settings) as client:
        options = ["--endpoint", str(client.base_url), "--key", key, "--events", "200", "--seconds", "0.1"]
        summary = json.loads(run("simulate", *options, "--rate", "malformed=0.2", "--json").stdout)
        shown = run("simulate", *options, "--anomaly", "traffic_spike").stdout
    assert summary["sent"] == summary["acknowledged"] + sum(summary["rejected"].values())
    assert summary["rejected"]["malformed_json"] > 10
    assert "1 anomalies planted" in shown


@pytest.mark.parametrize("processes", ["0", "1,two", "", "1,"])
def test_stress_refuses_numbers_of_processes_that_are_none(processes: str) -> None:
    assert "write numbers of processes" in run("stress", "--processes", processes, status=2).stderr


def test_a_home_that_cannot_be_written_is_one_sentence(home: Path) -> None:
    home.mkdir()
    with read_only(home):
        for command in (["keys", "create", "shop", "--platform", "web"], ["up"]):
            told = run(*command, status=1).stderr.strip().splitlines()[-1]
            assert str(home) in told and "cannot be used (Read-only file system): give this user the right" in told


def test_a_full_disk_is_one_sentence(home: Path) -> None:
    with small_disk(home, "16k") as disk:
        (disk / "filler").write_bytes(b"x" * shutil.disk_usage(disk).free)
        told = run("keys", "create", "shop", "--platform", "web", status=1).stderr
        assert [path.name for path in disk.iterdir() if "new" in path.name] == []
    assert told.startswith(f"{home}/keys.json cannot be written (No space left on device): make room on its disk")


def test_a_damaged_table_is_named_by_whoever_looks_at_it(home: Path) -> None:
    table = Lake(Storage(str(home / "lake"))).table("raw_events")
    table.commit(table.snapshot(), Progress())
    (home / "lake" / "raw_events" / "_delta_log" / "00000000000000000001.json").write_text("{")
    told = run("status", status=1).stderr
    assert told.startswith(f"{home}/lake/raw_events/_delta_log is damaged") and "event-assets doctor" in told


def test_code_of_the_plan_is_written_and_what_a_new_one_breaks_is_named(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, rule in ((old, "{type: string}"), (new, "{type: string, required: true}")):
        folder.mkdir()
        (folder / "paid.yaml").write_text(f"event: Order Paid\nversions: {{1: {{properties: {{id: {rule}}}}}}}")
    run("plan", "codegen", "--language", "python", "--plan", str(new), "--output", str(tmp_path / "events.py"))
    assert "def order_paid(" in (tmp_path / "events.py").read_text()
    assert "export function orderPaid(" in run("plan", "codegen", "--language", "typescript", "--plan", str(new)).stdout
    assert "Nothing" in run("plan", "check", str(new), str(old)).stdout
    said = "Order Paid v1: the property id is required now"
    assert run("plan", "check", str(old), str(new), status=1).stdout == f"{said}\n"
    assert json.loads(run("plan", "check", str(old), str(new), "--json", status=1).stdout) == {"breaking": [said]}
    assert "no such folder" in run("plan", "check", str(old), str(tmp_path / "none"), status=1).stderr


def test_an_incident_is_shown_said_to_be_false_and_not_shown_any_more(home: Path) -> None:
    table = Lake(Storage(Settings(home=home).lake)).table(METRIC_INCIDENTS.name)
    base = table.snapshot()
    name = "2026-11-24/sessions/platform/ios"
    row = row_of(METRIC_INCIDENTS, incident_id=name, period="day", is_open=True, was_real=None, is_muted=False)
    rows = pa.Table.from_pylist([row], METRIC_INCIDENTS.arrow_schema())
    table.commit(base, base.progress, add=[table.stage_arrow(rows, "one", {})])
    assert [each["incident_id"] for each in json.loads(run("anomalies", "list", "--json").stdout)] == [name]
    unknown = run("anomalies", "feedback", name + "x", "false", status=1).output
    assert f"There is no incident '{name}x'" in unknown and name in unknown
    assert "more proof" in run("anomalies", "feedback", name, "false", "--note", "a test").stdout
    (said,) = [json.loads(path.read_bytes()) for path in (home / "lake" / "anomalies" / "said").iterdir()]
    assert said["feedback"] == {"incident": name, "was": False, "note": "a test"}
    assert "it must name a metric" in run("anomalies", "mute", status=1).output
    assert "There is no metric 'visits'" in run("anomalies", "mute", "--metric", "visits", status=1).output
    assert "until 2026-12-31" in run("anomalies", "mute", "--metric", "sessions", "--until", "2026-12-31").stdout
