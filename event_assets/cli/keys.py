"""Keys: who may send events to the ingest API, and who may ask it for segments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from event_assets.cli.console import EXIT_FAULT, AsJson, app, console, current_settings, faults_as_sentences

if TYPE_CHECKING:
    from event_assets.audit import Action
    from event_assets.collector.keys import Trust, WriteKeys


keys_app = typer.Typer(help="Keys: who may send events, or ask for segments.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="What the source is called.")],
    platform: Annotated[
        Literal["web", "ios", "android", "desktop", "server", "tv", "console", "iot"],
        typer.Option(help="Its platform."),
    ] = "web",
    trusted: Annotated[
        bool, typer.Option("--trusted", help="May say of events whose address and user agent they have, and when.")
    ] = False,
    trusts: Annotated[
        list[str] | None,
        typer.Option(help="What alone of its events is believed: ip, user_agent or time. Repeatable."),
    ] = None,
    signed: Annotated[bool, typer.Option("--signed", help="Must sign its requests.")] = False,
    origin: Annotated[list[str] | None, typer.Option(help="Web origin that may use it; * for all. Repeatable.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Most events a second, or people asked for.")] = None,
    reads: Annotated[
        list[str] | None,
        typer.Option(help="Segment that it may ask for, * for all: a read key, which sends nothing. Repeatable."),
    ] = None,
    for_privacy: Annotated[
        bool, typer.Option("--for-privacy", help="Says what people ask for, signed, and does nothing else.")
    ] = False,
) -> None:
    """Make a key and print it, this once."""
    if trusted and trusts:
        raise typer.BadParameter("--trusted is all that --trusts can name: say one of them")
    if for_privacy and (reads or trusted or trusts or origin):
        raise typer.BadParameter("a key for privacy does nothing else: neither --reads, --trusted nor --origin")
    if reads and (signed or trusted or trusts):
        raise typer.BadParameter("a read key sends nothing: neither --signed nor --trusted goes with --reads")
    with faults_as_sentences():
        believed = _believed(trusts or ())
        key = _keys().create(
            name,
            platform,
            trusted,
            trusts=believed,
            signed=signed,
            allowed_origins=tuple(origin or ()),
            events_per_second=rate,
            reads=tuple(reads or ()),
            for_privacy=for_privacy,
        )
        _log(
            "key_created",
            key.split("_")[1],
            name=name,
            platform=platform,
            trusted=trusted,
            trusts=list(trusts or ()),
            reads=list(reads or ()),
            for_privacy=for_privacy,
        )
        typer.echo(key)
        console().print(
            "It is not shown again: only its hash is kept." if not (signed or for_privacy) else "It is not shown again."
        )
        if platform == "web" and not origin and not for_privacy:
            console().print("No page of a site may use it yet: --origin https://www.example.com allows yours.")


@keys_app.command("list")
def keys_list(as_json: AsJson = False) -> None:
    """Show all keys, without the keys themselves."""
    with faults_as_sentences():
        from event_assets.stack import display

        rows = [display.source_row(source) for source in _keys().sources()]
        if as_json:
            typer.echo(json.dumps(rows))
        else:
            display.show_rows(rows, empty="No keys yet. Make one: event-assets keys create NAME")


@keys_app.command("revoke")
def keys_revoke(key: Annotated[str, typer.Argument(help="The key, or its id.")]) -> None:
    """End a key; the ingest API refuses it within a second."""
    with faults_as_sentences():
        if not _keys().revoke(key):
            console().print("There is no such key in force.", style="red")
            raise typer.Exit(EXIT_FAULT)
        _log("key_revoked", key.split("_")[1] if "_" in key else key)
        console().print("Revoked.")


def _believed(names: Sequence[str]) -> tuple[Trust, ...]:
    from event_assets.collector.keys import TRUSTS

    for name in names:
        if name not in TRUSTS:
            raise typer.BadParameter(f"--trusts {name!r}: it can be {', '.join(TRUSTS)}")
    return tuple(trust for trust in TRUSTS if trust in names)


def _log(action: Action, key_id: str, **said: Any) -> None:
    from event_assets.audit import audit_log

    audit_log(current_settings()).append(action, key_id, **said)


def _keys() -> WriteKeys:
    from event_assets.collector.keys import WriteKeys

    return WriteKeys.of(current_settings())
