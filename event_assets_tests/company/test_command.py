"""`event-assets company check` as a person types it: each fault is seen with its sentence, and by the exit status."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from event_assets.cli import app
from event_assets_tests.company.databases import YAML, Crm
from event_assets_tests.postgres import new_database

FRESH = "2100-01-01 10:00:00.000000"


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crm:
    """A CRM with two accounts, one of them changed of late."""
    made = Crm(tmp_path / "a")
    made.put(("a", "pro", 1, "2026-11-01 10:00:00.000000", None), ("b", "pro", 2, FRESH, None))
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EVENT_ASSETS_COMPANY_DIR", str(made.rules))
    monkeypatch.delenv("QUICKSIGHT_ACCOUNT", raising=False)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def run(*arguments: str, status: int) -> Result:
    result = CliRunner().invoke(app, ["company", "check", *arguments])
    assert result.exit_code == status, result.output
    return result


def tables(*arguments: str, status: int) -> dict[str, dict[str, Any]]:
    """What is told of each table."""
    return {each["table"]: each for each in json.loads(run("--json", *arguments, status=status).stdout)["tables"]}


def test_a_source_that_can_be_read_is_told_table_by_table_with_its_rows(crm: Crm) -> None:
    told = tables(status=0)
    assert [(name, each["rows"], each["fresh"], each["ok"]) for name, each in told.items()] == [
        ("accounts", 2, True, True),
        ("mirror", 2, None, True),
    ]
    shown = run("crm", status=0).stdout
    assert "accounts" in shown and "2100-01-01T10:00:00+00:00" in shown


def test_a_database_that_does_not_answer_is_not_reachable(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_URL", "postgresql://reader:hidden@127.0.0.1:1/crm")
    for each in tables(status=1).values():
        assert (each["reachable"], each["permitted"], each["rows"]) == (False, False, None)
        assert "connection to server" in each["fault"] and "hidden" not in each["fault"]
    monkeypatch.delenv("CRM_URL")
    told = tables(status=1)["accounts"]["fault"]
    assert told == "crm: the environment variable CRM_URL, which its file names, is not set"


def test_a_table_that_may_not_be_read_is_told_and_no_other_is_at_fault(
    crm: Crm, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database(postgres_url)
    with psycopg.connect(url, autocommit=True) as owner:
        columns = 'id text PRIMARY KEY, "planName" text, mrr float8, updated_at timestamptz, deleted_at timestamptz'
        owner.execute(f"CREATE TABLE accounts ({columns})".encode())
        owner.execute("CREATE TABLE plans (id text PRIMARY KEY)")
        owner.execute("DROP ROLE IF EXISTS crm_reader")
        owner.execute("CREATE ROLE crm_reader LOGIN PASSWORD 'hidden'")
        owner.execute("GRANT SELECT ON plans TO crm_reader")
    reader = sa.make_url(url).set(username="crm_reader", password="hidden")
    monkeypatch.setenv("CRM_URL", reader.render_as_string(hide_password=False))
    crm.say(YAML.replace("    table: accounts\n", "    table: plans\n"))
    try:
        told = tables(status=1)
        assert told["accounts"]["fault"] == "permission denied for table accounts"
        assert (told["accounts"]["reachable"], told["accounts"]["permitted"]) == (True, False)
        assert told["mirror"]["ok"] and told["mirror"]["rows"] == 0
    finally:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("DROP OWNED BY crm_reader")
            owner.execute("DROP ROLE crm_reader")


def test_rows_that_are_too_old_are_told_with_the_time_of_the_newest(crm: Crm) -> None:
    crm.sql("DELETE FROM accounts WHERE id = 'b'")
    told = tables(status=1)
    assert told["accounts"]["fault"] == "the newest row is of 2026-11-01 10:00 UTC; it may be 2 days old"
    assert (told["accounts"]["rows"], told["accounts"]["fresh"], told["mirror"]["ok"]) == (1, False, True)
    crm.sql("DELETE FROM accounts")
    told = tables(status=1)
    assert told["accounts"]["fault"] == "the newest row is not there; it may be 2 days old"
    assert (told["accounts"]["rows"], told["mirror"]["rows"]) == (0, 0)


def test_a_column_and_a_table_that_are_gone_are_told(crm: Crm) -> None:
    with sqlite3.connect(crm.path) as connection:
        connection.execute('ALTER TABLE accounts RENAME COLUMN "planName" TO tariff')
    connection.close()
    assert tables(status=1)["accounts"]["fault"] == "accounts has no column planName"
    crm.sql("DROP TABLE accounts")
    told = tables(status=1)
    assert {each["fault"] for each in told.values()} == {"there is no table accounts, or we may not see it"}


def test_a_source_that_nobody_has_and_a_file_that_is_none_are_sentences(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "There is no source 'erp'; there are crm." in run("erp", status=1).stderr
    crm.rules.joinpath("erp.yaml").write_text("kind: sql\nname: erp\n", encoding="utf-8")
    ended = run(status=1)
    assert "erp.yaml" in ended.stderr and "accounts" in ended.stdout
    monkeypatch.delenv("EVENT_ASSETS_COMPANY_DIR")
    assert "There is no source of company data" in run(status=0).stdout
