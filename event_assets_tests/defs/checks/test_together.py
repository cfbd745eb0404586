"""All checks in one step say what they say one by one, and Dagster keeps little else of it."""

from __future__ import annotations

import inspect
from pathlib import Path

import dagster as dg
import pytest

from event_assets.contract.tables.events import EVENT_LEDGER
from event_assets.definitions import build_defs
from event_assets.defs.checks.attribution import ATTRIBUTION_CHECKS
from event_assets.defs.checks.events import EVENT_CHECKS, books_balance, days_are_fresh
from event_assets.defs.checks.together import checks_job, function_of
from event_assets.defs.checks.warehouse import WAREHOUSE_CHECKS
from event_assets.defs.resources.lake import LakeResource
from event_assets.settings import Settings
from event_assets_tests.defs.checks.test_checks import hour, keep

KEPT_OF_A_CHECK = {dg.DagsterEventType.ASSET_CHECK_EVALUATION}
OTHERS = 20
"""Events of a run of one step, whatever it does."""


def checked(settings: Settings, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    definitions = build_defs(settings)
    job = checks_job("few_checks", [books_balance, days_are_fresh])
    return (
        dg.Definitions.merge(dg.Definitions(jobs=[job], resources=definitions.resources))
        .resolve_job_def("few_checks")
        .execute_in_process(instance=instance, raise_on_error=False)
    )


def test_each_check_has_its_evaluation_and_no_step(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    keep(LakeResource.of(settings), hour(1, landed=3, clean=3, enriched=3))
    with dg.DagsterInstance.ephemeral() as instance:
        result = checked(settings, instance)
        assert result.success
        found = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
        assert found == {"books_balance": True, "days_are_fresh": True}
        events = [each.dagster_event.event_type for each in instance.all_logs(result.run_id) if each.dagster_event]
        assert sum(event in KEPT_OF_A_CHECK for event in events) == 2 and len(events) <= 2 + OTHERS
        for check in (books_balance, days_are_fresh):
            records = instance.event_log_storage.get_asset_check_execution_history(check.check_key, limit=2)
            assert [record.run_id for record in records] == [result.run_id]


def test_what_does_not_pass_fails_the_run_where_it_blocks_and_the_others_are_made(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    keep(LakeResource.of(settings), hour(1, landed=3, clean=2, balanced=False))
    with dg.DagsterInstance.ephemeral() as instance:
        result = checked(settings, instance)
        assert not result.success
        found = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
        assert found == {"books_balance": False, "days_are_fresh": True}


def test_a_check_that_cannot_be_made_fails_the_run_and_not_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    keep(LakeResource.of(settings), hour(1, landed=3, clean=3, enriched=3))
    folder = LakeResource.of(settings).open().storage.path(f"{EVENT_LEDGER.name}/_delta_log")
    for file in Path(folder).glob("*.json"):
        file.write_text("no log")
    with dg.DagsterInstance.ephemeral() as instance:
        result = checked(settings, instance)
        assert not result.success
        assert [each.check_name for each in result.get_asset_check_evaluations()] == ["days_are_fresh"]


def test_every_check_takes_only_what_the_step_has() -> None:
    taken = {"context", "lake", "spark", "rules", "warehouse"}
    for check in (*EVENT_CHECKS, *ATTRIBUTION_CHECKS, *WAREHOUSE_CHECKS):
        assert taken.issuperset(inspect.signature(function_of(check)).parameters), check.check_key
