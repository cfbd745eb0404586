"""Enrichments by settings, through the real steps: versions make days again, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets.enrichment.currency import Reporting, parse_rates
from event_assets.enrichment.custom import custom_enrichments
from event_assets.pipeline.enrich import enrich_step
from event_assets.transforms.events.enrich import EnrichRules
from event_assets_tests.pipeline.pipeline import WITHOUT_ATTRIBUTION, Pipeline
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.pipeline.test_rebuild import DAY, event
from event_assets_tests.transforms import own_enrichments

pytestmark = pytest.mark.slow

OWN = "event_assets_tests.transforms.own_enrichments:"


@pytest.fixture
def pipeline(spark: SparkSession, tmp_path: Path) -> Pipeline:
    pipeline = Pipeline(spark, tmp_path)
    names = ("page_view", "bad", "purchase")
    sold = {"revenue": 8, "currency": "USD"}
    sent = [event(f"e{n}", name, user_id="g", page_view_id=f"p{n}", properties=sold) for n, name in enumerate(names)]
    pipeline.put(sent)
    pipeline.run(steps=WITHOUT_ATTRIBUTION)
    return pipeline


def enriched(pipeline: Pipeline, rules: EnrichRules) -> int:
    """Rows that a run over everything wrote."""
    return enrich_step(a_run(pipeline.lake, pipeline.spark, enriching=rules)).new_rows


def test_a_function_named_in_settings_is_run_over_history_and_loses_no_event(pipeline: Pipeline) -> None:
    rules = EnrichRules(custom=custom_enrichments([OWN + "tier", OWN + "broken"]))
    assert enriched(pipeline, rules) == 3
    rows = pipeline.rows("enriched_events")
    assert [(row["event"], row["custom"], row["enrichment_failures"]) for row in rows] == [
        ("page_view", '{"tier":"gold","broken":"view"}', None),
        ("bad", '{"tier":"gold"}', "broken: bad is no event of ours"),
        ("purchase", '{"tier":"gold"}', "broken: KeyError"),
    ]


def test_days_are_made_again_when_a_version_changes_and_only_then(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = EnrichRules(custom=custom_enrichments([OWN + "tier"]))
    assert [enriched(pipeline, rules), enriched(pipeline, rules)] == [3, 0]
    monkeypatch.setattr(own_enrichments.tier, "version", "2", raising=False)
    assert enriched(pipeline, EnrichRules(custom=custom_enrichments([OWN + "tier"]))) == 3
    assert all("tier:2" in row["enrichments"] for row in pipeline.rows("enriched_events"))


def test_converted_amounts_reach_sessions(pipeline: Pipeline) -> None:
    (before,) = pipeline.rows("sessions")
    rates = parse_rates(f"date,currency,rate\n{DAY},USD,0.5\n")
    rules = EnrichRules(reporting=Reporting("EUR", rates))
    assert enriched(pipeline, rules) == 3
    pipeline.enriching = rules
    pipeline.run(steps=WITHOUT_ATTRIBUTION)
    (after,) = pipeline.rows("sessions")
    assert (before["revenue"], after["revenue"]) == (8.0, 4.0)
    assert after == {**before, "revenue": 4.0}
