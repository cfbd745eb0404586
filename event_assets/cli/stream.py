"""The event stream itself: made by whoever may make it, and shown."""

from __future__ import annotations

import json
from contextlib import nullcontext
from signal import SIGINT, SIGTERM, signal
from threading import Event
from typing import Annotated

import typer

from event_assets.cli.console import AsJson, app, console, current_settings, faults_as_sentences

stream_app = typer.Typer(help="The event stream: make it, look at its shards, stay with it.", no_args_is_help=True)
app.add_typer(stream_app, name="stream")


@stream_app.command("create")
def stream_create() -> None:
    """Make the stream that the settings name, with so many shards as they say; nothing happens if it is there."""
    with faults_as_sentences():
        from event_assets.streams import open_stream

        settings = current_settings()
        stream = open_stream(settings)
        try:
            stream.create(settings.stream_shards)
            shards = [shard for shard in stream.shards() if not shard.closed]
            console().print(f"{settings.stream} stream {stream.name} takes records on {len(shards)} shards.")
        finally:
            stream.close()


@stream_app.command("show")
def stream_show(as_json: AsJson = False) -> None:
    """Show every shard, its parents, and whether it takes records."""
    with faults_as_sentences():
        from event_assets.stack import display
        from event_assets.streams import open_stream

        settings = current_settings()
        stream = open_stream(settings)
        try:
            shards = stream.shards()
        finally:
            stream.close()
        rows = [
            {
                "shard": shard.shard_id,
                "parents": " ".join(shard.parents),
                "open": "no" if shard.closed else "yes",
            }
            for shard in shards
        ]
        if as_json:
            typer.echo(json.dumps(rows))
        else:
            display.show_rows(rows, empty="No shards.")


@stream_app.command("run")
def stream_run(
    once: Annotated[bool, typer.Option("--once", help="End with what is on the stream now.")] = False,
    every: Annotated[float, typer.Option(min=0, help="Seconds from one micro-batch to the next; 0: at once.")] = 0.0,
) -> None:
    """Bring the stream into the lake by one streaming query of Apache Spark's that stays: through raw_events and
    clean_events to enriched_events, each event once, wherever and as often as it is killed."""
    with faults_as_sentences():
        from event_assets.defs.automation.continuous import given
        from event_assets.defs.resources.lake import LakeResource
        from event_assets.defs.resources.rules import RulesResource
        from event_assets.defs.resources.spark import spark_resource
        from event_assets.pipeline.continuous import Continuous
        from event_assets.pipeline.run import Run
        from event_assets.streams import open_stream
        from event_assets.telemetry.process import tell_to

        settings = current_settings()
        tell_to(settings, "stream")
        stream = open_stream(settings)
        over = Event()
        for number in (SIGINT, SIGTERM):
            signal(number, lambda *_: over.set())
        try:
            keys = (settings.pii_key, settings.privacy_key)
            rules = RulesResource.of(settings, *(key.get_secret_value() if key else "" for key in keys))
            spark = spark_resource(settings)
            run = Run(LakeResource.of(settings).open(), rules, lambda: nullcontext(stream), lambda: spark.spark_session)
            query = Continuous(run, given(rules), stream, settings.backdate_days, once, over.is_set, every)
            for batch in query.stay():
                console().print(f"micro-batch {batch.number}: {batch.records:,} records in {batch.seconds:.1f} s")
        finally:
            stream.close()


@stream_app.command("skip-gap")
def stream_skip_gap(
    yes: Annotated[bool, typer.Option("--yes", help="The loss is known: go on without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Where records were trimmed before they were landed, and landing stopped: have it go on with the oldest record
    that is there. What lies between is lost."""
    with faults_as_sentences():
        from event_assets.contract.tables.events import RAW_EVENTS
        from event_assets.lake.lake import Lake
        from event_assets.lake.storage import Storage
        from event_assets.pipeline.land import checkpoint
        from event_assets.pipeline.stream_gaps import find_gaps, pass_gaps
        from event_assets.streams import open_stream

        settings = current_settings()
        lake = Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))
        stream = open_stream(settings)
        try:
            gaps = find_gaps(stream, checkpoint(lake.table(RAW_EVENTS.name).snapshot().progress, stream.name))
            if not as_json:
                for gap in gaps:
                    console().print(str(gap))
            if gaps and not yes:
                typer.confirm("Go on with what is there? What was between is lost.", abort=True)
            passed = pass_gaps(lake, stream)
        finally:
            stream.close()
        if as_json:
            rows = [{"shard": g.shard_id, "after": g.expected_after, "oldest": g.trim_horizon} for g in passed]
            typer.echo(json.dumps(rows))
        else:
            console().print(f"{len(passed)} gaps passed." if passed else "There is no gap.")
