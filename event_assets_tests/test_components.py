"""A project of `dg` that says analyses and segments in its `defs.yaml` files has what a folder of files has."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import jsonschema_rs
import pytest
import yaml
from pyspark.sql import SparkSession

from event_assets.components import AnalysisComponent, SegmentComponent
from event_assets.definitions import build_defs
from event_assets.lake.progress import Progress
from event_assets.rules.analysis import Analyses
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings, load_settings
from event_assets_tests import engines
from event_assets_tests.defs.automation.test_sensors import event
from event_assets_tests.pipeline.pipeline import Pipeline

RULES = {
    "analyses": {"clicking": "{kind: lifecycle, name: clicking, event: {event: click}, period: day}"},
    "segments": {
        "clickers": "{name: clickers, who: {did: {event: click}, at_least: 2}}",
        "others": "{name: others, who: {not: {segment: clickers}}}",
    },
}
TYPES = {"analyses": "AnalysisComponent", "segments": "SegmentComponent"}
KEYS = [dg.AssetKey(["product", "clicking"]), dg.AssetKey("segment_memberships")]


def component(kind: str, attributes: str) -> str:
    return f"type: event_assets.components.{kind}\nattributes: {attributes}\n"


class Project:
    """A project of `dg` with the platform, one analysis, and two segments in one file; its package is `shop_of_dg`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.defs = folder / "shop_of_dg" / "defs"
        for path in (self.defs.parent, self.defs):
            path.mkdir(parents=True)
            (path / "__init__.py").touch()
        (folder / "dg.toml").write_text('directory_type = "project"\n[project]\nroot_module = "shop_of_dg"\n')
        self.write("platform", "type: event_assets.components.PlatformComponent\n")
        self.write("clicking", component("AnalysisComponent", RULES["analyses"]["clicking"]))
        segments = (component("SegmentComponent", text) for text in RULES["segments"].values())
        self.write("people/segments", "---\n".join(segments))
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setenv("EVENT_ASSETS_HOME", str(folder / "home"))
        monkeypatch.setenv("EVENT_ASSETS_ANALYTICS_DIR", str(self.defs))
        monkeypatch.setenv("EVENT_ASSETS_SEGMENTS_DIR", str(self.defs))

    def write(self, place: str, text: str) -> None:
        (self.defs / place).mkdir(parents=True, exist_ok=True)
        (self.defs / place / "defs.yaml").write_text(text)

    def load(self) -> dg.Definitions:
        return dg.load_from_defs_folder(path_within_project=self.defs)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    yield Project(tmp_path / "project", monkeypatch)
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop_of_dg"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def folders(folder: Path, home: Path) -> Settings:
    """The same rules as files of folders of their own."""
    for kind, texts in RULES.items():
        (folder / kind).mkdir(parents=True)
        for name, text in texts.items():
            (folder / kind / f"{name}.yaml").write_text(text)
    return load_settings(home=home, analytics_dir=folder / "analyses", segments_dir=folder / "segments")


def said(defs: dg.Definitions) -> dict[str, Any]:
    return {
        spec.key.to_user_string(): (
            {dep.asset_key for dep in spec.deps},
            spec.code_version,
            spec.group_name,
            spec.description,
            spec.owners,
            spec.kinds,
            {name: tag for name, tag in spec.tags.items() if name.startswith(("analysis", "event_assets"))},
        )
        for spec in defs.resolve_all_asset_specs()
    }


@pytest.mark.slow
def test_the_assets_are_those_of_a_folder_and_every_command_reads_the_same_rules(
    project: Project, tmp_path: Path
) -> None:
    files = folders(tmp_path / "files", tmp_path / "project" / "home")
    loaded, settings = project.load(), load_settings()
    dg.Definitions.validate_loadable(loaded)
    assert said(loaded) == said(build_defs(files)) == said(build_defs(settings))
    assert Analyses.load(settings.analytics) == Analyses.load(files.analytics)
    assert Segments.load(settings.segments) == Segments.load(files.segments)
    [reference] = (
        loaded.resolve_assets_def(KEYS[0])
        .specs_by_key[KEYS[0]]
        .metadata["dagster/code_references"]
        .code_references[-1:]
    )
    assert reference.file_path == str(project.defs / "clicking" / "defs.yaml")


def test_a_fault_of_a_component_names_its_file_line_and_place_and_leaves_the_others_alone(project: Project) -> None:
    wrong = "\n  kind: funnel\n  name: wrong\n  steps: [{event: a}]\n  windw: 1 day"
    project.write("other", component("AnalysisComponent", wrong))
    project.write("people/more", component("SegmentComponent", "{who: {did: anything}}"))
    analyses, segments = Analyses.load(project.defs), Segments.load(project.defs)
    assert [analysis.name for analysis in analyses.usable] == ["clicking"]
    assert {segment.name for segment in segments.usable} == {"clickers", "others"}
    path = project.defs / "other" / "defs.yaml"
    assert f"{path}:6: analysis wrong: windw: there is no such field, did you mean window?" in analyses.faults["wrong"]
    assert segments.faults["more"].endswith("defs.yaml:2: name: it is required")
    with pytest.raises(Exception, match="other") as told:
        project.load()
    assert "did you mean window?" in str(told.value.__cause__)


def test_a_project_whose_folder_the_settings_do_not_name_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    for variable in ("ANALYTICS", "SEGMENTS"):
        with monkeypatch.context() as changed:
            changed.setenv(f"EVENT_ASSETS_{variable}_DIR", str(tmp_path / "empty"))
            with pytest.raises(Exception, match="Error while building") as told:
                project.load()
            assert f"EVENT_ASSETS_{variable}_DIR names" in str(told.value.__cause__)


def test_the_project_that_is_shown_can_be_loaded(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "how-to" / "dg-project.md").read_text(encoding="utf-8")
    for text in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        path = tmp_path / text.partition("\n")[0].removeprefix("# ")
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    analyses, segments = Analyses.load(tmp_path / "shop" / "defs"), Segments.load(tmp_path / "shop" / "defs")
    assert (dict(analyses.faults), dict(segments.faults)) == ({}, {})
    assert [rule.name for rule in (*analyses.usable, *segments.usable)] == ["buying", "buyers", "hesitant"]


def test_the_schemas_that_dg_checks_attributes_by_take_what_is_taken_and_refuse_a_slip() -> None:
    for model, texts in ((AnalysisComponent.model(), RULES["analyses"]), (SegmentComponent.model(), RULES["segments"])):
        validator = jsonschema_rs.validator_for(model.model_json_schema())
        for attributes in map(yaml.safe_load, texts.values()):
            assert validator.is_valid(attributes) and not validator.is_valid({**attributes, "nme": "x"})


@pytest.mark.slow
def test_an_analysis_and_a_segment_have_the_same_rows_by_components_and_by_files(
    project: Project, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline(spark, tmp_path / "project" / "home")
    pipeline.put([event(number, days_ago) for number, days_ago in enumerate((3, 1, 0))])
    pipeline.run()
    files = folders(tmp_path / "files", tmp_path / "project" / "home")
    rows = []
    with engines.sail_server() as remote:
        monkeypatch.setenv("EVENT_ASSETS_SPARK_REMOTE", remote)
        by_files = build_defs(files.model_copy(update={"spark_remote": remote}))
        for defs in (project.load(), by_files):
            job = defs.resolve_implicit_global_asset_job_def()
            assert job.execute_in_process(asset_selection=KEYS).success
            rows.append([pipeline.rows("lifecycle"), pipeline.rows("segment_memberships")])
            for name in ("lifecycle", "segment_memberships"):
                made = pipeline.lake.table(name).snapshot()
                pipeline.lake.table(name).commit(made, Progress(), remove=made.files)
    assert rows[0] == rows[1]
    assert all(rows[0])
