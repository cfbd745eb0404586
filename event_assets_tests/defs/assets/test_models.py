"""Models as assets: they learn, show their card, are checked, and answer requests."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from event_assets.collector.scores import answer
from event_assets.definitions import build_defs
from event_assets.online import MODELS_ID, open_online
from event_assets.pipeline.identities import identities_step
from event_assets.settings import Settings
from event_assets_tests import engines
from event_assets_tests.factories import at
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.test_people import People
from event_assets_tests.pipeline.test_trained_models import visits

pytest.importorskip("sklearn")

FEATURES = """
name: mine
features:
  events: {count: anything}
  signups: {count: {event: signup}}
"""
MODEL = """
name: comes_back
target: anything
within: 7 days
features: [events, signups]
rule: {feature: events, at_least: 2}
segments: [{segment: likely, at_least: 0.5}, {segment: unlikely}]
least_people: 60
"""


@pytest.mark.slow
def test_a_model_learns_shows_its_card_is_checked_and_answers_requests(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "models" / "features").mkdir(parents=True)
    (tmp_path / "models" / "features" / "mine.yaml").write_text(FEATURES)
    (tmp_path / "models" / "comes_back.yaml").write_text(MODEL)
    lake = People(spark, tmp_path / "lake")
    lake.change(visits())
    identities_step(a_run(lake.lake, spark))
    with engines.sail_server() as remote:
        settings = Settings(home=tmp_path, models_dir=tmp_path / "models", spark_remote=remote)
        job = build_defs(settings).resolve_implicit_global_asset_job_def()
        names = ("person_features", "trained_models", "person_features_online")
        done = job.execute_in_process(asset_selection=[dg.AssetKey(name) for name in names])
    [learned] = [each for each in done.get_asset_materialization_events() if each.asset_key == dg.AssetKey(names[1])]
    card = learned.materialization.metadata
    assert {"comes_back: card", "comes_back: curve", "comes_back: calibration", "comes_back: importance"} <= set(card)
    assert str(card["comes_back: card"].value).startswith("Its area under the curve,")
    [check] = [each for each in done.get_asset_check_evaluations() if each.check_name == "features_are_as_learned"]
    assert check.passed and "drift" in check.metadata
    table = open_online(settings, "features")
    found = table.find(["p1", MODELS_ID])
    [(_, document)] = found.facts[MODELS_ID]
    asked = [answer(document, (), {"signup": number, "page_view": 2}, at(days=50).date())[1] for number in (1, 0)]
    assert [each.segment for each in asked] == ["likely", "unlikely"] and all(each.score for each in asked)
    assert next(dt.date.fromisoformat(fact.name) for fact in found.facts["p1"]) == at(days=1).date()
    table.close()
