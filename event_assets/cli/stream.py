"""The event stream itself: made by whoever may make it, and shown."""

from __future__ import annotations

import json

import typer

from event_assets.cli.console import AsJson, app, console, current_settings, faults_as_sentences

stream_app = typer.Typer(help="The event stream: make it, look at its shards.", no_args_is_help=True)
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
