"""The made-up CRM and billing are databases of a real server, which the files beside them describe."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import psycopg
import pytest

from event_assets.company.checking import check_source
from event_assets.company.loading import load
from event_assets.lake.storage import Storage
from event_assets.pipeline.company import company_table
from event_assets.rules.company import CompanyData
from event_assets.simulator.company.databases import CONTACTS, SOURCES, describe_sources, make_databases
from event_assets.simulator.visits import COMPANIES

NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


@pytest.mark.slow
def test_they_are_made_twice_checked_and_loaded(postgres_url: str, tmp_path: Path) -> None:
    make_databases(postgres_url, 7, NOW)
    make_databases(postgres_url, 7, NOW)
    describe_sources(tmp_path / "company")
    data, storage = CompanyData.load(tmp_path / "company"), Storage(str(tmp_path / "lake"))
    assert data.faults == {} and [source.name for source in data.usable] == sorted(SOURCES)
    environment = {"EVENT_ASSETS_WAREHOUSE_URL": postgres_url}
    found = {check.table: check for source in data.usable for check in check_source(source, storage, environment, NOW)}
    assert [check.fault for check in found.values()] == [""] * 3
    assert (found["accounts"].rows, found["contacts"].rows) == (COMPANIES, CONTACTS)
    assert found["accounts"].newest == NOW - dt.timedelta(hours=1)
    for source in data.usable:
        load(source, storage, environment)
    rows = company_table(storage, "billing", "subscriptions").arrow().to_pylist()
    assert len(rows) == found["subscriptions"].rows and {row["plan"] for row in rows} <= {
        *("free", "starter", "team", "enterprise")
    }
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in SOURCES:
            connection.execute(f"DROP DATABASE {name}".encode())
