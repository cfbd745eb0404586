"""What the documentation says is there: its links, the files it names, its examples."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pyspark.sql import SparkSession

from event_assets.contract.plan import TrackingPlan
from event_assets.importing.mapping import FieldMapping
from event_assets.pipeline.domains import GROUPS
from event_assets.pipeline.registry import STEPS
from event_assets.rules.analysis import KINDS, Analyses
from event_assets.rules.dashboard import dashboard_of
from event_assets.rules.feature import Features
from event_assets.rules.model import MODEL_FILE, Clusters, Models
from event_assets.rules.roles import roles_of
from event_assets.rules.segment import Condition
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings
from event_assets_tests import documented

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FRONT = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", "examples/shop/README.md")
]
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]


def ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [*FRONT, *PAGES], ids=ids)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", WRITTEN, ids=ids)
def test_every_file_of_the_package_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`((?:event_assets/)?[a-z_]+/(?:[a-z_]+\.py)?)`", page.read_text(encoding="utf-8"))
    package = ROOT / "event_assets"
    missing = [name for name in named if not any((place / name).exists() for place in (ROOT, package))]
    assert [name for name in missing if name != "warehouse/"] == []


def test_every_page_is_in_the_index() -> None:
    indexes = [page for page in PAGES if page.name == "README.md"]
    named = {
        (index.parent / link.partition("#")[0]).resolve()
        for index in indexes
        for link in re.findall(r"\]\(([^)\s]+)\)", index.read_text(encoding="utf-8"))
    }
    assert [ids(page) for page in PAGES if page != ROOT / "docs" / "README.md" and page not in named] == []


def test_the_picture_of_the_architecture_shows_tables_in_their_domains_and_every_room() -> None:
    [lake, rooms] = blocks("architecture.md", "")
    shown: dict[str, list[str]] = {}
    for domain, tables in re.findall(r"^ (\w* *)│ (.+?) *│$", lake, re.MULTILINE):
        name = domain.strip() or list(shown)[-1]
        shown[name] = [*shown.get(name, []), *tables.split(" · ")]
    made: dict[str, set[str]] = {
        group: {table.name for step in STEPS if step.group == group for table in step.tables} for group in GROUPS
    }
    assert list(shown) == [group for group in GROUPS if made[group]]
    assert all(set(tables) <= made[domain] for domain, tables in shown.items())
    folders = {path.parent.name for path in (ROOT / "event_assets").glob("*/__init__.py")}
    assert set(re.findall(r"(?:^|(?<=/ ))([a-z]+)/", rooms, re.MULTILINE)) == folders


def test_the_plans_that_are_shown_can_be_loaded(tmp_path: Path) -> None:
    for number, text in enumerate(blocks("how-to/tracking-plan.md", "yaml")):
        name = "_settings.yaml" if "unknown_events" in text else f"{number}.yaml"
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert set(TrackingPlan.load(tmp_path).events) == {"purchase"}


def test_the_analyses_that_are_shown_can_be_loaded(tmp_path: Path) -> None:
    shown = blocks("how-to/product-analytics.md", "yaml")
    for number, text in enumerate(shown):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    found = Analyses.load(tmp_path)
    assert not found.faults
    assert {type(analysis) for analysis in found.usable} == set(KINDS.values())


def test_the_segments_that_are_shown_can_be_loaded(tmp_path: Path) -> None:
    shown = blocks("how-to/segments.md", "yaml")
    for number, text in enumerate(shown):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "buyers.yaml").write_text("{name: buyers, who: {did: {event: purchase}}}")
    found = Segments.load(tmp_path)
    assert not found.faults
    conditions = (condition for segment in found.usable for condition in segment.conditions())
    assert {type(condition) for condition in conditions} == set(get_args(Condition))


def test_the_features_that_are_shown_can_be_loaded(tmp_path: Path) -> None:
    for number, text in enumerate(blocks("how-to/features.md", "yaml")):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    assert len(Features.load(tmp_path).usable) == 8


def test_the_models_that_are_shown_can_be_loaded_and_the_first_is_shipped(tmp_path: Path) -> None:
    for place, text in enumerate(blocks("how-to/models.md", "yaml")):
        (tmp_path / f"{place}.yaml").write_text(text, encoding="utf-8")
    classifier, clusters = (MODEL_FILE.read(tmp_path / f"{place}.yaml") for place in range(2))
    models = Models.load(Settings().models)
    assert [classifier] == list(models.usable)
    assert isinstance(clusters, Clusters) and not list(clusters.faults(Features.of_models(Settings().models).usable))


def test_the_roles_that_are_shown_can_be_loaded(tmp_path: Path) -> None:
    [text] = blocks("how-to/roles.md", "yaml")
    (tmp_path / "roles.yaml").write_text(text, encoding="utf-8")
    assert set(roles_of(tmp_path / "roles.yaml").of_dashboards) == {"shop_germany", "everybody", "data_engineer"}


def test_the_mapping_that_is_shown_can_be_loaded(tmp_path: Path) -> None:
    [text] = blocks("how-to/import.md", "yaml")
    (tmp_path / "mapping.yaml").write_text(text, encoding="utf-8")
    assert yaml.safe_load(text)["description"] == FieldMapping.load(tmp_path / "mapping.yaml").description


def test_every_setting_that_is_named_exists() -> None:
    known = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    for page in WRITTEN:
        for name in re.findall(r"EVENT_ASSETS_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8")):
            assert f"`{name}`" in known, (ids(page), name)


def test_what_is_said_of_commands_is_said_of_commands_that_are_shown() -> None:
    shown = {command for block in documented.blocks() for command in block.commands}
    assert {"export KEY=$(event-assets keys create shop)", "event-assets up", "dagster dev"} <= shown
    assert set(documented.NOT_RUN) | set(documented.STAYING) | set(documented.FAILING) | documented.STOPPED <= shown
    assert all(any(part in command for command in shown) for part in documented.SMALLER)


def test_every_block_of_commands_says_that_it_is_one() -> None:
    for page in documented.PAGES:
        for text in re.findall(r"^```\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            assert not re.match(r"(export|event-assets|dagster|python|make|curl|pip) ", text), ids(page)


def test_the_settings_table_of_the_readme_is_current() -> None:
    from event_assets.settings import settings_table
    from event_assets.stack.settings_display import markdown_settings

    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("--markdown` -->\n")[2]
    assert table.partition("\n<!-- end of settings")[0].strip() == markdown_settings(settings_table()).strip()


def test_the_dashboard_that_is_shown_can_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("".join(blocks("how-to/dashboards.md", "yaml")), encoding="utf-8")
    dashboard = dashboard_of(tmp_path)
    assert list(dashboard.digests) == ["weekly"]
    kinds = {metric.kind for metric in dashboard.metrics.values()}
    assert kinds == {"count", "count_distinct", "sum", "avg", "share_where", "ratio", "percentile"}


@pytest.mark.parametrize("page", ["product-analytics", "segments"])
def test_the_python_of_a_page_works_on_a_frame_of_events(
    page: str, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / f"docs/how-to/{page}.md").read_text(encoding="utf-8")
    [code] = [block for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if "events, " in block]
    at = dt.datetime(2026, 3, 30, 12, tzinfo=dt.UTC)
    told = [("signup", "{}"), ("purchase", '{"plan": "pro"}'), ("purchase", "{}"), ("page_view", "{}")]
    rows = [("p", name, f"e{n}", at + dt.timedelta(minutes=n), more, "DE") for n, (name, more) in enumerate(told)]
    events = spark.createDataFrame(
        rows, "person_id string, event string, event_id string, derived_at timestamp, properties string, country string"
    )
    exec(compile(code, page, "exec"), {"events": events})
    shown = capsys.readouterr().out
    assert shown.count("+\n") >= 3 and ("buyers" in shown or "DE" in shown)
