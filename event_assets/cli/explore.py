"""Explore: an analysis of a file, made and shown without an asset."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated

import typer

from event_assets.cli.console import AsJson, app, current_settings, faults_as_sentences

_MOST_ROWS = 200


@app.command("explore")
def explore(
    file: Annotated[Path, typer.Argument(help="The analysis: a YAML file, as in the folder of analyses.")],
    picture: Annotated[Path | None, typer.Option(help="Draw it into this file: .svg or .png.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write all rows into this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an analysis over the lake as it is and print its rows. No asset is made, and nothing is kept."""
    with faults_as_sentences():
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.defs.resources.rules import RulesResource
        from event_assets.defs.resources.spark import spark_resource
        from event_assets.rules.analysis import ANALYSIS_FILE
        from event_assets.stack import display, exploring

        if picture is not None and picture.suffix not in (".svg", ".png"):
            raise typer.BadParameter(f"{picture}: a picture's name ends with .svg or .png", param_hint="--picture")
        analysis, settings = ANALYSIS_FILE.read(file), current_settings()
        lake, rules = LakeResource.of(settings).open(), RulesResource.of(settings, pii_key="").sessions
        rows = exploring.explore(lake, spark_resource(settings).spark_session, analysis, rules)
        if csv_file is not None:
            with csv_file.open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, [name for name in analysis.table.column_names if name != "analysis"])
                writer.writeheader()
                writer.writerows(rows)
        if picture is not None:
            from event_assets.dashboards.analyses import figure_of_rows
            from event_assets.dashboards.pictures import picture_of

            drawn = picture_of(analysis.kind, figure_of_rows(analysis, rows), format_=picture.suffix[1:])
            picture.write_bytes(drawn)
        if as_json:
            typer.echo(json.dumps(rows, default=str))
            return
        display.show_rows(rows[:_MOST_ROWS], empty="Nothing: no event counts. Look at the names of events and fields.")
        if len(rows) > _MOST_ROWS:
            typer.echo(f"The first {_MOST_ROWS} of {len(rows)} rows; --csv FILE writes all.")
