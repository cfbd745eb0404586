"""The audit log: who did what to people's data, and whether that is what was written."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
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
def verify(
    kept: Annotated[
        list[str] | None, typer.Option(help="A hash that it printed before and that was kept elsewhere. Repeatable.")
    ] = None,
    receipt: Annotated[
        list[Path] | None, typer.Option(help="A receipt of an erasure that was kept elsewhere. Repeatable.")
    ] = None,
) -> None:
    """Compute all hashes anew, and look for the entries that the head, receipts and the anchor name. Prints the newest
    entry's hash; exit status 1 where something is wrong."""
    with faults_as_sentences():
        from event_assets.audit import audit_log
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.lake.tombstones import ErasureRules
        from event_assets.privacy.receipts import is_genuine, named_entries, read_receipt, receipts

        settings = current_settings()
        rules = ErasureRules.of(settings)
        given = [(f"the receipt {file}", read_receipt(file)) for file in receipt or ()]
        for name, each in given:
            if not is_genuine(each, rules):
                raise typer.BadParameter(f"{name} is not as this installation's key signed it")
        in_lake = (
            (f"the receipt {each['batch']}", each) for each in receipts(LakeResource.of(settings).open().storage)
        )
        seen = named_entries((*in_lake, *given), rules)
        newest = audit_log(settings).verify({**seen, **dict.fromkeys(kept or (), "what was kept")})
        typer.echo(f"{newest.number} entries, the newest {newest.hash}" if newest else "There are no entries yet.")
