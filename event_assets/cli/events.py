"""Commands that bring events: made up, from a file, or through every step into Parquet."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from event_assets.cli.console import EXIT_FAULT, EXIT_USAGE, AsJson, app, console, current_settings, faults_as_sentences

if TYPE_CHECKING:
    from event_assets.importing import ImportFile, Rules

FormatOption = Annotated[
    Literal["segment", "rudderstack", "snowplow", "posthog", "amplitude", "mixpanel", "ga4"] | None,
    typer.Option("--format", help="Whose SDKs sent what is in the file: their requests, or single events of them."),
]
PlatformOption = Annotated[
    Literal["web", "ios", "android", "desktop", "server", "tv", "console", "iot"],
    typer.Option(help="With --format: the platform of events that do not say theirs."),
]


@app.command()
def simulate(
    events: Annotated[int, typer.Option(min=1, help="Events to send, about.")] = 20_000,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds to send them in.")] = 30.0,
    hours: Annotated[float, typer.Option(min=0.01, help="Hours of life that they are, up to now.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the made-up people.")] = 7,
    rate: Annotated[
        list[str] | None, typer.Option(help="A fault's rate, NAME=SHARE, such as duplicate=0.1. Repeatable.")
    ] = None,
    anomaly: Annotated[
        list[str] | None,
        typer.Option(help="An anomaly to plant, KIND[,FROM,TO[,STRENGTH]], such as bot_wave. Repeatable."),
    ] = None,
    endpoint: Annotated[str | None, typer.Option(help="Ingest API. Default: the running stack's.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Write key. Default: one of its own, for as long as it sends.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send made-up traffic with faults in it, and write down the truth that `verify` holds every stage against."""
    with faults_as_sentences():
        from event_assets.simulator.local import local_endpoint, simulate_locally
        from event_assets.simulator.run import run_simulation
        from event_assets.simulator.traffic import Traffic, rates_of
        from event_assets.stack import display

        settings, rates = current_settings(), rates_of(dict(_named_number(each) for each in rate or ()))
        traffic = Traffic(seed, events, seconds, hours, rates, tuple(anomaly or ()))
        where = endpoint or local_endpoint(settings)
        with display.simulation_progress(console()) as watch:
            if key is None:
                result = simulate_locally(settings, where, traffic, watch)
            else:
                result = run_simulation(settings, where, key, None, progress=watch, **traffic.arguments())
        if as_json:
            typer.echo(json.dumps(result.as_dict()))
        else:
            display.show_simulation(result)


def _named_number(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no rate: write NAME=SHARE, such as duplicate=0.1") from None


@app.command("import")
def import_(
    place: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="Events as JSON, CSV or Parquet, packed or not: a file, a folder, a quoted pattern; s3:// too.",
        ),
    ],
    mapping: Annotated[
        str | None,
        typer.Option(help="YAML file that maps the file's fields to the contract's, or a shipped one's name."),
    ] = None,
    format_: FormatOption = None,
    platform: PlatformOption = "web",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; show the first events, and what would be quarantined.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Feed files of events onto the stream, as a trusted source. A running stack takes them from there.

    Exit status 1 where no line is an event or a path of the mapping is in none, 2 where something cannot be read.
    """
    if mapping and format_:
        raise typer.BadParameter("--mapping and --format exclude each other")
    with faults_as_sentences():
        from event_assets.importing import (
            Preview,
            StreamSink,
            Translator,
            files_at,
            find_mapping,
            import_files,
            protocol_of,
        )
        from event_assets.stack import display
        from event_assets.streams import open_stream

        settings = current_settings()
        by_path = find_mapping(mapping) if mapping else None
        files = files_at(place, settings)

        def rules_of(file: ImportFile) -> Rules:
            return Translator(format_, file.name, platform) if format_ else by_path

        preview = Preview(settings) if dry_run else None
        with display.import_progress(console(), place) as watch:
            if preview is not None:
                result = import_files(place, files, rules_of, preview, watch)
            else:
                with contextlib.closing(open_stream(settings)) as stream:
                    stream.create(settings.stream_shards)
                    sink = StreamSink(settings, stream, protocol=protocol_of(format_) if format_ else None)
                    marks = settings.home / "imports"
                    result = import_files(place, files, rules_of, sink, watch, bookmarks=marks)
        if as_json:
            typer.echo(json.dumps(result.as_dict() | (preview.shown() if preview else {})))
        else:
            if preview is not None:
                display.show_preview(preview)
            display.show_import(result)
        if result.unread:
            raise typer.Exit(EXIT_USAGE)
        if result.never_found or result.is_refused:
            raise typer.Exit(EXIT_FAULT)


@app.command()
def model(
    events: Annotated[Path, typer.Argument(help="Events as JSON, CSV or Parquet, packed or not; - for stdin.")],
    out: Annotated[Path, typer.Option(help="Folder for the tables, each as <table>/<table>.parquet.")],
    settings_file: Annotated[
        Path | None,
        typer.Option("--settings", help="YAML or JSON file of settings by name: session_timeout_minutes: 30."),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(help="YAML file that maps the file's fields to the contract's, or a shipped one's name."),
    ] = None,
    format_: FormatOption = None,
    platform: PlatformOption = "web",
    as_json: AsJson = False,
) -> None:
    """Run a file of events from a trusted source through every step, and write each table as Parquet.

    Ids and times are taken as given. An event without received_at gets its sent_at, else its occurred_at. Without a
    plan_dir there is no tracking plan. Exit status 1 where the ledger does not balance or no line is an event, 2 where
    something cannot be read.
    """
    if mapping and format_:
        raise typer.BadParameter("--mapping and --format exclude each other")
    with faults_as_sentences():
        from event_assets.importing import Translator
        from event_assets.stack import display
        from event_assets.stack.modelling import model_file

        rules = Translator(format_, events.name, platform) if format_ else mapping

        with display.parts_in_turn(console()) as watch:
            modelled = model_file(events, out, settings_file, rules, watch=watch)
        if as_json:
            typer.echo(json.dumps(modelled.as_dict()))
        else:
            display.show_modelled(modelled)
        if not modelled.reconciliation.balance or modelled.reconciliation.is_refused:
            raise typer.Exit(EXIT_FAULT)
