"""The command that makes a lake readable again whose files a session without its settings wrote."""

from __future__ import annotations

import json

import typer

from event_assets.cli.console import AsJson, app, current_settings, faults_as_sentences


@app.command()
def heal(as_json: AsJson = False) -> None:
    """Write the lake's files that are not of their tables' types again, as a restarted Spark engine left them.

    Rows stay as they are. Where they were written in another time zone than UTC, their dates may be wrong: then the
    tables are marked, and materialising their days makes them again.
    """
    with faults_as_sentences():
        from event_assets.contract.tables import LAKE_TABLES
        from event_assets.lake.healing import heal as heal_tables
        from event_assets.lake.lake import Lake
        from event_assets.lake.storage import Storage

        settings = current_settings()
        lake = Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))
        healed = heal_tables(lake.table(spec.name) for spec in LAKE_TABLES)
        if as_json:
            typer.echo(json.dumps({"tables": [each._asdict() for each in healed]}))
            return
        for each in healed:
            if each.files:
                typer.echo(
                    f"{each.table}: {each.files} files written again, {each.rows} rows, zone {', '.join(each.zones)}"
                )
        again = [each.table for each in healed if each.to_be_made_again]
        if again:
            typer.echo(
                "Some were not in UTC, so dates may be wrong. To make them again, materialise for all days: "
                + ", ".join(again)
            )
        if not healed:
            typer.echo("Every file of the lake is of its table's types.")
