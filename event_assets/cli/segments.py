"""Segments: whether their files can be used, whom one would have, and who is in one."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from event_assets.cli.console import EXIT_FAULT, AsJson, app, current_settings, faults_as_sentences

if TYPE_CHECKING:
    from event_assets.lake.lake import Lake
    from event_assets.rules.segment_files import Segments

segments_app = typer.Typer(help="Segments: groups of people that files describe.", no_args_is_help=True)
app.add_typer(segments_app, name="segments")

Name = Annotated[str, typer.Argument(help="The segment, as its file names it.")]


@segments_app.command("check")
def check() -> None:
    """Read the files of the segments, and name what is wrong with each. Exit status 1 where one cannot be used."""
    with faults_as_sentences():
        segments = _segments()
        for segment in segments.usable:
            typer.echo(f"{segment.name}: {segment.description}")
        for fault in segments.faults.values():
            typer.echo(fault, err=True)
        if segments.faults:
            raise typer.Exit(EXIT_FAULT)


@segments_app.command("preview")
def preview(name: Name, as_json: AsJson = False) -> None:
    """Show how many people a segment would have with the lake as it is. Nothing is written."""
    with faults_as_sentences():
        from event_assets.defs.resources.rules import RulesResource
        from event_assets.defs.resources.spark import spark_resource
        from event_assets.stack import display
        from event_assets.stack.segments import preview as preview_of

        settings = current_settings()
        rules = RulesResource.of(settings, pii_key="").sessions
        found = preview_of(_lake(), spark_resource(settings).spark_session, _segments(), rules, name)
        if as_json:
            typer.echo(json.dumps(asdict(found)))
            return
        display.show_rows([{"day": day, "members": count} for day, count in found.members.items()], empty="")
        now = list(found.members.values())[-1]
        typer.echo(f"{name}: {now} of {found.people} people; on the last day {found.entered} came, {found.left} went.")


@segments_app.command("export")
def export(
    name: Name,
    place: Annotated[
        str, typer.Argument(help="Where to: a file or an object of s3://… that ends with .csv or .parquet.")
    ],
) -> None:
    """Write who is in a segment: person and since when, as segment_memberships last said."""
    with faults_as_sentences():
        from event_assets.audit import audit_log
        from event_assets.stack.segments import export_members

        audit_log(current_settings()).append("segment_exported", name, place=place)
        count = export_members(_lake(), _segments(), name, place)
        typer.echo(f"{count} people written to {place}")


def _segments() -> Segments:
    from event_assets.rules.segment_files import Segments

    return Segments.load(current_settings().segments)


def _lake() -> Lake:
    from event_assets.defs.resources.lake import LakeResource

    return LakeResource.of(current_settings()).open()
