"""What the options of a client may be, and which file its queue is where none is named."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from event_assets_sdk.events import MAX_EVENT_BYTES
from event_assets_sdk.report import Report

_MOST_EVENTS = 500
_MOST_BATCH_BYTES = 1_000_000


def check_range(name: str, value: float, least: float, most: float) -> None:
    """Raises `ValueError` where the option is out of its range."""
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}: it must be from {least} to {most}")


def queue_file(given: str | os.PathLike[str] | None, endpoint: str, write_key: str, report: Report) -> Path | None:
    """The queue's file; None, and a problem, where there is no home folder to put it into."""
    if given is not None:
        return Path(given).absolute()
    name = hashlib.sha256(f"{endpoint}\n{write_key}".encode()).hexdigest()[:16]
    try:
        return Path.home() / ".event-assets-sdk" / f"{name}.sqlite"
    except RuntimeError:
        report.problem("storage", "there is no home folder: name a file as queue_path; events are kept in memory")
        return None


def check_sizes(batch_size: int, batch_bytes: int, queue_bytes: int) -> None:
    """Raises `ValueError` where a batch or the queue cannot be so large."""
    check_range("batch_size", batch_size, 1, _MOST_EVENTS)
    check_range("batch_bytes", batch_bytes, 1, _MOST_BATCH_BYTES)
    check_range("queue_bytes", queue_bytes, MAX_EVENT_BYTES, 2**62)


def check_seconds(**options: float) -> None:
    """Raises `ValueError` where one of these is no time between a millisecond and a day."""
    for name, seconds in options.items():
        check_range(name, seconds, 0.001, 86_400)


def check_choices(when_full: object, disk: object) -> None:
    """Raises `ValueError` where one of these is none of its choices."""
    if when_full not in ("drop_oldest", "drop_newest"):
        raise ValueError(f"when_full is {when_full!r}: it must be 'drop_oldest' or 'drop_newest'")
    if disk not in (True, False, "spool"):
        raise ValueError(f"disk is {disk!r}: it must be True, False or 'spool'")
