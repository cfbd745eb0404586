"""Writes the pages of docs/reference that are made from code: `python -m event_assets.contract.reference`.

Tables and columns from `tables/`, the event's JSON Schema from `event.py`, the settings from `settings/`. Nothing
is added here but the layout of the pages.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from event_assets.contract.event import json_schema
from event_assets.contract.tables.events import CLEAN_EVENTS
from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.contract.tables.schema import Column, Table
from event_assets.contract.tables.views import NONE, VIEWS, View
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES, WarehouseTable
from event_assets.settings import settings_table

_TYPES = {
    "string": "text",
    "int": "32-bit integer",
    "long": "64-bit integer",
    "double": "64-bit float",
    "boolean": "boolean",
    "timestamp": "timestamp (µs, UTC)",
    "date": "date (UTC)",
    "binary": "bytes",
}
_INTRODUCTION = """# Tables

<!-- Made by `python -m event_assets.contract.reference`; change `contract/tables/` instead. -->

Every table and column, in the order in which data travels. A column marked *personal* holds data about a person.

Lake: {lake}.

Warehouse: {warehouse}."""


_SETTINGS = """# Settings

<!-- Made by `python -m event_assets.contract.reference`; change `settings/model.py` instead. -->

Every setting is an environment variable. An empty variable counts as one that is not set; a wrong value stops the start
with a sentence that names the variable.

| variable | default | meaning |
|---|---|---|
"""


def pages() -> dict[str, str]:
    """The text of every page by its file name."""
    return {"tables.md": reference(), "settings.md": settings_reference(), "event.schema.json": event_schema()}


def settings_reference() -> str:
    """The page of settings, as Markdown."""
    rows = [(f"`{name}`", f"`{default}`" if default else "", meaning) for name, default, meaning in settings_table()]
    return _SETTINGS + "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def event_schema() -> str:
    """The event's JSON Schema, with the meaning that `tables/` gives each field."""
    schema = json_schema()
    for name, field in schema["$defs"]["Event"]["properties"].items():
        if name in CLEAN_EVENTS.column_names:
            field["description"] = CLEAN_EVENTS.column(name).description
    return json.dumps(schema, indent=2) + "\n"


def reference() -> str:
    """The page, as Markdown."""
    lake = ", ".join(f"[{table.name}](#{table.name})" for table in EVERY_TABLE)
    warehouse = ", ".join(f"[{table.name}](#warehouse-{table.name})" for table in WAREHOUSE_TABLES)
    lines = [_INTRODUCTION.format(lake=lake, warehouse=warehouse), "", "## Lake"]
    for table in EVERY_TABLE:
        lines += _lake_table(table)
    lines += [
        "",
        "## Warehouse",
        "",
        "Each table has `loaded_at` beside these columns: when the row's key first came in.",
    ]
    for loaded in WAREHOUSE_TABLES:
        lines += _warehouse_table(loaded)
    lines += ["", "## Views", "", "For BI tools: each fact beside its dimensions, one row a row of the fact."]
    for view in VIEWS:
        lines += _view(view)
    return "\n".join(lines) + "\n"


def _lake_table(table: Table) -> Iterator[str]:
    yield from ("", f'### <a id="{table.name}"></a>{table.name}', "", table.description, "")
    yield _fact("Key", table.key)
    if table.partition_by:
        yield _fact("Partitioned by", table.partition_by)
    yield from _columns(table.columns)


def _warehouse_table(table: WarehouseTable) -> Iterator[str]:
    yield from ("", f'### <a id="warehouse-{table.name}"></a>warehouse.{table.name}', "", table.description, "")
    yield f"- Loaded from: [{table.lake.name}](#{table.lake.name})"
    yield _fact("Key", table.key)
    yield _fact("Replaced by", (table.partition_by,)) if table.partition_by else "- Replaced as a whole"
    if table.dist_key:
        yield _fact("Distribution key (Redshift)", (table.dist_key,))
    yield _fact("Sort key (Redshift)", table.sort_key)
    yield _fact("Sums compared with the lake's after each load", table.sums)
    absent = [name for name in table.lake.column_names if name not in table.columns]
    yield "- Columns: those of the lake table" + (", but for " + _code(absent) if absent else "")


def _view(view: View) -> Iterator[str]:
    yield from ("", f'### <a id="warehouse-{view.name}"></a>warehouse.{view.name}', "")
    yield f"- Fact: [{view.table.name}](#warehouse-{view.table.name}), all its columns"
    if view.known:
        yield _fact(f"`{NONE}` where there is none", view.known)
    for joined in view.joined:
        shown = ", ".join(
            f"`{name}`" if name == told else f"`{name}` as `{told}`" for name, told in joined.shows.items()
        )
        yield f"- [{joined.table.name}](#warehouse-{joined.table.name}), by `{joined.by}`: {shown}"


def _columns(columns: Sequence[Column]) -> Iterator[str]:
    yield from ("", "| column | type | meaning |", "|---|---|---|")
    for column in columns:
        length = f" of up to {column.characters} characters" if column.characters else ""
        kind = _TYPES[column.type] + length + ("" if column.nullable else ", required")
        personal = " *Personal.*" if column.pii else ""
        made_of = f" From {_code(column.source)}." if column.source else ""
        meaning = (column.meaning + made_of + personal).replace("|", "\\|")
        yield f"| `{column.name}` | {kind} | {meaning} |"


def _fact(name: str, values: Sequence[str]) -> str:
    return f"- {name}: {_code(values)}"


def _code(values: Sequence[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def main(folder: Path) -> None:
    """Writes all pages into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference"))
