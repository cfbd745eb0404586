"""The files that users own: what an editor needs to check them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from event_assets.cli.console import app, faults_as_sentences

rules_app = typer.Typer(help="Analyses, segments, dashboards: the files that you own.", no_args_is_help=True)
app.add_typer(rules_app, name="rules")


@rules_app.command("schema")
def rules_schema(
    folder: Annotated[Path, typer.Argument(help="Where they are written.")] = Path("schemas"),
) -> None:
    """Write the JSON Schemas by which an editor completes and checks analyses, segments, dashboards and roles."""
    with faults_as_sentences():
        from event_assets.rules.schemas import write_schemas

        for path in write_schemas(folder):
            typer.echo(str(path))


@rules_app.callback()
def _rules() -> None:
    """One command is a group, too: more may follow."""
