"""Company data as assets: one a table, checked, and joined to who is seen in events."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from event_assets.definitions import build_defs
from event_assets.settings import Settings
from event_assets_tests import engines
from event_assets_tests.company.databases import FIRST, SECOND, Crm
from event_assets_tests.defs.automation.ticks import tick
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.test_people import People

TABLES = [dg.AssetKey(["company", "crm", name]) for name in ("accounts", "mirror")]
MADE = [dg.AssetKey("person_attributes"), dg.AssetKey("companies")]


@pytest.mark.slow
def test_tables_are_loaded_checked_and_joined_and_what_did_not_change_is_not_made_again(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = Crm(tmp_path / "home")
    crm.put(("g", "pro", 10.5, FIRST, None), ("h", "free", 0, FIRST, SECOND))
    monkeypatch.setenv("CRM_URL", crm.environment["CRM_URL"])
    people = People(spark, tmp_path / "home" / "lake")
    people.change([enriched_event("group", at(5), anonymous_id="ann", group_id="g")])
    people.run()
    with engines.sail_server() as remote:
        definitions = build_defs(Settings(home=tmp_path / "home", spark_remote=remote))
        job = definitions.resolve_implicit_global_asset_job_def()
        done = job.execute_in_process(asset_selection=[*TABLES, *MADE])
        metadata = {
            event.asset_key: event.materialization.metadata for event in done.get_asset_materialization_events()
        }
        assert metadata[TABLES[0]]["rows_loaded"].value == metadata[TABLES[0]]["dagster/row_count"].value == 2
        checks = {(each.asset_key, each.check_name): each for each in done.get_asset_check_evaluations()}
        assert len(checks) == 4
        # The rows are older than the file lets them be, which stops nothing.
        assert [key for key, each in checks.items() if not each.passed] == [(TABLES[0], "source_answers")]
        assert "it may be 2 days old" in (checks[TABLES[0], "source_answers"].description or "")
        [attribute, other] = people.lake.table("person_attributes").snapshot().arrow().to_pylist()
        assert {attribute["person_id"], attribute["group_id"]} == {"ann", "g"}
        assert {attribute["attribute"]: attribute["text"], other["attribute"]: other["text"]} == {
            "plan": "pro",
            "mrr": "10.5",
        }
        [company] = people.lake.table("companies").snapshot().arrow().to_pylist()
        assert json.loads(company["attributes"]) == {"plan": "pro", "mrr": 10.5}
        assert (company["plan"], company["mrr"], company["members"]) == ("pro", 10.5, 1)
        before = people.lake.table("companies").snapshot().version
        job.execute_in_process(asset_selection=MADE)
        assert people.lake.table("companies").snapshot().version == before
        crm.put(("g", "team", 20, SECOND, None))
        job.execute_in_process(asset_selection=[TABLES[0], *MADE])
        [company] = people.lake.table("companies").snapshot().arrow().to_pylist()
        assert (company["plan"], company["mrr"]) == ("team", 20)
        crm.sql("ALTER TABLE accounts ADD COLUMN owner TEXT")
        failed = job.execute_in_process(asset_selection=TABLES, raise_on_error=False)
        assert not failed.success
        assert "crm.accounts: the source has a new column owner" in str(failed.all_events)


def test_a_source_is_asked_for_when_it_is_due_and_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = Crm(tmp_path / "home")
    definitions = build_defs(Settings(home=tmp_path / "home"))
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.delenv("CRM_URL", raising=False)
        silent = tick(definitions, instance, "company_data_sensor")
        assert silent.requests == [] and "CRM_URL, which its file names, is not set" in (silent.skipped or "")
        monkeypatch.setenv("CRM_URL", crm.environment["CRM_URL"])
        [request] = tick(definitions, instance, "company_data_sensor").requests
        assert request.tags["event_assets/company"] == "crm"
        assert {*TABLES, *MADE, dg.AssetKey(["warehouse", "dim_companies"])} <= set(request.asset_selection or ())
        run = instance.create_run_for_job(
            definitions.resolve_implicit_global_asset_job_def(), tags=request.tags, status=dg.DagsterRunStatus.SUCCESS
        )
        waits = tick(definitions, instance, "company_data_sensor")
        assert run.tags and waits.requests == [] and "crm: the next load is in" in (waits.skipped or "")


def test_a_file_that_cannot_be_used_and_an_extra_that_is_missing_are_seen_in_the_lineage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = Crm(tmp_path / "home")
    (crm.rules / "erp.yaml").write_text("{kind: sql, name: erp}")
    monkeypatch.setattr("event_assets.definitions.can_load", lambda: False)
    specs = {spec.key: spec for spec in build_defs(Settings(home=tmp_path / "home")).resolve_all_asset_specs()}
    assert "url: it is required" in (specs[dg.AssetKey(["company", "unusable", "erp"])].description or "")
    assert (specs[TABLES[0]].description or "").startswith("It cannot be loaded: install event-assets[company].")
