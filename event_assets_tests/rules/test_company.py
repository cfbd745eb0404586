"""Sources of company data: what a file may say, and what is said of one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.rules.company import COMPANY_FILE, CompanyData
from event_assets.rules.rule_files import RuleError

CRM = """
kind: sql
name: crm
url: CRM_URL
schema: public
every: 15 minutes
tables:
  - name: accounts
    table: Account
    key: [id]
    cursor: updated_at
    deleted: deleted_at
    columns: evolve
    fresh_within: 2 days
    describes: {group_id: id}
    attributes: {plan: plan, mrr: {column: amount, combine: sum}}
"""
FILES = """
kind: files
name: sheets
folder: s3://bucket/exports
tables:
  - {name: quotas, files: "quotas-*.csv", key: [region]}
"""
API = """
kind: rest
name: billing
url: https://billing.example.com/v1
token: BILLING_TOKEN
pages: page_number
tables:
  - name: plans
    path: plans
    records: data
    key: [id]
    cursor: updated
    cursor_parameter: since
    parameters: {limit: 50}
"""
FAULTS = [
    (
        "kind: sql",
        "kind: sq",
        "2: company crm: kind: it is 'sq', did you mean sql?; it must be one of sql, files, rest",
    ),
    ("url: CRM_URL", "url: postgresql://me:secret@host/db", "4: company crm: url: String should match pattern"),
    ("cursor: updated_at", "curser: updated_at", "11: company crm: tables[0].curser: there is no such field, did you"),
    ("{group_id: id}", "{group_id: id, email: mail}", "it has group_id and email; say one of group_id, user_id, email"),
    ("    describes: {group_id: id}\n", "", "attributes need describes: whom the rows are about"),
    ("    cursor: updated_at\n", "", "it needs a cursor, whose greatest value tells how fresh the rows are"),
    ("every: 15 minutes", "every: often", "6: company crm: every: it must be a number of seconds, minutes, hours"),
    ("    table: Account\n", "    only: [id, updated_at, deleted_at, plan]\n", "it leaves amount out, which is needed"),
]


def read(text: str, folder: Path, name: str = "crm") -> CompanyData:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return CompanyData.load(folder)


def test_a_source_of_each_kind_is_read(tmp_path: Path) -> None:
    for name, text in (("crm", CRM), ("sheets", FILES), ("billing", API)):
        data = read(text, tmp_path, name)
    assert data.faults == {} and [source.name for source in data.usable] == ["billing", "crm", "sheets"]
    accounts = data.usable[1].tables[0]
    assert accounts.wanted == ("id", "plan", "amount", "updated_at", "deleted_at")
    assert [table.deletes for source in data.usable for table in source.tables] == [
        "deleted rows stay until all rows are read again (rebuild)",
        "rows that deleted_at marks go when they are read",
        "all rows are read each time, so deleted rows go with the next load",
    ]


@pytest.mark.parametrize(("right", "wrong", "words"), FAULTS)
def test_a_fault_has_its_file_and_line_its_place_and_the_way_out(
    right: str, wrong: str, words: str, tmp_path: Path
) -> None:
    assert right in CRM
    fault = read(CRM.replace(right, wrong), tmp_path).faults["crm"]
    assert fault.startswith(f"{tmp_path}/crm.yaml:") and words in fault


def test_a_secret_that_stands_in_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text(CRM.replace("CRM_URL", "postgresql://me:secret@host/db"), encoding="utf-8")
    with pytest.raises(RuleError, match="url"):
        COMPANY_FILE.read(tmp_path / "crm.yaml")


def test_one_attribute_has_one_table_that_gives_it(tmp_path: Path) -> None:
    read(CRM, tmp_path)
    data = read(CRM.replace("name: crm", "name: erp"), tmp_path, "erp")
    assert [source.name for source in data.usable] == ["crm"]
    assert data.faults["erp"].endswith("the attribute 'plan' of accounts is given by crm.accounts; call it otherwise")


def test_what_is_said_of_whom_has_a_digest_that_words_do_not_change(tmp_path: Path) -> None:
    first = read(CRM, tmp_path).digest
    assert read(CRM.replace("every: 15 minutes", "every: 1 day"), tmp_path).digest == first
    assert read(CRM.replace("plan: plan", "plan: tariff"), tmp_path).digest != first
