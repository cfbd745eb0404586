"""What all commands share: the application, where they print, the settings, and faults as sentences."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NoReturn

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
def warehouse_url_of(settings: Settings) -> Iterator[str | None]:
    """The warehouse's address: the settings', the stack's, else the embedded one's while the block runs. None where
    there is none yet."""
    from event_assets.embedded.record import read_record

    record = read_record(settings.home)
    if settings.warehouse_url is not None:
        yield settings.warehouse_url.get_secret_value()
    elif record is not None:
        yield record.warehouse_url
    elif (settings.home / "postgres" / "PG_VERSION").exists():
        from event_assets.embedded.postgres import open_postgres

        with open_postgres(settings.home) as url:
            yield url
    else:
        yield None


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
        if isinstance(fault, OSError) and (sentence := _of_the_disk(fault)) is not None:
            _fail(sentence, EXIT_FAULT)
        if type(fault).__name__ not in _CIRCUMSTANCES:
            raise
        _fail(fault, EXIT_USAGE if type(fault).__name__ in _OF_INPUT else EXIT_FAULT)


_CIRCUMSTANCES = frozenset(
    {
        "AnomalyError",
        "AuditFault",
        "CompanyError",
        "DemoFailed",
        "DigestError",
        "ErasureRunning",
        "ExploreError",
        "FileNotFoundError",
        "HoldError",
        "ImportStopped",
        "IncidentError",
        "KeyFileError",
        "LakeDamaged",
        "LinkedUsers",
        "MappingError",
        "ModelInputError",
        "NoSuchHold",
        "PlanError",
        "QuickSightError",
        "RolesError",
        "RuleError",
        "SegmentError",
        "SendError",
        "StackError",
        "StreamBusy",
        "StreamDamaged",
        "StreamError",
        "StreamFull",
        "StreamGap",
        "StreamNotFound",
        "StreamReadOnly",
        "StreamingQueryException",
        "TrafficError",
        "UnreadableFile",
        "WrongPrivacyKey",
    }
)
"""Errors whose message says all there is to say. By name, so that no command imports what it does not use."""


_OF_INPUT = frozenset({"HoldError", "LinkedUsers", "MappingError", "ModelInputError", "NoSuchHold", "UnreadableFile"})
"""Those that say that what was given cannot be used, before anything was done."""


def _of_the_disk(fault: OSError) -> str | None:
    """What to do where a file may not be written, or there is no room for it; None where it is something else."""
    where = fault.filename or "A file"
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where} cannot be written ({fault.strerror}): make room on its disk."
    if fault.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return (
            f"{where} cannot be used ({fault.strerror}): give this user the right to it, or set EVENT_ASSETS_HOME to a "
            "folder that can be written."
        )
    return None


def _fail(fault: Exception | str, code: int) -> NoReturn:
    print(fault, file=sys.stderr)
    raise typer.Exit(code)
