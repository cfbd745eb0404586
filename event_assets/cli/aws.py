"""An installation on AWS: whether it is as it has to be."""

from __future__ import annotations

import json

import typer

from event_assets.cli.console import EXIT_FAULT, AsJson, app, current_settings, faults_as_sentences

aws_app = typer.Typer(help="An installation on AWS.", no_args_is_help=True)
app.add_typer(aws_app, name="aws")


@aws_app.callback()
def aws() -> None:
    """An installation on AWS."""


@aws_app.command("doctor")
def doctor(as_json: AsJson = False) -> None:
    """Do what the platform does on stream, bucket, keys, warehouse and Spark, and undo it; name each fault and what to
    do. Exit status 1 where there is one."""
    with faults_as_sentences():
        from event_assets.doctor.aws import examine_aws

        found = []
        for part in examine_aws(current_settings()):
            found.append(part)
            for line in () if as_json else part.lines():
                typer.echo(line)
        if as_json:
            typer.echo(json.dumps([part._asdict() for part in found]))
        if any(part.fault is not None for part in found):
            raise typer.Exit(EXIT_FAULT)
