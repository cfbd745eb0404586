"""An analysis that is explored says what its asset would, and leaves nothing behind."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.dashboards.analyses import figure_of_rows
from event_assets.dashboards.pages import explore as page
from event_assets.dashboards.pictures import picture_of
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.rules.roles import Role
from event_assets.rules.rule_files import RuleError
from event_assets.stack.exploring import ExploreError, analysis_of, explore
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.test_product import RULES, Product

FUNNEL = "kind: funnel\nname: buying\nsteps: [{event: page_view}, {event: purchase}]\n"
TEXTS = (
    FUNNEL,
    "{kind: trends, name: t, series: [{event: null}, {event: purchase, measure: people}], breakdown: platform}",
    "{kind: funnel_trend, name: f, steps: [{event: page_view}, {event: purchase}]}",
    "{kind: time_to_convert, name: c, steps: [{event: page_view}, {event: purchase}]}",
    "{kind: retention, name: r, period: day}",
)


def test_it_is_what_the_asset_makes_and_can_be_drawn(spark: SparkSession, tmp_path: Path) -> None:
    analyses = [analysis_of(text) for text in TEXTS]
    product = Product(spark, tmp_path / "lake", *analyses)
    product.add(enriched_event(when=at(0)), enriched_event("purchase", at(days=1)), enriched_event(anonymous_id="a2"))
    product.run()
    for analysis in analyses:
        versions = product.lake.table(analysis.table.name).snapshot().version
        found = explore(product.lake, spark, analysis, RULES)
        kept = [{k: v for k, v in row.items() if k != "analysis"} for row in product.rows(analysis.table.name)]
        assert sorted(map(str, map(dict, found))) == sorted(map(str, kept))
        assert product.lake.table(analysis.table.name).snapshot().version == versions
        figure = figure_of_rows(analysis, found)
        assert not figure.is_empty
        assert picture_of(analysis.kind, figure, format_="svg").startswith(b"<?xml")


def test_what_cannot_be_made_is_told(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(Storage(str(tmp_path)))
    with pytest.raises(ExploreError, match="no enriched_events yet: send events"):
        explore(lake, spark, analysis_of(FUNNEL), RULES)
    with pytest.raises(RuleError, match=r"^analysis.yaml:3: analysis buying: steps\[0\]: "):
        analysis_of("kind: funnel\nname: buying\nsteps: [page_view, purchase]\n")


def test_the_command_names_the_fault_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("{kind: funel, name: x}")
    done = CliRunner().invoke(app, ["explore", str(file)])
    assert done.exit_code != 0 and "did you mean funnel?" in done.output


@dataclasses.dataclass
class _Asking:
    role: Role


@pytest.mark.parametrize(
    "role",
    [Role(warehouse="shared", dashboards="sql"), Role(warehouse="everything", dashboards="pages")],
)
def test_the_page_is_for_those_who_type_sql_and_see_all(role: Role) -> None:
    asking = cast(Any, _Asking(role))
    assert not page.view().is_for(asking)
    assert page.figure_of(asking, FUNNEL) == "Your role does not explore."
    assert page.view().is_for(cast(Any, _Asking(Role(warehouse="everything", dashboards="sql"))))
