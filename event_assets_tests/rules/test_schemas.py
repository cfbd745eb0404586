"""The JSON Schemas that editors check users' files by: they are current, take what is taken, refuse a slip."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.rules.schemas import schemas
from event_assets.rules.segment import SEGMENT_FILE, Condition, Segment
from event_assets.rules.segment_files import Segments
from event_assets_tests.rules.test_digests import EVERY_CONDITION, EVERY_FIELD
from event_assets_tests.transforms.test_memberships_any_history import trees

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "analysis": ("event_assets/rules/analyses", "examples/shop/analyses"),
    "segment": ("event_assets/rules/segments", "examples/shop/segments"),
    "dashboard": ("event_assets/rules/dashboards",),
    "roles": ("event_assets/rules/roles.yaml",),
    "retention": ("event_assets/rules/retention.yaml",),
    "company": ("event_assets/simulator/company",),
    "features": ("event_assets/rules/models/features",),
    "model": ("event_assets/rules/models",),
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
    ("company", "{kind: sql, name: x, url: 'postgresql://me:secret@host/db', tables: [{name: a, key: [id]}]}"),
    ("company", "{kind: sql, name: x, url: X_URL, tables: [{name: a}]}"),
    ("company", "{kind: files, name: x, folder: in, tables: [{name: a, key: [id], files: a.xlsx}]}"),
    (
        "dashboard",
        "{name: x, title: X, tables: {}, metrics: {}, pages: [{id: a, title: A, filters: [mood], rows: []}]}",
    ),
    ("features", "{name: x, features: {}}"),
    ("features", "{name: x, features: {f: {counts: anything}}}"),
    ("model", "{name: x, target: anything, within: 5 hours, features: [a]}"),
    ("retention", "{raw: 3}"),
    ("retention", "{apps: {kiosk: {raw: 30}}}"),
    ("roles", "{roles: {}}"),
    ("roles", "{roles: {a: {warehuse: shared}}}"),
    ("roles", "{roles: {a: {warehouse: shared, rows: {city: [x]}}}}"),
]


@cache
def validator_of(kind: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(schemas()[f"{kind}.schema.json"]))


def is_valid(kind: str, text: str) -> bool:
    valid: bool = validator_of(kind).is_valid(yaml.safe_load(text))
    return valid


def test_the_committed_schemas_are_what_the_models_say_and_a_command_writes_them(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["rules", "schema", str(tmp_path / "new")])
    assert done.exit_code == 0 and done.stdout.split() == [str(tmp_path / "new" / name) for name in schemas()]
    for name, text in schemas().items():
        assert (tmp_path / "new" / name).read_text(encoding="utf-8") == text
        committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
        assert committed == text, "run: event-assets rules schema docs/reference"


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_file_that_is_shipped_keeps_its_schema(kind: str) -> None:
    places = [ROOT / place for place in FOLDERS[kind]]
    paths = [path for place in places for path in (place.glob("*.yaml") if place.is_dir() else [place])]
    assert paths and [path.name for path in paths if not is_valid(kind, path.read_text(encoding="utf-8"))] == []


def test_a_schema_takes_every_field_that_there_is() -> None:
    assert all(is_valid("analysis", text) for text in EVERY_FIELD)
    assert is_valid("segment", EVERY_CONDITION)


@given(trees(["buyers"]))
def test_a_segment_that_is_written_as_a_file_is_read_as_the_same_and_its_schema_takes_it(who: Condition) -> None:
    segment = Segment(name="x", who=who)
    text = yaml.safe_dump(segment.model_dump(by_alias=True))
    read = SEGMENT_FILE.model.validate_python(yaml.safe_load(text), by_alias=True, by_name=False)
    assert read == segment and Segments((read,)).digest == Segments((segment,)).digest
    assert validator_of("segment").is_valid(yaml.safe_load(text))


@pytest.mark.parametrize(("kind", "text"), SLIPS)
def test_a_slip_is_refused_by_the_schema_too(kind: str, text: str) -> None:
    assert not is_valid(kind, text)
