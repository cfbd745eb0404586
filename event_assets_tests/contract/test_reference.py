"""The committed pages of docs/reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from event_assets.contract.event import Event
from event_assets.contract.reference import main, pages, reference, settings_reference
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.settings import PREFIX, Settings

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", pages())
def test_a_committed_page_is_what_the_code_says(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text == pages()[name], "run: python -m event_assets.contract.reference"


def test_all_pages_are_written_into_a_folder(tmp_path: Path) -> None:
    main(tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(pages())


def test_every_table_and_column_is_on_the_page() -> None:
    page = reference()
    for table in LAKE_TABLES:
        assert f'### <a id="{table.name}">' in page
        assert all(f"| `{column.name}` |" in page for column in table.columns)
    assert all(f"warehouse.{table.name}\n" in page for table in WAREHOUSE_TABLES)


def test_every_table_says_the_unit_and_the_definition_of_its_columns() -> None:
    page = reference()
    wanted = (
        "Definition: distinct coalesce(anonymous_id, user_id) of the sessions that began on the day; one that comes "
    )
    wanted += "on two UTC days of it counts on the first."
    assert wanted in page
    assert all(column.meaning.replace("|", "\\|") in page for table in LAKE_TABLES for column in table.columns)
    assert "Unit: ms." in page


def test_every_setting_is_on_the_page() -> None:
    page = settings_reference()
    assert all(f"| `{PREFIX}{name.upper()}` |" in page for name in Settings.model_fields)


def test_every_plain_field_of_the_event_schema_is_described() -> None:
    fields = json.loads(pages()["event.schema.json"])["$defs"]["Event"]["properties"]
    assert set(fields) == set(Event.__struct_fields__)
    assert [name for name, field in fields.items() if "$ref" not in str(field) and "description" not in field] == []
