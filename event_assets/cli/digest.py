"""Digests of the dashboards: sent now, and which there are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from event_assets.cli.console import EXIT_FAULT, app, current_settings, faults_as_sentences, warehouse_url_of

if TYPE_CHECKING:
    from event_assets.dashboards.digests.contents import Contents
    from event_assets.settings import Settings

digest_app = typer.Typer(help="Digests: pages of the dashboards by mail and webhook.", no_args_is_help=True)
app.add_typer(digest_app, name="digest")


@digest_app.command("list")
def list_() -> None:
    """Show the digests of the dashboard's file: name, when, to whom."""
    with faults_as_sentences():
        from event_assets.rules.dashboard import dashboard_of

        for name, digest in dashboard_of(current_settings().dashboards).digests.items():
            whom = ", ".join([*digest.to, *(["the webhook"] if digest.webhook else [])])
            typer.echo(f"{name}: {digest.cron} {digest.time_zone}, {', '.join(digest.pages)}, to {whom}")


@digest_app.command("send")
def send(
    name: Annotated[str, typer.Argument(help="The digest, as the dashboard's file names it.")],
    to: Annotated[
        list[str] | None,
        typer.Option(help="A mail address instead of those in the file; again for another. The webhook is left out."),
    ] = None,
    prints: Annotated[bool, typer.Option("--print", help="Print its text, and send nothing.")] = False,
) -> None:
    """Make a digest and send it. Exit status 1 where a way of it failed; the other is tried nevertheless."""
    with faults_as_sentences():
        settings = current_settings()
        contents = _contents(settings, name)
        if prints:
            from event_assets.dashboards.digests.contents import text_of_contents

            typer.echo(text_of_contents(contents), nl=False)
            return
        if not _sent(settings, name, contents, to):
            raise typer.Exit(EXIT_FAULT)


def _contents(settings: Settings, name: str) -> Contents:
    from importlib.util import find_spec

    from event_assets.embedded.service import StackError

    if find_spec("dash") is None:
        raise StackError("Digests need the dashboards: install event-assets[dashboard].")
    import psycopg

    from event_assets.dashboards.digests.contents import DigestError, contents_of
    from event_assets.dashboards.server import contexts_of

    with warehouse_url_of(settings) as url:
        if url is None:
            raise DigestError("There is no warehouse to read: start the stack, or set EVENT_ASSETS_WAREHOUSE_URL.")
        try:
            reading = [context for context in contexts_of(settings, url).values() if not context.role.rows]
            if not reading:
                raise DigestError("No role of the dashboards sees all rows, as which a digest could be read.")
            return contents_of(reading[0], name)
        except psycopg.Error as fault:
            raise DigestError(f"The warehouse does not answer: {str(fault).strip()}") from None


def _sent(settings: Settings, name: str, contents: Contents, to: list[str] | None) -> bool:
    from event_assets.dashboards.digests.contents import DigestError
    from event_assets.dashboards.digests.delivery import mail_of, post, send_mail
    from event_assets.rules.dashboard import dashboard_of

    digest = dashboard_of(settings.dashboards).digests[name]
    is_sent = True
    recipients = to or digest.to
    if recipients:
        try:
            send_mail(settings, mail_of(contents, settings.smtp_from or "", recipients))
            typer.echo(f"Sent to {', '.join(recipients)}")
        except DigestError as fault:
            print(fault, file=sys.stderr)
            is_sent = False
    if digest.webhook and not to:
        try:
            post(settings, contents)
            typer.echo("Posted to the webhook")
        except DigestError as fault:
            print(fault, file=sys.stderr)
            is_sent = False
    return is_sent
