"""The `event-assets` command: what a person types, and what they read.

Each command calls one function elsewhere. Heavy modules are imported inside the commands, so that `--help` is quick.
"""

from __future__ import annotations

from typing import Annotated

import typer

from event_assets import __version__
from event_assets.cli.console import app

# The help shows the commands in the order of these.
# isort: off
from event_assets.cli import (
    stack,
    audit,
    events,
    inspect,
    rejected,
    rules,
    plan,
    segments,
    anomalies,
    explore,
    company,
    keys,
    privacy,
    holds,
    retention,
    stream,
    digest,
    quicksight,
    warehouse,
    aws,
)

# isort: on

__all__ = [
    "anomalies",
    "app",
    "audit",
    "aws",
    "company",
    "digest",
    "events",
    "explore",
    "holds",
    "inspect",
    "keys",
    "plan",
    "privacy",
    "quicksight",
    "rejected",
    "retention",
    "rules",
    "segments",
    "stack",
    "stream",
    "warehouse",
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
