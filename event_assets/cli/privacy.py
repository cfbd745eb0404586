"""Privacy: people who asked to be erased, until the receipt; to see their data; to have it corrected."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from event_assets.cli.console import (
    EXIT_FAULT,
    AsJson,
    app,
    current_settings,
    faults_as_sentences,
    warehouse_url_of,
)

if TYPE_CHECKING:
    from event_assets.lake.lake import Lake
    from event_assets.privacy.requests import Request
    from event_assets.privacy.run import Surroundings

privacy_app = typer.Typer(help="Privacy: erase people, give them their data, correct it.", no_args_is_help=True)
app.add_typer(privacy_app, name="privacy")


@privacy_app.command("erase")
def erase(
    user_id: Annotated[list[str] | None, typer.Option(help="User id of the person. Repeatable.")] = None,
    anonymous_id: Annotated[list[str] | None, typer.Option(help="Device of the person. Repeatable.")] = None,
    email: Annotated[
        list[str] | None, typer.Option(help="E-mail address that a trait of the person says, or said. Repeatable.")
    ] = None,
    device_events: Annotated[
        Literal["keep", "erase"],
        typer.Option(help="What becomes of events without a user on devices that others use too."),
    ] = "keep",
    linked_users: Annotated[
        Literal["keep", "erase"] | None,
        typer.Option(help="What becomes of other user ids of the same person. Asked for where there are any."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would touch.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask for a person to be erased. It is done by the next `privacy run`, or by Dagster at night."""
    if not (user_id or anonymous_id or email):
        raise typer.BadParameter("name somebody: --user-id, --anonymous-id or --email")
    with faults_as_sentences():
        from event_assets.audit import audit_log
        from event_assets.lake.tombstones import ErasureRules
        from event_assets.privacy.closure import Named
        from event_assets.privacy.finding import People, touched_by
        from event_assets.privacy.requests import preview_erasure, request_erasure

        settings, now = current_settings(), dt.datetime.now(dt.UTC)
        named = Named(tuple(user_id or ()), tuple(anonymous_id or ()), tuple(email or ()), device_events, linked_users)
        lake = _lake()
        make = preview_erasure if dry_run else request_erasure
        request = make(lake, settings, named, now)
        shown: dict[str, Any] = _row(request)
        if dry_run:
            shown |= {"events": touched_by(lake, People([request], ErasureRules.of(settings)))}
        else:
            audit_log(settings).append("erasure_requested", request.id)
        if as_json:
            typer.echo(json.dumps(shown))
            return
        ids = request.closure
        typer.echo(
            f"{len(ids.users)} user ids and {len(ids.devices)} devices"
            + (f", {shown['events']} events that are cleaned" if dry_run else "")
            + (f"; {len(ids.shared)} devices are shared with others" if ids.shared else "")
            + (f"; {len(ids.kept_users)} linked user ids stay" if ids.kept_users else "")
            + (". Nothing was changed." if dry_run else f". Request {request.id}, due by {request.deadline:%Y-%m-%d}.")
        )


@privacy_app.command("requests")
def list_requests(as_json: AsJson = False) -> None:
    """Show all requests: their state, and when they are due."""
    with faults_as_sentences():
        from event_assets.lake.asked import all_asked
        from event_assets.privacy.requests import requests
        from event_assets.stack import display

        lake = _lake()
        rows = [_row(request) for request in requests(lake.storage)] + [
            {
                "request": asked.id,
                "state": f"{asked.kind}: {asked.state}",
                "requested_at": f"{asked.asked_at:%Y-%m-%d %H:%M}",
                "due": f"{asked.due:%Y-%m-%d}",
                "note": asked.note,
            }
            for asked in all_asked(lake.storage)
            if asked.state != "taken"
        ]
        if as_json:
            typer.echo(json.dumps(rows))
        else:
            display.show_rows(rows, empty="Nobody has asked for anything.")


@privacy_app.command("run")
def run(as_json: AsJson = False) -> None:
    """Work off all open requests: erase, scan everything, sign a receipt. Exit status 1 where something is left."""
    with faults_as_sentences():
        from event_assets.privacy.asked import take_asked
        from event_assets.privacy.run import run_erasures

        take_asked(_lake(), current_settings())
        with _surroundings() as around:
            outcome = run_erasures(around)
        if as_json:
            typer.echo(json.dumps({"requests": outcome.requests, "state": outcome.state, "note": outcome.note,
                                   "receipt": outcome.receipt}))  # fmt: skip
        else:
            typer.echo(f"{outcome.requests} requests: {outcome.state}. {outcome.note}")
        if outcome.state != "done":
            raise typer.Exit(EXIT_FAULT)


@privacy_app.command("export")
def export(
    to: Annotated[Path, typer.Argument(help="The zip to be written.")],
    user_id: Annotated[list[str] | None, typer.Option(help="User id of the person. Repeatable.")] = None,
    anonymous_id: Annotated[list[str] | None, typer.Option(help="Device of the person. Repeatable.")] = None,
    email: Annotated[
        list[str] | None, typer.Option(help="E-mail address that a trait of the person says, or said. Repeatable.")
    ] = None,
    linked_users: Annotated[
        Literal["leave-out", "include"] | None,
        typer.Option(help="What becomes of other user ids of the same person. Asked for where there are any."),
    ] = None,
    request: Annotated[
        str | None, typer.Option(help="Answer this request of the ingest API, which says whom it is of.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what there is about a person: a zip with a page that says what is in it, each table as NDJSON and CSV."""
    if not (user_id or anonymous_id or email or request):
        raise typer.BadParameter("name somebody: --user-id, --anonymous-id, --email or --request")
    with faults_as_sentences():
        from event_assets.audit import audit_log
        from event_assets.lake.asked import read_asked, write_asked
        from event_assets.lake.tombstones import ErasureRules
        from event_assets.privacy.asked import named_by
        from event_assets.privacy.closure import LinkedUsers, Named, closure_of
        from event_assets.privacy.exporting import export_people

        settings, now, lake = current_settings(), dt.datetime.now(dt.UTC), _lake()
        rules = ErasureRules.of(settings)
        linked: Literal["keep", "erase"] | None = None
        if linked_users is not None:
            linked = "erase" if linked_users == "include" else "keep"
        named = Named(tuple(user_id or ()), tuple(anonymous_id or ()), tuple(email or ()), linked_users=linked)
        asked = read_asked(lake.storage, request) if request else None
        if request and (asked is None or asked.kind != "access" or asked.state != "queued"):
            raise typer.BadParameter(f"{request} is no request for access that waits (privacy requests lists them)")
        if asked is not None:
            named = replace(named_by(asked), linked_users=linked or asked.linked_users)
        try:
            closure = closure_of(lake, rules, named)
        except LinkedUsers as several:
            words = str(several).replace("--linked-users erase, or keep", "--linked-users include, or leave-out")
            raise LinkedUsers(words) from None
        audit_log(settings).append(
            "person_exported", request or "1 person", users=len(closure.users), devices=len(closure.devices)
        )
        rows = export_people(lake, closure, rules, to, now).rows
        if asked is not None:
            write_asked(lake.storage, asked.closed("done"))
        if as_json:
            typer.echo(json.dumps({"file": str(to), "rows": rows}))
        else:
            typer.echo(f"{sum(rows.values())} rows of {len(rows)} tables are in {to}. Open index.html in it first.")


@privacy_app.command("rectify")
def rectify(
    user_id: Annotated[str, typer.Option(help="User id of the person.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="A trait, NAME=TEXT. Repeatable.")] = None,
    set_json: Annotated[
        list[str] | None, typer.Option(help="A trait that is no text, NAME=JSON, such as age=41. Repeatable.")
    ] = None,
    unset: Annotated[list[str] | None, typer.Option(help="A trait to be taken back. Repeatable.")] = None,
) -> None:
    """Correct traits of a person, from now on. It is an event as any other: the next run brings it into the tables."""
    traits: dict[str, Any] = dict.fromkeys(unset or ())
    traits |= dict(map(_named_value, set_ or ()))
    for name, value in map(_named_value, set_json or ()):
        try:
            traits[name] = json.loads(value)
        except ValueError:
            raise typer.BadParameter(f"{value!r} is no JSON: write a text with --set {name}=…") from None
    if not traits:
        raise typer.BadParameter("say what is right: --set NAME=TEXT, --set-json NAME=JSON or --unset NAME")
    with faults_as_sentences():
        from event_assets.audit import audit_log
        from event_assets.importing import StreamSink
        from event_assets.privacy.rectifying import correction
        from event_assets.streams import open_stream

        settings = current_settings()
        audit_log(settings).append("traits_corrected", "1 person", traits=sorted(traits))
        stream = open_stream(settings)
        try:
            written = StreamSink(settings, stream).write([correction(user_id, traits, dt.datetime.now(dt.UTC))])
        finally:
            stream.close()
        if not written.accepted:
            reason = ", ".join(written.aside) or "the person was erased"
            typer.echo(f"The correction was not taken: {reason}.", err=True)
            raise typer.Exit(EXIT_FAULT)
        typer.echo(f"{len(traits)} traits corrected; the next run brings it into the tables.")


def _named_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text!r} names no trait: write NAME=VALUE")
    return name, value


@privacy_app.command("verify-receipt")
def verify_receipt(files: Annotated[list[Path], typer.Argument(help="The receipts' files.")]) -> None:
    """Tell whether receipts are as this installation signed them. Exit status 1 where one is not."""
    with faults_as_sentences():
        from event_assets.lake.tombstones import ErasureRules
        from event_assets.privacy.receipts import is_genuine, read_receipt

        rules, forged = ErasureRules.of(current_settings()), False
        for file in files:
            receipt = read_receipt(file)
            if not is_genuine(receipt, rules):
                forged = True
                typer.echo(f"{file} is not as this installation's key signed it.", err=True)
                continue
            found = sum(receipt["scan"]["found"].values())
            typer.echo(f"{file} is genuine: {receipt['events']} events erased, {found} mentions found afterwards.")
        if forged:
            raise typer.Exit(EXIT_FAULT)


@contextmanager
def _surroundings() -> Iterator[Surroundings]:
    from dagster import DagsterInstance

    from event_assets.defs.automation.erasures import dagster_home, surroundings
    from event_assets.defs.resources.rules import RulesResource
    from event_assets.defs.resources.spark import spark_resource
    from event_assets.defs.resources.stream import StreamResource
    from event_assets.warehouse.warehouse import Warehouse

    settings = current_settings()
    rules = RulesResource.of(
        settings,
        settings.pii_key.get_secret_value() if settings.pii_key else "",
        settings.privacy_key.get_secret_value() if settings.privacy_key else "",
    )
    home = dagster_home()
    with warehouse_url_of(settings) as url, DagsterInstance.get() if home else nullcontext() as instance:
        yield surroundings(
            settings,
            _lake(),
            rules,
            Warehouse.from_settings(settings, url) if url else None,
            url,
            StreamResource.of(settings).open,
            lambda: spark_resource(settings).spark_session,
            home,
            instance,
        )


def _row(request: Request) -> dict[str, Any]:
    return {
        "request": request.id,
        "state": request.state,
        "requested_at": f"{request.requested_at:%Y-%m-%d %H:%M}",
        "due": f"{request.deadline:%Y-%m-%d}",
        **request.people,
        "note": request.note,
    }


def _lake() -> Lake:
    from event_assets.defs.resources.lake import LakeResource

    return LakeResource.of(current_settings()).open()
