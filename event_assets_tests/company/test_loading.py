"""Loads of company data: what is in the lake is what the source has, by cursor or whole, whenever it is cut off."""

from __future__ import annotations

import uuid
from pathlib import Path

import boto3
import pytest

from event_assets.company.connecting import CompanyError
from event_assets.company.loading import load
from event_assets.lake.storage import Storage
from event_assets.pipeline.company import company_table
from event_assets.rules.company import CompanyData
from event_assets_tests.company.apis import Api
from event_assets_tests.company.databases import FIRST, SECOND, THIRD, YAML, Crm

pytestmark = pytest.mark.slow


@pytest.fixture(params=["folder", "bucket"])
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Crm:
    """One with a lake in a folder, and one with a lake in a bucket."""
    crm = Crm(tmp_path / "a")
    if request.param == "bucket":
        endpoint, name = request.getfixturevalue("s3_emulator"), f"company-{uuid.uuid4().hex}"
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=name)
        crm.storage = Storage(f"s3://{name}/lake", endpoint=endpoint)
    crm.put(("a", "pro", 10.5, FIRST, None), ("b", "free", 0, FIRST, None))
    return crm


def test_rows_that_changed_or_came_with_the_very_last_value_of_the_cursor_are_not_missed(crm: Crm) -> None:
    assert crm.load() == {"accounts": 2, "mirror": 2}
    crm.put(("a", "team", 12, FIRST, None), ("c", "pro", 5, FIRST, None), ("d", "pro", 1, SECOND, None))
    assert crm.load(only=["accounts"]) == {"accounts": 4}
    assert crm.plans() == {"a": "team", "b": "free", "c": "pro", "d": "pro"}
    assert crm.load(only=["accounts"]) == {"accounts": 1} and len(crm.plans()) == 4


def test_rows_that_are_deleted_go_by_their_mark_or_when_all_rows_are_read(crm: Crm) -> None:
    crm.load()
    crm.put(("b", "free", 0, SECOND, THIRD), ("c", "pro", 5, SECOND, None))
    crm.load()
    assert crm.plans() == {"a": "pro", "c": "pro"}
    crm.sql("DELETE FROM accounts WHERE id = 'a'")
    crm.load()
    assert set(crm.plans()) == {"a", "c"} and set(crm.plans("mirror")) == {"b", "c"}
    crm.load(rebuild=True)
    assert set(crm.plans()) == {"b", "c"}, "those that are marked stand, and say nothing"
    crm.sql("DELETE FROM accounts")
    crm.load(rebuild=True)
    assert crm.plans() == crm.plans("mirror") == {}


def test_a_column_that_is_new_stops_a_load_in_one_sentence_until_it_is_let_in(crm: Crm) -> None:
    crm.load()
    crm.sql("ALTER TABLE accounts ADD COLUMN owner TEXT")
    version = company_table(crm.storage, "crm", "accounts").consumed
    with pytest.raises(CompanyError) as refused:
        crm.load()
    assert str(refused.value).startswith("crm.accounts: the source has a new column owner, and columns are frozen; say")
    assert company_table(crm.storage, "crm", "accounts").consumed == version
    crm.say(YAML.replace("    key: [id]", "    key: [id]\n    columns: evolve"))
    crm.load()
    assert "owner" in company_table(crm.storage, "crm", "accounts").columns


def test_what_cannot_be_reached_is_said_without_its_secrets(crm: Crm) -> None:
    for environment, words in (
        ({}, "crm: the environment variable CRM_URL, which its file names, is not set"),
        ({"CRM_URL": "no address, but a secret"}, "crm: what CRM_URL holds is no SQLAlchemy URL"),
        ({"CRM_URL": "sqlite:////nowhere/secret.db"}, "crm: it could not be loaded (OperationalError: unable to open"),
    ):
        crm.environment = environment
        with pytest.raises(CompanyError) as refused:
            crm.load()
        assert str(refused.value).startswith(words) and "secret" not in str(refused.value)


def test_files_and_an_api_are_loaded_like_tables(tmp_path: Path, api: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "q-1.csv").write_text("region,quota\nnorth,1\n")
    (tmp_path / "in" / "q-2.csv").write_text("region,quota\nwest,2.5\n")
    quotas = '{name: quotas, files: "q-*.csv", key: [region]}'
    (tmp_path / "sheets.yaml").write_text(f"{{kind: files, name: sheets, folder: {tmp_path}/in, tables: [{quotas}]}}")
    (tmp_path / "plans.yaml").write_text(
        f"{{kind: rest, name: billing, url: '{api}', token: TOKEN, pages: single_page, tables: "
        "[{name: plans, path: plans, key: [id], records: data, cursor: updated}]}"
    )
    data, storage = CompanyData.load(tmp_path), Storage(str(tmp_path / "lake"))
    billing, sheets = data.usable
    assert load(sheets, storage, {}) == {"quotas": 2}
    rows = company_table(storage, "sheets", "quotas").arrow().to_pylist()
    assert {row["region"]: row["quota"] for row in rows} == {"north": 1.0, "west": 2.5}
    Api.rows = [{"id": "p1", "price": 9, "updated": 1, "terms": {"seats": [1, 2]}}]
    load(billing, storage, {"TOKEN": "t0ken"})
    Api.rows = [{"id": "p1", "price": 10, "updated": 1}, {"id": "p2", "price": 5, "updated": 2}]
    load(billing, storage, {"TOKEN": "t0ken"})
    plans = company_table(storage, "billing", "plans").arrow(["id", "price"]).to_pylist()
    assert {row["id"]: row["price"] for row in plans} == {"p1": 10, "p2": 5}
    with pytest.raises(CompanyError) as refused:
        load(billing, storage, {"TOKEN": "other"})
    assert "401" in str(refused.value) and "other" not in str(refused.value)
