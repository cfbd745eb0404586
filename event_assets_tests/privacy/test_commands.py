"""Retention and legal holds as a user calls them: what the commands say, change and refuse."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from event_assets.audit import AuditLog
from event_assets.cli import app
from event_assets.contract.erasure import Owner
from event_assets.contract.tables.events import EVENT_LEDGER, QUARANTINED_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.lake.asked import Asked, keep_asked
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Progress
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules, read_tombstones
from event_assets.pipeline.registry import STEPS
from event_assets.settings import Settings
from event_assets_tests.factories import row_of

OLD, NEW = 300, 10
"""The day that is over and the one that is not, as days before today."""


def ago(days: int) -> str:
    return str(dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days))


def put(lake: Lake, spec: Table, days: dict[dt.date, list[dict[str, Any]]], progress: Progress) -> None:
    base, files = lake.table(spec.name).snapshot(), []
    for day, rows in days.items():
        partition = {name: str(row_of(spec, arrival_date=day)[name]) for name in spec.partition_by}
        made = pa.Table.from_pylist([row_of(spec, arrival_date=day, **row) for row in rows], spec.arrow_schema())
        files.append(base.table.stage_arrow(made, f"of-{day}", partition))
    base.table.commit(base, progress, files)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Events that could not be read, of a day that is over and of one that is not; what follows has taken in both."""
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path))
    lake = Lake(Storage(str(tmp_path / "lake")))
    days = [dt.date.fromisoformat(ago(days)) for days in (OLD, NEW)]
    lines = [
        {"data": b'{"user_id":"%b"' % user, "reason": "bad_json", "line": n} for n, user in enumerate((b"u1", b"u2"))
    ]
    put(lake, QUARANTINED_EVENTS, dict.fromkeys(days, lines), Progress())
    counted = lake.table(QUARANTINED_EVENTS.name).snapshot().consumed
    ledger = {day: [{"balanced": True}] for day in days}
    for step in STEPS:
        for table in step.tables if QUARANTINED_EVENTS in step.upstream else ():
            rows = ledger if table is EVENT_LEDGER else {}
            put(lake, table, rows, Progress().with_consumed(QUARANTINED_EVENTS.name, counted))
    return lake


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def told(*arguments: str) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def left(lake: Lake) -> dict[str, int]:
    rows = lake.table(QUARANTINED_EVENTS.name).snapshot().arrow(columns=("arrival_date",))["arrival_date"]
    return {str(each["values"]): each["counts"] for each in rows.value_counts().to_pylist()}


def test_a_plan_shows_what_would_go_and_apply_takes_it_away_once(lake: Lake) -> None:
    planned = told("retention", "plan")["tables"]["quarantined_events"]
    assert (planned["rows"], planned["first_day"], planned["last_day"]) == (2, ago(OLD), ago(OLD))
    shown = call("retention", "plan")
    assert shown.exit_code == 0 and "quarantined_events" in shown.stdout and ago(180) in shown.stdout
    assert left(lake) == {ago(OLD): 2, ago(NEW): 2}, "a plan changes nothing"
    done = told("retention", "apply")
    assert (done["tables"]["quarantined_events"]["rows"], done["is_done"]) == (2, True)
    assert left(lake) == {ago(NEW): 2}
    assert told("retention", "apply")["tables"]["quarantined_events"]["rows"] == 0
    assert [entry.action for entry in AuditLog(lake.storage).entries()] == ["retention_applied"]


def test_it_goes_by_the_file_that_is_named_and_a_fault_in_it_stops_it(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "retention.yaml"
    monkeypatch.setenv("EVENT_ASSETS_RETENTION_FILE", str(file))
    file.write_text("quarantine: 3\n")
    wrong = call("retention", "apply")
    assert wrong.exit_code == 1 and f"{file}" in wrong.stderr and "7" in wrong.stderr
    assert "Traceback" not in wrong.stderr and sum(left(lake).values()) == 4
    file.write_text("quarantine: keep\n")
    assert told("retention", "apply")["tables"] == {} and sum(left(lake).values()) == 4
    file.write_text("quarantine: 7\n")
    told("retention", "apply")
    assert left(lake) == {}


def test_what_is_not_counted_waits_and_says_so(lake: Lake) -> None:
    table = lake.table(EVENT_LEDGER.name)
    base = table.snapshot()
    table.commit(base, base.progress, (), base.files)
    [waits] = told("retention", "plan")["tables"]["quarantined_events"]["waits"]
    assert waits == f"the ledger has not counted {ago(OLD)}"
    assert told("retention", "apply")["tables"]["quarantined_events"]["rows"] == 0


def test_a_hold_is_added_listed_and_released_and_what_it_covers_stays_meanwhile(lake: Lake) -> None:
    assert call("privacy", "hold", "list").stdout == "Nothing is held.\n"
    days = ("--first-day", ago(OLD), "--last-day", ago(OLD))
    added = call("privacy", "hold", "add", "--why", "case 7", *days)
    assert added.exit_code == 0, added.stderr
    [hold] = told("privacy", "hold", "list")
    assert added.stdout == f"Hold {hold['id']} is in force.\n"
    assert (hold["why"], hold["first_day"], hold["released_at"]) == ("case 7", ago(OLD), "")
    assert "case 7" in call("privacy", "hold", "list").stdout
    told("retention", "apply")
    assert left(lake) == {ago(OLD): 2, ago(NEW): 2}
    released = call("privacy", "hold", "release", hold["id"])
    assert (released.exit_code, released.stdout) == (0, f"Hold {hold['id']} is released.\n")
    [hold] = told("privacy", "hold", "list")
    assert hold["released_at"]
    told("retention", "apply")
    assert left(lake) == {ago(NEW): 2}
    actions = [entry.action for entry in AuditLog(lake.storage).entries()]
    assert actions == ["hold_added", "hold_released", "retention_applied"]


def test_a_request_of_whom_is_held_says_so_in_the_list_and_is_open_again_after_the_release(lake: Lake) -> None:
    named = ("--user-id", "u1")
    assert call("privacy", "erase", *named).exit_code == 0
    assert told("privacy", "requests")[0]["state"] == "open"
    added = call("privacy", "hold", "add", "--why", "case 8", *named)
    assert added.exit_code == 0 and "1 requests for erasure wait." in added.stdout, added.stderr
    [request] = told("privacy", "requests")
    assert request["state"] == "held" and "case 8" in request["note"]
    [hold] = told("privacy", "hold", "list")
    assert call("privacy", "hold", "release", hold["id"]).exit_code == 0
    assert told("privacy", "requests")[0]["state"] == "open"


def test_requests_of_another_system_are_worked_off_where_nobody_ever_asked_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path))
    storage, now = Storage(str(tmp_path / "lake")), dt.datetime.now(dt.UTC)
    for number in range(5):
        keep_asked(storage, Asked(f"request-{number}", "erasure", now, now, "support", users=(f"u{number}",)))
    assert told("privacy", "run")["state"] == "done"
    [receipt] = (tmp_path / "lake" / "privacy" / "receipts").iterdir()
    assert call("privacy", "verify-receipt", str(receipt)).exit_code == 0, "by the key that the first request made"
    erased = read_tombstones(storage, ErasureRules.of(Settings(home=tmp_path)))
    assert all(erased.is_erased(Owner(f"u{number}", None, now)) for number in range(5))


def test_receipts_and_hashes_that_were_kept_tell_that_the_audit_log_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("EVENT_ASSETS_AUDIT_ANCHOR_URL", str(tmp_path / "anchor"))
    assert call("privacy", "erase", "--user-id", "u1").exit_code == 0
    assert told("privacy", "run")["state"] == "done"
    printed = call("audit", "verify").stdout
    assert printed.startswith("2 entries, the newest ")
    assert len(list((tmp_path / "anchor").iterdir())) == 2, "commands and runs name what they enter"
    [receipt] = (tmp_path / "lake" / "privacy" / "receipts").iterdir()
    kept = receipt.rename(tmp_path / "receipt.json")
    for folder in ("lake/audit", "anchor"):
        shutil.rmtree(tmp_path / folder)
    assert call("audit", "verify").exit_code == 0, "nothing that is there tells of it"
    named = ("--receipt", str(kept)), ("--kept", printed.split()[-1])
    for arguments, by in zip(named, (f"the receipt {kept}", "what was kept"), strict=True):
        verified = call("audit", "verify", *arguments)
        assert verified.exit_code == 1 and f"not the one that {by} names" in verified.stderr
    forged = tmp_path / "forged.json"
    forged.write_text(kept.read_text().replace('"entries": 1', '"entries": 2'))
    assert call("audit", "verify", "--receipt", str(forged)).exit_code == 2
    kept.rename(receipt)
    assert f"the receipt {receipt.stem} names" in call("audit", "verify").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "--why", "case 7"), "A hold is of people, apps or days"),
        (("add", "--why", " ", "--app", "shop"), "A hold says why"),
        (("add", "--why", "case 7", "--first-day", "2026-01-01"), "name both"),
        (("add", "--why", "7", "--first-day", "2026-01-02", "--last-day", "2026-01-01"), "before they begin"),
        (("add", "--why", "case 7", "--email", "no@body.example"), "Nobody is known by this."),
        (("release", "no-such-hold"), "There is no hold 'no-such-hold' in force; there are none."),
    ],
)
def test_what_cannot_be_held_or_released_is_one_sentence(lake: Lake, arguments: tuple[str, ...], said: str) -> None:
    result = call("privacy", "hold", *arguments)
    assert result.exit_code == 2 and result.stdout == ""
    assert said in " ".join(result.stderr.replace("│", " ").split()) and "Traceback" not in result.stderr
    assert told("privacy", "hold", "list") == []
