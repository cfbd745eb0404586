"""What all commands share: the application, where they print, the settings, and faults as sentences."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from event_assets.settings import Settings


app = typer.Typer(
    name="event-assets",
    help="Behavioural-event analytics as Dagster assets, from the client SDK to the warehouse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

EXIT_FAULT = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]


def console() -> Console:
    """Where everything goes that is not the result: standard error."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def current_settings() -> Settings:
    from event_assets.settings import load_settings

    return load_settings()


@contextlib.contextmanager
def faults_as_sentences() -> Iterator[None]:
    """What can go wrong by circumstances is one sentence on standard error, not a traceback."""
    from event_assets.settings import SettingsError

    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except SettingsError as fault:
        _fail(fault, EXIT_USAGE)
    except Exception as fault:
        if type(fault).__name__ not in _CIRCUMSTANCES:
            raise
        _fail(fault, EXIT_USAGE if type(fault).__name__ in _OF_INPUT else EXIT_FAULT)


_CIRCUMSTANCES = frozenset(
    {
        "AnomalyError",
        "DemoFailed",
        "FileNotFoundError",
        "ImportStopped",
        "KeyFileError",
        "MappingError",
        "ModelInputError",
        "PlanError",
        "SendError",
        "StackError",
        "StreamBusy",
        "StreamDamaged",
        "StreamError",
        "StreamFull",
        "StreamGap",
        "StreamNotFound",
        "StreamReadOnly",
        "TrafficError",
        "UnreadableFile",
    }
)
"""Errors whose message says all there is to say. By name, so that no command imports what it does not use."""


_OF_INPUT = frozenset({"MappingError", "ModelInputError", "UnreadableFile"})
"""Those that say that what was given cannot be used, before anything was done."""


def _fail(fault: Exception, code: int) -> None:
    print(fault, file=sys.stderr)
    raise typer.Exit(code)
