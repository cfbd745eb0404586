"""Every analysis is an asset that says what it found, in rows and as a picture."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from event_assets.definitions import build_defs
from event_assets.defs.assets.pictures import heat_map, lines, rows_of_bars, stacked_bars
from event_assets.defs.assets.product_pictures import duration
from event_assets.rules.analysis import Lifecycle
from event_assets.settings import Settings
from event_assets_tests import engines
from event_assets_tests.factories import at, enriched_event
from event_assets_tests.pipeline.test_product import Product

ANALYSES = {
    "buying": "{kind: funnel, name: buying, steps: [{event: page_view}, {event: teleport}], breakdown: device_type}",
    "back": "{kind: retention, name: back, target: {event: page_view}, period: day}",
    "life": "{kind: lifecycle, name: life, period: day}",
    "active": "{kind: active_users, name: active}",
    "sticking": "{kind: stickiness, name: sticking}",
    "ways": "{kind: paths, name: ways}",
    "speed": "{kind: web_vitals, name: speed}",
}


def drawn(value: dg.MarkdownMetadataValue) -> ElementTree.Element:
    """The picture of a metadata value, as its XML."""
    found = re.search(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)$", value.value)
    assert found is not None, value.value[:80]
    return ElementTree.fromstring(base64.b64decode(found[1]))


def words(value: dg.MarkdownMetadataValue) -> list[str]:
    return [text.text or "" for text in drawn(value).iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture(scope="module")
def found(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """What each analysis tells of the same few events."""
    home = tmp_path_factory.mktemp("home")
    (home / "analyses").mkdir()
    for name, text in ANALYSES.items():
        (home / "analyses" / f"{name}.yaml").write_text(text)
    rows = [
        enriched_event(when=at(days=day), anonymous_id=f"a{day % 2}", page_path="/<b>", properties='{"lcp_ms": 900}')
        for day in (0, 1, 2)
    ]
    Product(spark, home / "lake").add(*rows)
    with engines.sail_server() as remote:
        settings = Settings(home=home, analytics_dir=home / "analyses", spark_remote=remote)
        job = build_defs(settings).resolve_implicit_global_asset_job_def()
        keys = [dg.AssetKey(["product", name]) for name in ANALYSES]
        made = job.execute_in_process(asset_selection=keys).get_asset_materialization_events()
        yield {event.asset_key.path[1]: dict(event.materialization.metadata) for event in made if event.asset_key}


@pytest.mark.slow
def test_each_has_rows_and_a_picture(found: dict[str, dict[str, Any]]) -> None:
    assert found.keys() == ANALYSES.keys()
    for name, metadata in found.items():
        assert metadata["dagster/row_count"].value > 0, name
        assert len(words(metadata["picture"])) > 1, name


@pytest.mark.slow
def test_the_pictures_say_what_the_rows_say(found: dict[str, dict[str, Any]]) -> None:
    assert "2 · 100.0%" in words(found["buying"]["picture"])
    assert "(none)" in words(found["buying"]["by value"])
    assert {"100%", "0%"} <= set(words(found["back"]["picture"]))
    assert {"new", "dormant", "2026-03-02"} <= set(words(found["life"]["picture"]))
    assert {"30 days", "2 at the most"} <= set(words(found["active"]["picture"]))
    assert "(start) → /<b>" in words(found["ways"]["picture"])
    assert "LCP 900 ms" in words(found["speed"]["picture"])


def test_an_event_that_the_plan_does_not_have_is_a_warning(found: dict[str, dict[str, Any]]) -> None:
    assert found["buying"]["warnings"].value == "- buying: the tracking plan has no event 'teleport'"
    assert "warnings" not in found["back"]


def test_a_rebuild_cannot_be_narrowed_to_hours_that_an_analysis_has_none_of(tmp_path: Path) -> None:
    job = build_defs(Settings(home=tmp_path)).resolve_implicit_global_asset_job_def()
    hours = {"ops": {"product__daily_lifecycle": {"config": {"rebuild": True, "hours": [7]}}}}
    with pytest.raises(dg.Failure, match="lifecycle is not laid out by hours of arrival"):
        job.execute_in_process(hours, asset_selection=[dg.AssetKey(["product", "daily_lifecycle"])])


def test_once_every_file_is_removed_the_tables_are_emptied(spark: SparkSession, tmp_path: Path) -> None:
    product = Product(spark, tmp_path / "lake", Lifecycle(name="life", period="day"))
    product.add(enriched_event())
    product.run()
    (tmp_path / "analyses").mkdir()
    settings = Settings(home=tmp_path, analytics_dir=tmp_path / "analyses")
    job = build_defs(settings).resolve_implicit_global_asset_job_def()
    [made] = job.execute_in_process(asset_selection=[dg.AssetKey("lifecycle")]).get_asset_materialization_events()
    assert made.materialization.metadata["removed"].value == "life"
    assert product.rows("lifecycle") == []


def test_nothing_found_is_a_picture_too() -> None:
    for empty in (rows_of_bars([], "x"), heat_map([], [], "x"), stacked_bars([], {"new": []}, "x"), lines([], {}, "x")):
        assert drawn(empty).tag.endswith("svg")


def test_a_stacked_bar_hangs_what_is_negative_below_the_line() -> None:
    boxes = list(
        drawn(stacked_bars(["d"], {"new": [2], "dormant": [-1]}, "x")).iter("{http://www.w3.org/2000/svg}rect")
    )
    up, down, line = boxes[-3:]
    assert float(up.attrib["y"]) + float(up.attrib["height"]) == pytest.approx(float(line.attrib["y"]), abs=0.2)
    assert float(down.attrib["y"]) == pytest.approx(float(line.attrib["y"]), abs=0.2)
    assert float(up.attrib["height"]) == pytest.approx(2 * float(down.attrib["height"]), abs=0.2)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0.4 s"), (31, "31 s"), (90, "1.5 min"), (5400, "1.5 h"), (129600, "1.5 d")]
)
def test_a_duration_is_said_in_the_largest_unit_that_fits(seconds: float, said: str) -> None:
    assert duration(seconds) == said
