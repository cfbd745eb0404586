"""Events that were set aside, for those who have to find out why."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated

import typer

from event_assets.cli.console import AsJson, app, current_settings, faults_as_sentences

events_app = typer.Typer(help="Events: those that were set aside.", no_args_is_help=True)
app.add_typer(events_app, name="events")


@events_app.callback()
def _events() -> None:
    """A group, also while it has one command."""


@events_app.command("rejected")
def rejected(
    since: Annotated[str, typer.Option(help="From when on they arrived: 24h, 7d, a date, a time in UTC.")] = "7d",
    reason: Annotated[str | None, typer.Option(help="Only of this reason, such as missing_field.")] = None,
    protocol: Annotated[
        str | None, typer.Option(help="Only of this protocol, such as segment; event_assets is the API's own.")
    ] = None,
    latest: Annotated[int, typer.Option(min=0, max=10_000, help="So many of the latest are shown whole.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show what was set aside in quarantined_events: how many events, why, in which protocol they came, the latest."""
    with faults_as_sentences():
        from event_assets.stack import display
        from event_assets.stack.rejected import read_rejected, since_of

        try:
            begin = since_of(since, dt.datetime.now(dt.UTC))
        except (ValueError, OverflowError):
            raise typer.BadParameter(f"--since {since!r}: write 24h, 7d, 2026-11-22 or a time") from None
        found = read_rejected(current_settings(), begin, reason, protocol, latest)
        if as_json:
            kinds, events = ([each.as_dict() for each in part] for part in (found.kinds, found.latest))
            typer.echo(json.dumps({"kinds": kinds, "latest": events}))
        else:
            display.show_rows([kind.as_dict() for kind in found.kinds], empty="Nothing was set aside.")
            for event in found.latest:
                said = event.as_dict()
                typer.echo(f"\n{said['arrived_at']} {event.protocol} {event.reason}: {event.detail}\n{said['data']}")
