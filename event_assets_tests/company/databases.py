"""A small database of a CRM, and the source that it is. No tests here."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from event_assets.company.loading import load
from event_assets.lake.storage import Storage
from event_assets.pipeline.company import company_table
from event_assets.rules.company import CompanyData, CompanySource

YAML = """
kind: sql
name: crm
url: CRM_URL
tables:
  - name: accounts
    key: [id]
    cursor: updated_at
    deleted: deleted_at
    fresh_within: 2 days
    describes: {group_id: id}
    attributes: {plan: planName, mrr: mrr}
  - name: mirror
    table: accounts
    key: [id]
"""
FIRST, SECOND, THIRD = (f"2026-11-0{day} 10:00:00.000000" for day in (1, 2, 3))


class Crm:
    """A CRM in a folder, with a lake beside it. Rows are id, planName, mrr, updated_at, deleted_at."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "crm.db"
        self.environment = {"CRM_URL": f"sqlite:///{self.path}"}
        self.storage = Storage(str(folder / "lake"))
        self.rules = folder / "company"
        self.rules.mkdir()
        self.say(YAML)
        self.sql(
            "CREATE TABLE accounts (id TEXT PRIMARY KEY, planName TEXT, mrr REAL, updated_at TIMESTAMP, "
            "deleted_at TIMESTAMP)"
        )

    def say(self, text: str) -> None:
        (self.rules / "crm.yaml").write_text(text, encoding="utf-8")

    @property
    def source(self) -> CompanySource:
        data = CompanyData.load(self.rules)
        assert data.faults == {}
        return data.usable[0]

    def sql(self, *statements: str) -> None:
        with sqlite3.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def put(self, *rows: Sequence[Any]) -> None:
        with sqlite3.connect(self.path) as connection:
            connection.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)", rows)
        connection.close()

    def load(self, **how: Any) -> dict[str, int]:
        return load(self.source, self.storage, self.environment, **how)

    def plans(self, table: str = "accounts") -> dict[str, str]:
        """The plan of each account, as the lake has it."""
        rows = company_table(self.storage, "crm", table).arrow(["id", "planName"]).to_pylist()
        plans = {row["id"]: row["planName"] for row in rows}
        assert len(plans) == len(rows)
        return plans
