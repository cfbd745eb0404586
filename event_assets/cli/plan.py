"""The tracking plan: typed code of it, and whether a new one breaks what is sent by the old one."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from event_assets.cli.console import EXIT_FAULT, AsJson, app, current_settings, faults_as_sentences

plan_app = typer.Typer(help="The tracking plan: typed code, breaking changes.", no_args_is_help=True)
app.add_typer(plan_app, name="plan")


class Language(StrEnum):
    """What the code is written in."""

    python = "python"
    typescript = "typescript"


@plan_app.command("codegen")
def codegen(
    language: Annotated[Language, typer.Option("--language", help="What the code is written in.")],
    folder: Annotated[Path | None, typer.Option("--plan", help="The plan; else that of EVENT_ASSETS_PLAN_DIR.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; else it is printed.")] = None,
) -> None:
    """Write a typed function for each event of the plan, by which a type checker finds what would break it."""
    with faults_as_sentences():
        from event_assets.contract.plan import TrackingPlan
        from event_assets.contract.plan_code.python import python_code
        from event_assets.contract.plan_code.typescript import typescript_code

        plan = TrackingPlan.load(folder or current_settings().plan)
        text = (python_code if language is Language.python else typescript_code)(plan)
        if output is None:
            typer.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")


@plan_app.command("check")
def check(
    old: Annotated[Path, typer.Argument(help="Folder of the plan that programs send by.")],
    new: Annotated[Path, typer.Argument(help="Folder of the plan that is to take its place.")],
    as_json: AsJson = False,
) -> None:
    """Name what events of the old plan, and readers of their properties, would run into. Exit status 1 if anything."""
    with faults_as_sentences():
        from event_assets.contract.plan import TrackingPlan
        from event_assets.contract.plan_changes import breaking_changes

        changes = breaking_changes(TrackingPlan.load(old), TrackingPlan.load(new))
        if as_json:
            typer.echo(json.dumps({"breaking": changes}))
        else:
            typer.echo("\n".join(changes) or "Nothing that is sent by the old plan breaks the new one.")
        if changes:
            raise typer.Exit(EXIT_FAULT)
