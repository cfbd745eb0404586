"""How the command line shows settings: as a table, and as the README's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from event_assets.stack.display import plain_text, results

if TYPE_CHECKING:
    from event_assets.settings import Settings


def show_settings(settings: Settings) -> None:
    """Every setting with its value; secrets masked."""
    from event_assets.settings import PREFIX, SECRETS, settings_table

    table = Table("Variable", "Value", "Meaning")
    table.columns[0].no_wrap = True
    values = {f"{PREFIX}{name.upper()}": (name, value) for name, value in settings}
    for variable, _, meaning in settings_table():
        name, value = values[variable]
        shown = "" if value is None else "****" if name in SECRETS else plain_text(value)
        table.add_row(variable, shown, meaning)
    results().print(table)


def markdown_settings(rows: Sequence[tuple[str, str, str]]) -> str:
    """The settings as the README's table."""
    lines = ["| Variable | Default | Meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |" for name, default, meaning in rows]
    return "\n".join(lines)
