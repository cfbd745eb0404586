"""Incidents of metrics: which there are, what one was, and of which series nobody is to be told."""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum
from typing import Annotated

import typer

from event_assets.cli.console import AsJson, app, current_settings, faults_as_sentences

anomalies_app = typer.Typer(help="Incidents of metrics: what is unusual, and what it was.", no_args_is_help=True)
app.add_typer(anomalies_app, name="anomalies")


class _Was(StrEnum):
    true = "true"
    false = "false"


@anomalies_app.command("list")
def list_(
    every: Annotated[
        bool, typer.Option("--all", help="Those that have ended, are muted or were not real, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the incidents that are open."""
    with faults_as_sentences():
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.defs.resources.rules import RulesResource
        from event_assets.pipeline.incident_sayings import watched
        from event_assets.pipeline.open_incidents import all_incidents, open_incidents
        from event_assets.stack import display

        settings = current_settings()
        lake, rules = LakeResource.of(settings).open(), RulesResource.of(settings, pii_key="")
        found = all_incidents(lake, watched(lake, rules)) if every else open_incidents(lake, rules)
        if as_json:
            typer.echo(json.dumps(found, default=str, ensure_ascii=False))
            return
        rows = [{"incident": row["incident_id"], "since": row["begins_at"], "what": row["what"]} for row in found]
        display.show_rows(rows, empty="Nothing is unusual.")


@anomalies_app.command("feedback")
def feedback(
    incident: Annotated[str, typer.Argument(help="The incident, as `list` names it.")],
    was: Annotated[_Was, typer.Argument(help="true: something had happened.")],
    note: Annotated[str, typer.Option(help="What it was, for whoever reads it later.")] = "",
) -> None:
    """Say what an incident was. After `false` more proof is asked of its series, after `true` less; what was said last
    holds."""
    with faults_as_sentences():
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.defs.resources.rules import RulesResource
        from event_assets.pipeline.incident_sayings import IncidentError, say_what_it_was, watched
        from event_assets.pipeline.open_incidents import all_incidents
        from event_assets.rules.rule_files import nearest

        settings = current_settings()
        lake = LakeResource.of(settings).open()
        file = watched(lake, RulesResource.of(settings, pii_key=""))
        known = {row["incident_id"] for row in all_incidents(lake, file)}
        if incident not in known:
            hint = nearest(incident, sorted(known)) or "; `event-assets anomalies list --all` names them"
            raise IncidentError(f"There is no incident {incident!r}{hint}.")
        say_what_it_was(lake, dt.datetime.now(dt.UTC), incident, was == _Was.true, note)
        typer.echo(f"{incident}: {'less' if was == _Was.true else 'more'} proof is asked of this series from now on.")


@anomalies_app.command("mute")
def mute(
    metric: Annotated[str | None, typer.Option(help="The metric, as the file of anomalies names it.")] = None,
    dimension: Annotated[str | None, typer.Option(help="The dimension, such as platform.")] = None,
    value: Annotated[str | None, typer.Option(help="Its value, such as ios.")] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day; a day that is over ends a mute of the same series."),
    ] = None,
) -> None:
    """Tell nobody of these series. They are watched all the same."""
    with faults_as_sentences():
        from pydantic import ValidationError

        from event_assets.defs.resources.lake import LakeResource
        from event_assets.defs.resources.rules import RulesResource
        from event_assets.pipeline.incident_sayings import IncidentError
        from event_assets.pipeline.incident_sayings import mute as keep
        from event_assets.rules.anomalies import Mute

        settings = current_settings()
        try:
            said = Mute.model_validate(
                {"metric": metric, "dimension": dimension, "value": value, "until": until.date() if until else None}
            )
        except ValidationError as fault:
            raise IncidentError("; ".join(each["msg"] for each in fault.errors())) from None
        keep(LakeResource.of(settings).open(), RulesResource.of(settings, pii_key=""), dt.datetime.now(dt.UTC), said)
        typer.echo("Nobody is told of it" + (f" until {until:%Y-%m-%d}." if until else "."))
