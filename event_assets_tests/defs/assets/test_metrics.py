"""Every metric of the dashboards is told by the asset of its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.definitions import build_defs
from event_assets.defs.assets.metrics import metrics_by_table
from event_assets.rules.dashboard import dashboard_of
from event_assets.settings import Settings


def test_each_metric_stands_once_at_the_asset_of_its_table(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    dashboard = dashboard_of(settings.dashboards)
    told: dict[str, str] = {}
    for spec in build_defs(settings).resolve_all_asset_specs():
        if "metrics" in spec.metadata:
            assert spec.key.path[0] == "warehouse"
            told[spec.key.path[-1]] = str(spec.metadata["metrics"].value)
    assert told.keys() == {dashboard.source_of(name).table for name in dashboard.metrics}
    for name, metric in dashboard.metrics.items():
        line = f"| {metric.title} | {metric.description} |"
        assert told[dashboard.source_of(name).table].count(line) == 1, name
    assert "| count distinct of `person_id` |" in told["fct_sessions"]


def test_a_file_that_cannot_be_used_has_no_metrics_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nmetrics: 7\n")
    assert metrics_by_table(Settings(home=tmp_path, dashboards_dir=tmp_path)) == {}
    assert "no metrics: " in caplog.text and "mine.yaml" in caplog.text
