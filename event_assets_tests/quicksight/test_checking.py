"""Company data as QuickSight has it: what is missing, what could not be made, whose rows did not come."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.quicksight.checking import DataSetCheck, check_tables
from event_assets.quicksight.kinds import DATA_SET, DATA_SOURCE, FOLDER
from event_assets.quicksight.resources import Wanted, wanted
from event_assets.quicksight.service import Service
from event_assets.quicksight.target import QuickSightError, Target
from event_assets.rules.dashboard import dashboard_of
from event_assets.settings import Settings
from event_assets_tests.company.databases import SECOND, Crm
from event_assets_tests.quicksight.fake_quicksight import FakeQuickSight

COMPANIES = ("dim_companies", "dim_person_attributes")
FAILED = {"IngestionStatus": "FAILED", "ErrorInfo": {"Type": "SOURCE_TIMEOUT", "Message": "no answer in time"}}
COPIED = {"IngestionStatus": "COMPLETED", "RowInfo": {"RowsIngested": 7, "RowsDropped": 0}}


def wanted_of(target: Target) -> Wanted:
    """The shipped page of companies."""
    shipped = dashboard_of(Settings().dashboards)
    page = shipped.page("companies")
    assert page is not None
    return wanted(shipped.model_copy(update={"pages": (page,)}), {}, target)


def make(service: Service, everything: Wanted) -> None:
    """The folder, the data source, the data set."""
    for each in everything.resources:
        if each.key.kind in (FOLDER, DATA_SOURCE, DATA_SET):
            service.create(each)


def checked(quicksight: FakeQuickSight, target: Target) -> list[DataSetCheck]:
    return check_tables(Service(target, client=quicksight.client), wanted_of(target), COMPANIES)


def test_a_data_set_is_missing_then_copied_then_fails_to_be_and_each_is_told(
    quicksight: FakeQuickSight, target: Target
) -> None:
    source, companies = checked(quicksight, target)
    assert source.fault == "there is no data source ea-web: event-assets quicksight apply makes it"
    assert companies.fault == "there is no data set ea-web-companies: event-assets quicksight apply makes it"
    assert (companies.table, companies.exists) == ("dim_companies", False)

    service = Service(target, pause=lambda seconds: None, client=quicksight.client)
    quicksight.ingestion = COPIED
    make(service, wanted_of(target))
    source, companies = checked(quicksight, target)
    assert source.ok and source.exists and source.ingestion is None
    assert companies.ok and (companies.ingestion, companies.rows) == ("COMPLETED", 7)
    assert companies.as_dict()["copied_at"] == "1970-01-01T00:00:00+00:00"

    copies = quicksight.ingestions["ea-web-companies"]
    copies.append(FAILED)
    _, companies = checked(quicksight, target)
    told = "the copy of 1970-01-01 00:00 UTC is FAILED. AWS says: SOURCE_TIMEOUT no answer in time"
    assert companies.exists and companies.fault == told
    copies.append({"IngestionStatus": "RUNNING"})
    assert [each.ok for each in checked(quicksight, target)] == [True, True]
    copies.append(COPIED)
    assert [each.ok for each in checked(quicksight, target)] == [True, True]
    copies.clear()
    assert checked(quicksight, target)[1].fault == "the rows of data set ea-web-companies were never copied"
    asking = replace(target, import_mode="DIRECT_QUERY")
    assert checked(quicksight, asking)[1].ok


def test_a_data_source_that_aws_could_not_make_is_told(quicksight: FakeQuickSight, target: Target) -> None:
    quicksight.fails["DataSource"] = [{"Type": "CONNECTION_FAILURE", "Message": "no route"}]
    with pytest.raises(QuickSightError, match="no route"):
        make(Service(target, pause=lambda seconds: None, client=quicksight.client), wanted_of(target))
    source, _ = checked(quicksight, target)
    assert source.exists
    assert source.fault == "data source ea-web is CREATION_FAILED: event-assets quicksight apply makes it again"


def test_a_dashboard_that_shows_no_company_needs_nothing(quicksight: FakeQuickSight, target: Target) -> None:
    assert check_tables(Service(target, client=quicksight.client), wanted_of(target), ("fct_events",)) == []
    assert quicksight.calls == []


def test_the_check_of_company_data_has_it_beside_the_sources_and_fails_by_it(
    quicksight: FakeQuickSight, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = Crm(tmp_path_factory.mktemp("crm"))
    crm.say(crm.rules.joinpath("crm.yaml").read_text(encoding="utf-8").replace("fresh_within: 2 days", ""))
    crm.put(("a", "pro", 1, SECOND, None))
    given = {
        "EVENT_ASSETS_HOME": str(crm.rules.parent / "home"),
        "EVENT_ASSETS_COMPANY_DIR": str(crm.rules),
        "EVENT_ASSETS_WAREHOUSE_KIND": "redshift",
        "EVENT_ASSETS_WAREHOUSE_URL": "redshift://reader:secret@wh.example/warehouse",
        "QUICKSIGHT_ACCOUNT": "123456789012",
        "QUICKSIGHT_REGION": "eu-central-1",
        **crm.environment,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    ended = CliRunner().invoke(app, ["company", "check", "--json"])
    answer = json.loads(ended.stdout)
    assert ended.exit_code == 1 and [each["ok"] for each in answer["tables"]] == [True, True]
    assert [each["fault"] for each in answer["quicksight"]] == [
        "there is no data source event-assets-web_analytics: event-assets quicksight apply makes it",
        "there is no data set event-assets-web_analytics-companies: event-assets quicksight apply makes it",
    ]
    monkeypatch.delenv("QUICKSIGHT_ACCOUNT")
    ended = CliRunner().invoke(app, ["company", "check", "--json"])
    assert ended.exit_code == 0 and json.loads(ended.stdout)["quicksight"] == []
