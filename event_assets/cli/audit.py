"""The audit log: who did what to people's data, and whether that is what was written."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from event_assets.cli.console import AsJson, app, current_settings, faults_as_sentences

audit_app = typer.Typer(help="The audit log: who did what to people's data.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")


@audit_app.command("show")
def show(
    last: Annotated[int, typer.Option(min=1, help="How many entries, the newest.")] = 50,
    action: Annotated[str | None, typer.Option(help="Only entries of this action, such as sql_run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest entries: when, by whom, what, of what."""
    with faults_as_sentences():
        from event_assets.audit import audit_log

        found = [each for each in audit_log(current_settings()).entries() if action in (None, each.action)][-last:]
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in found], ensure_ascii=False))
            return
        for each in found:
            said = json.dumps(each.said, ensure_ascii=False) if each.said else ""
            typer.echo(f"{each.number} {each.at} {each.by} {each.action} {each.of} {said}".rstrip())
        if not found:
            typer.echo("No such entry.")


@audit_app.command("verify")
def verify() -> None:
    """Compute all hashes anew. Prints the newest entry's, to be kept elsewhere; exit status 1 where one is wrong."""
    with faults_as_sentences():
        from event_assets.audit import audit_log

        newest = audit_log(current_settings()).verify()
        typer.echo(f"{newest.number} entries, the newest {newest.hash}" if newest else "There are no entries yet.")
