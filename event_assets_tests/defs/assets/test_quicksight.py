"""QuickSight's data sets as assets: copied when they are materialised, downstream of the warehouse's tables."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from event_assets.definitions import build_defs
from event_assets.defs.assets.quicksight import data_sets_asset
from event_assets.defs.automation.quicksight import ingestion_schedules
from event_assets.quicksight.changes import apply, plan
from event_assets.quicksight.installation import Installation
from event_assets.quicksight.service import Service
from event_assets.settings import Settings, load_settings
from event_assets_tests.quicksight.conftest import answering, quicksight
from event_assets_tests.quicksight.fake_quicksight import FakeQuickSight

__all__ = ["answering", "quicksight"]
ACCOUNT = Installation(account="123456789012", region="eu-central-1")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    every_kind = (Path(__file__).parents[2] / "quicksight" / "every_kind.yaml").read_text(encoding="utf-8")
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "dashboards" / "mine.yaml").write_text(every_kind.partition("  - id: analyses")[0], encoding="utf-8")
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_KIND", "redshift")
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_URL", "redshift://reader:secret@wh.example/warehouse")
    monkeypatch.setenv("EVENT_ASSETS_DASHBOARDS_DIR", str(tmp_path / "dashboards"))
    return load_settings(home=tmp_path / "home")


def make_all(settings: Settings) -> None:
    service = Service.of(ACCOUNT.target(settings), pause=lambda seconds: None)
    apply(service, plan(service, ACCOUNT.wanted(settings).resources), lambda line: None)


def test_each_data_set_is_downstream_of_its_table_and_is_copied(settings: Settings, quicksight: FakeQuickSight) -> None:
    make_all(settings)
    quicksight.ingestion |= {"RowInfo": {"RowsIngested": 12, "RowsDropped": 1}}
    asset = data_sets_asset(ACCOUNT, settings)
    for spec in asset.specs:
        [upstream] = [dep.asset_key for dep in spec.deps]
        assert upstream.path[0] == "warehouse" and f'."{upstream.path[1]}"' in str(spec.metadata["statement"].value)
    done = dg.materialize([asset])
    copied = {event.asset_key: event.materialization.metadata for event in done.get_asset_materialization_events()}
    assert set(copied) == set(asset.keys) and len(copied) > 1
    assert {(each["dagster/row_count"].value, each["rows_dropped"].value) for each in copied.values()} == {(12, 1)}
    named = set(quicksight.named("CreateIngestion"))
    assert named == {f"CreateIngestion {spec.metadata['data_set_id']}" for spec in asset.specs}


def test_what_aws_cannot_copy_stops_no_other_and_says_what_aws_says(
    settings: Settings, quicksight: FakeQuickSight
) -> None:
    make_all(settings)
    asset = data_sets_asset(ACCOUNT, settings)
    first, *others = sorted(asset.keys)
    del quicksight.things["DataSet"][next(s.metadata["data_set_id"] for s in asset.specs if s.key == first)]
    done = dg.materialize([asset], raise_on_error=False)
    assert {event.asset_key for event in done.get_asset_materialization_events()} == set(others)
    [failed] = done.get_step_failure_events()
    assert "Run event-assets quicksight apply first" in str(failed.step_failure_data.user_failure_data)


@pytest.mark.parametrize(("by", "schedules"), [("quicksight", []), ("dagster", ["30 4 * * *"])])
def test_they_are_copied_by_one_schedule(settings: Settings, by: str, schedules: list[str]) -> None:
    installation = Installation(account="123456789012", refresh_by=by, refresh_at="04:30")
    made = ingestion_schedules(installation, data_sets_asset(installation, settings))
    assert [each.cron_schedule for each in made] == schedules
    of_aws = [each for each in installation.wanted(settings).resources if each.key.kind.name == "RefreshSchedule"]
    assert bool(of_aws) is not bool(schedules)


def test_definitions_have_them_where_variables_name_an_account(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUICKSIGHT_ACCOUNT", "123456789012")
    monkeypatch.setenv("QUICKSIGHT_REFRESH_BY", "dagster")
    defs = build_defs(settings)
    assert any(key.path[0] == "quicksight" for key in defs.resolve_all_asset_keys())
    assert "quicksight_daily" in {schedule.name for schedule in defs.schedules or ()}


def test_an_account_beside_another_warehouse_is_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("QUICKSIGHT_ACCOUNT", "123456789012")
    defs = build_defs(load_settings(home=tmp_path / "home"))
    assert not any(key.path[0] == "quicksight" for key in defs.resolve_all_asset_keys())
    assert "QuickSight reads Amazon Redshift" in caplog.text
