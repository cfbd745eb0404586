"""The command: what it prints of a plan, what it does, what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from event_assets.cli import app
from event_assets_tests.quicksight.fake_quicksight import FakeQuickSight

OPTIONS = ("--account", "123456789012", "--region", "eu-central-1", "--mode", "direct")


@pytest.fixture(autouse=True)
def redshift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(__file__).parent
    (tmp_path / "dashboards").mkdir()
    kept = (here / "every_kind.yaml").read_text(encoding="utf-8").partition("  - id: analyses")[0]
    (tmp_path / "dashboards" / "mine.yaml").write_text(kept, encoding="utf-8")
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EVENT_ASSETS_DASHBOARDS_DIR", str(tmp_path / "dashboards"))
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_KIND", "redshift")
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_URL", "redshift://reader:secret@wh.example/warehouse")


def run(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, ["quicksight", *OPTIONS, *arguments])
    assert result.exit_code == status, result.output
    return result


@pytest.mark.slow
def test_a_plan_is_applied_is_the_same_and_is_destroyed(quicksight: FakeQuickSight) -> None:
    planned = run("plan")
    assert "create   dashboard         event-assets-every_kind" in planned.stdout
    assert "metrics: there is no filter by segment" in planned.stderr
    assert "created dashboard event-assets-every_kind" in run("apply").stdout
    answer = json.loads(run("plan", "--json").stdout)
    assert {change["action"] for change in answer["changes"]} == {"same"}
    assert "metrics: there is no filter by segment" in answer["cannot_say"]
    assert run("destroy", "--yes").stdout.endswith(f"{len(answer['changes'])} deleted\n")
    assert not any(quicksight.things.values())


def test_requests_are_printed_without_a_call(quicksight: FakeQuickSight) -> None:
    made = json.loads(run("plan", "--requests").stdout)
    assert [each["operation"] for each in made][-2:] == ["CreateAnalysis", "CreateDashboard"]
    assert "secret" not in json.dumps(made[:3])
    assert quicksight.calls == []


def test_a_warehouse_that_is_not_redshift_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_WAREHOUSE_KIND", "postgres")
    assert "QuickSight reads Amazon Redshift" in run("plan", status=1).stderr
