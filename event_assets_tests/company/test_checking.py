"""Checks of sources: what cannot be read is told by what is in the way, table by table."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from event_assets.company.checking import TableCheck, check_source
from event_assets.lake.storage import Storage
from event_assets.rules.company import COMPANY_FILE
from event_assets_tests.company.databases import FIRST, SECOND, YAML, Crm

NOW = dt.datetime(2026, 11, 3, 10, tzinfo=dt.UTC)


def check(text: str, folder: Path, environment: dict[str, str] | None = None) -> list[TableCheck]:
    path = folder / "source.yaml"
    path.write_text(text, encoding="utf-8")
    return check_source(COMPANY_FILE.read(path), Storage(str(folder / "lake")), environment or {}, NOW)


def test_a_database_tells_rows_and_freshness_of_each_table(tmp_path: Path) -> None:
    crm = Crm(tmp_path / "a")
    crm.put(("a", "pro", 1, FIRST, None), ("b", "pro", 1, SECOND, None))
    accounts, mirror = check(YAML, tmp_path, crm.environment)
    assert accounts.ok and accounts.as_dict() == {
        "source": "crm",
        "table": "accounts",
        "reachable": True,
        "permitted": True,
        "rows": 2,
        "fresh": True,
        "newest": "2026-11-02T10:00:00+00:00",
        "fault": "",
        "ok": True,
    }
    assert mirror.ok and (mirror.rows, mirror.newest, mirror.fresh) == (2, None, None)


def test_what_is_in_the_way_of_one_table_is_no_fault_of_another(tmp_path: Path) -> None:
    crm = Crm(tmp_path / "a")
    crm.put(("a", "pro", 1, "2026-10-01 10:00:00.000000", None))
    stale, mirror = check(YAML, tmp_path, crm.environment)
    assert stale.fault == "the newest row is of 2026-10-01 10:00 UTC; it may be 2 days old" and mirror.ok
    wrong = YAML.replace("plan: planName", "plan: tariff").replace("table: accounts", "table: invoices")
    renamed, missing = check(wrong, tmp_path, crm.environment)
    assert renamed.fault == "accounts has no column tariff" and renamed.permitted
    assert missing.fault == "there is no table invoices, or we may not see it" and missing.reachable


def test_a_database_that_is_not_there_is_not_reachable_and_its_secret_is_not_told(tmp_path: Path) -> None:
    for url in ("", "sqlite:////nowhere/secret.db", "postgresql://secret:secret@127.0.0.1:1/secret"):
        for found in check(YAML, tmp_path, {"CRM_URL": url}):
            assert not found.reachable and found.fault and "secret:secret" not in found.fault


def test_files_have_their_rows_counted_and_their_columns_looked_for(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "q-1.csv").write_text("region,quota\nnorth,1\nsouth,2\n")
    (tmp_path / "in" / "q-2.csv").write_text("region,quota\nwest,2.5\n")
    text = f"""
kind: files
name: sheets
folder: {tmp_path}/in
tables:
  - {{name: quotas, files: "q-*.csv", key: [region]}}
  - {{name: owners, files: "q-*.csv", key: [owner]}}
  - {{name: others, files: "*.parquet", key: [id]}}
"""
    quotas, owners, others = check(text, tmp_path)
    assert quotas.ok and quotas.rows == 3 and quotas.newest is not None
    assert owners.fault == "q-*.csv has no column owner"
    assert others.fault.endswith(f"there is no file {tmp_path}/in/*.parquet") and not others.reachable


def test_an_api_that_does_not_let_us_in_is_reachable_all_the_same(api: str, tmp_path: Path) -> None:
    text = f"""
kind: rest
name: billing
url: {api}
token: TOKEN
tables: [{{name: plans, path: plans, key: [id], records: data}}]
"""
    [open_] = check(text, tmp_path, {"TOKEN": "t0ken"})
    assert open_.ok and open_.reachable and open_.permitted
    [closed] = check(text, tmp_path, {"TOKEN": "other"})
    assert (closed.reachable, closed.permitted) == (True, False)
    assert closed.fault == f"{api}/plans answers 401 Unauthorized"
    [unset] = check(text, tmp_path)
    assert unset.fault == "billing: the environment variable TOKEN, which its file names, is not set"
