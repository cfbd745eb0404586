"""The JSON Schemas that editors check users' files by: they are current, take what is taken, refuse a slip."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.rules.schemas import schemas

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "analysis": ("event_assets/rules/analyses", "examples/shop/analyses"),
    "segment": ("event_assets/rules/segments", "examples/shop/segments"),
    "dashboard": ("event_assets/rules/dashboards",),
}
SLIPS = [
    ("analysis", "{name: x, steps: [{event: a}, {event: b}]}"),
    ("analysis", "{kind: funnel, name: x, steps: [{event: a}]}"),
    ("analysis", "{kind: funnel, name: x, windw: 1 day, steps: [{event: a}, {event: b}]}"),
    ("analysis", "{kind: funnel, name: x, window: 14d, steps: [{event: a}, {event: b}]}"),
    ("analysis", "{kind: retention, name: x, period: year}"),
    ("segment", "{name: x, who: {did: {evnt: a}}}"),
    ("segment", "{name: x, who: {all: []}}"),
    ("segment", "{name: x, who: {did: {event: a}, last: 12 hours}}"),
    ("segment", "{name: x, who: {did: {event: a}, segment: b}}"),
    (
        "dashboard",
        "{name: x, title: X, tables: {}, metrics: {}, pages: [{id: a, title: A, filters: [mood], rows: []}]}",
    ),
]


def is_valid(kind: str, text: str) -> bool:
    return jsonschema_rs.validator_for(json.loads(schemas()[f"{kind}.schema.json"])).is_valid(yaml.safe_load(text))


def test_the_committed_schemas_are_what_the_models_say_and_a_command_writes_them(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["rules", "schema", str(tmp_path / "new")])
    assert done.exit_code == 0 and done.stdout.split() == [str(tmp_path / "new" / name) for name in schemas()]
    for name, text in schemas().items():
        assert (tmp_path / "new" / name).read_text(encoding="utf-8") == text
        committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
        assert committed == text, "run: event-assets rules schema docs/reference"


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_file_that_is_shipped_keeps_its_schema(kind: str) -> None:
    paths = [path for folder in FOLDERS[kind] for path in (ROOT / folder).glob("*.yaml")]
    assert paths and [path.name for path in paths if not is_valid(kind, path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(("kind", "text"), SLIPS)
def test_a_slip_is_refused_by_the_schema_too(kind: str, text: str) -> None:
    assert not is_valid(kind, text)
