"""Commands that run the local stack, or a part of it, until a signal ends them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from event_assets.cli.console import AsJson, app, console, current_settings, faults_as_sentences

if TYPE_CHECKING:
    from rich.console import Console

    from event_assets.embedded.record import StackRecord
    from event_assets.settings import Settings
    from event_assets.stack.local import LocalStack


@app.command()
def up(end_with_parent: Annotated[bool, typer.Option(hidden=True)] = False) -> None:
    """Start the local stack and keep it running until Ctrl-C."""
    with faults_as_sentences(), _running_stack(end_with_parent) as (out, stack):
        _show_addresses(out, stack.record)
        _watch(stack)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop when the summary is printed.")] = False,
    as_json: AsJson = False,
    events: Annotated[int, typer.Option(min=1, help="Events to send, about.")] = 20_000,
    seconds: Annotated[float, typer.Option(min=0, help="Seconds to send them in.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Seed of the made-up people.")] = 7,
    patience: Annotated[float, typer.Option(min=1, help="Seconds to wait while nothing moves.")] = 300.0,
    end_with_parent: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Start the stack, send an hour of a small site's life through it, and show what became of it."""
    with faults_as_sentences():
        from event_assets.stack.demo import describe_company

        describe_company(current_settings())
    with faults_as_sentences(), _running_stack(end_with_parent) as (out, stack):
        from event_assets.stack import display
        from event_assets.stack.demo import run_demo

        _show_addresses(out, stack.record)
        with display.demo_progress(out) as watch:
            result = run_demo(
                stack.settings,
                stack,
                events=events,
                seconds=seconds,
                seed=seed,
                patience_seconds=patience,
                watch=watch,
            )
        if as_json:
            typer.echo(json.dumps(result.as_dict()))
        else:
            display.show_summary(result, stack.record)
        if not once:
            out.print("The stack goes on until Ctrl-C.")
            _watch(stack)


@app.command("spark-server")
def spark_server(
    socket: Annotated[Path | None, typer.Option(help="Unix socket to listen on. Default: this home's.")] = None,
) -> None:
    """Serve the embedded Spark engine (Sail) to other processes of this user, until Ctrl-C.

    They reach it with EVENT_ASSETS_SPARK_REMOTE=unix:/path, which it prints.
    """
    with faults_as_sentences():
        from event_assets.embedded.sockets import socket_of
        from event_assets.embedded.spark_server import serve

        settings = current_settings()
        path = socket.absolute() if socket else socket_of(settings.home, "spark")
        console().print(f"Spark Connect at unix:{path}")
        serve(path, settings)


@contextlib.contextmanager
def _running_stack(end_with_parent: bool) -> Iterator[tuple[Console, LocalStack]]:
    """A started stack, which a signal to this process ends in order."""
    from event_assets.stack.guard import end_with_parent as end_with_parent_process
    from event_assets.stack.local import LocalStack

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    if end_with_parent:
        end_with_parent_process()
    out = console()
    settings = current_settings()
    _require_usable_rules(settings)
    stack = LocalStack(settings, report=lambda sentence: out.print(f"  {sentence}"))
    out.print("Starting the stack …")
    with contextlib.ExitStack() as until_end:
        until_end.callback(_stop, out, stack)
        stack.start()
        yield out, stack


def _require_usable_rules(settings: Settings) -> None:
    if settings.enrichments or settings.geo_databases or settings.currency_rates:
        from event_assets.defs.resources.rules import require_usable_rules

        sys.path.insert(0, os.getcwd())  # Dagster's processes, which are started with -m, find modules there too
        require_usable_rules(settings)


def _watch(stack: LocalStack) -> None:
    """Keep the stack running until a signal says otherwise, which is the ordinary end."""
    with contextlib.suppress(KeyboardInterrupt):
        stack.watch()


def _stop(out: Console, stack: LocalStack) -> None:
    # A second signal must not leave processes behind; the guards' deadlines bound how long this takes.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        out.print("Stopping the stack …")
    stack.stop()


def _show_addresses(out: Console, record: StackRecord) -> None:
    from event_assets.stack import display

    display.show_addresses(out, record)
