"""A whole stress test, as small as one can be: everything real, and every event accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from event_assets.stress.picture import draw
from event_assets.stress.ramp import RampLimits
from event_assets.stress.report import StressReport
from event_assets.stress.run import Plan, run_stress
from event_assets.stress.table import show_stress

pytestmark = [pytest.mark.slow, pytest.mark.release]

NEVER = RampLimits(p99_seconds=60, refused_share=0.99, sent_share=0.0, lag_seconds=600)
"""Rules that a busy machine keeps too."""
PLAN = Plan(
    processes=(1, 2),
    max_seconds=240,
    start=500,
    whole_start=500,
    factor=2.0,
    step_seconds=1.0,
    most_steps=2,
    connections=4,
    bodies=3,
    limits=NEVER,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stress")


@pytest.fixture(scope="module")
def report(folder: Path) -> StressReport:
    return run_stress(folder, PLAN)


def test_every_event_is_accounted_for_from_the_load_to_the_warehouse(report: StressReport) -> None:
    assert report.faults == []
    assert report.whole is not None
    for counts in [*(each.reconciliation for each in report.scaling), report.whole.reconciliation]:
        assert counts.sent == counts.acknowledged + counts.refused + counts.unanswered
        assert counts.acknowledged == counts.on_stream > 0
    counts = report.whole.reconciliation
    assert counts.drained
    assert counts.on_stream == counts.landed == counts.clean == counts.enriched == counts.loaded
    assert counts.quarantined == 0


def test_each_number_of_processes_and_each_component_is_reported(report: StressReport) -> None:
    plain = json.loads(json.dumps(report.as_dict()))
    assert [each["processes"] for each in plain["scaling"]] == [1, 2]
    assert all(len(each["steps"]) == 2 and each["events_per_second_held"] > 0 for each in plain["scaling"])
    components = {each["name"].strip(): each for each in plain["whole"]["components"]}
    assert list(components)[:4] == ["API, 1 process", "stream", "landing", "Spark (clean → sessions)"]
    assert all(each["throughput"] > 0 for each in components.values())
    for name in ("landing", "Spark (clean → sessions)", "warehouse"):
        assert components[name]["latency_most"] >= components[name]["latency"] > 0
        assert components[name]["backlog"] >= 0
    assert plain["whole"]["bottleneck"] in components
    assert plain["whole"]["gave_way"] == []
    assert "cores the load used" in plain["whole"]["load"]


def test_the_folder_is_left_as_it_was(folder: Path, report: StressReport) -> None:
    assert list(folder.iterdir()) == []


def test_it_is_shown_as_a_table_and_a_picture(
    report: StressReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(report, tmp_path / "stress.png")
    assert (tmp_path / "stress.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    show_stress(report, tmp_path / "stress.png")
    shown = capsys.readouterr().out
    assert report.whole is not None and report.whole.bottleneck is not None
    assert f"The bottleneck: {report.whole.bottleneck.name}." in shown
    assert "The counts reconcile" in shown
