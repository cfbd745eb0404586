"""Legal holds: what must not be deleted for now."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from event_assets.cli.console import AsJson, current_settings, faults_as_sentences
from event_assets.cli.privacy import privacy_app

hold_app = typer.Typer(help="Legal holds: what must not be deleted for now.", no_args_is_help=True)
privacy_app.add_typer(hold_app, name="hold")


@hold_app.command("add")
def add(
    why: Annotated[str, typer.Option(help="The matter, such as a case number. Do not name the person here.")],
    user_id: Annotated[list[str] | None, typer.Option(help="User id of a person. Repeatable.")] = None,
    anonymous_id: Annotated[list[str] | None, typer.Option(help="Device of a person. Repeatable.")] = None,
    email: Annotated[list[str] | None, typer.Option(help="E-mail address that a trait says. Repeatable.")] = None,
    app: Annotated[list[str] | None, typer.Option(help="Id of an app. Repeatable.")] = None,
    first_day: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day (UTC).")] = None,
    last_day: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day (UTC).")] = None,
) -> None:
    """Hold people, apps or days; where several are named, what is of all of them. Erasure and retention pass it by."""
    with faults_as_sentences():
        from event_assets.audit import audit_log
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.lake.tombstones import ErasureRules
        from event_assets.privacy.closure import Named, closure_of
        from event_assets.privacy.held_requests import hold_requests
        from event_assets.privacy.holds import HoldError, add_hold

        if (first_day is None) != (last_day is None):
            raise typer.BadParameter("days are from --first-day to --last-day: name both")
        settings, now = current_settings(), dt.datetime.now(dt.UTC)
        lake, rules, people = LakeResource.of(settings).open(), ErasureRules.of(settings), tuple[str, ...]()
        if user_id or anonymous_id or email:
            # Rather too much than too little: linked accounts, and devices that others use too.
            named = Named(tuple(user_id or ()), tuple(anonymous_id or ()), tuple(email or ()), "erase", "erase")
            closure = closure_of(lake, rules, named)
            people = tuple(sorted(closure.users | closure.devices))
            if not people:
                raise HoldError("Nobody is known by this.")
        days = None if first_day is None or last_day is None else (first_day.date(), last_day.date())
        hold = add_hold(lake.storage, now, why, people, tuple(app or ()), days)
        said: dict[str, Any] = {"why": hold.why, "ids": len(people), "apps": list(hold.apps)}
        audit_log(settings).append("hold_added", hold.id, **said, first_day=hold.first_day, last_day=hold.last_day)
        held = hold_requests(lake, rules)
        typer.echo(f"Hold {hold.id} is in force." + (f" {held} requests for erasure wait." if held else ""))


@hold_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show all holds, released ones too."""
    with faults_as_sentences():
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.privacy.holds import holds
        from event_assets.stack import display

        found = [*holds(LakeResource.of(current_settings()).open().storage)]
        if as_json:
            typer.echo(json.dumps([asdict(hold) for hold in found], ensure_ascii=False))
            return
        rows = [
            {
                "hold": hold.id,
                "why": hold.why,
                "ids": len(hold.people),
                "apps": ", ".join(hold.apps),
                "days": f"{hold.first_day} to {hold.last_day}" if hold.first_day else "",
                "released": hold.released_at,
            }
            for hold in found
        ]
        display.show_rows(rows, empty="Nothing is held.")


@hold_app.command("release")
def release(hold: Annotated[str, typer.Argument(help="The hold, as `hold list` names it.")]) -> None:
    """End a hold. What it held goes with the next run of erasures, or of retention."""
    with faults_as_sentences():
        from event_assets.audit import audit_log
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.lake.tombstones import ErasureRules
        from event_assets.privacy.held_requests import hold_requests
        from event_assets.privacy.holds import release_hold

        settings = current_settings()
        lake = LakeResource.of(settings).open()
        released = release_hold(lake.storage, hold, dt.datetime.now(dt.UTC))
        audit_log(settings).append("hold_released", released.id)
        hold_requests(lake, ErasureRules.of(settings))
        typer.echo(f"Hold {released.id} is released.")
