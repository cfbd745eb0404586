"""What of the truth is of days that went by retention: it is not missed. What knows of more days than there are events
of is not judged by what is left."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterable, Iterator

from pyarrow import fs

from event_assets.settings import Settings
from event_assets.verification.reading import access
from event_assets.verification.report import Expectation

_OF_DAYS = frozenset({"collector", "clean_events", "enriched_events", "event_ledger"})
"""Components that say what events there are: of the days that are left they are judged. What came of raw records that
are gone already is told by these."""


def leave_out_expired(connection: sqlite3.Connection, settings: Settings) -> bool:
    """Takes the events out of `submissions` that happened, or arrived, on days that went. Gives whether days did."""
    horizons = _horizons(settings)
    if not horizons:
        return False
    happened, arrived = (_seconds(horizons.get(table, "")) for table in ("enriched_events", "clean_events"))
    connection.execute(
        "DELETE FROM submissions WHERE occurred_at < ? OR coalesce(acknowledged_at, sent_at, occurred_at) < ?",
        (happened, arrived),
    )
    return True


def of_days_that_are_left(report: Iterable[Expectation]) -> Iterator[Expectation]:
    """The lines, of which those about what knows of more days are not judged."""
    for line in report:
        if line.component in _OF_DAYS or line.ok:
            yield line
        else:
            yield line._replace(what=f"{line.what} (of days that are gone too)", ok=True, late=True)


def _horizons(settings: Settings) -> dict[str, str]:
    root, filesystem = settings.lake.removeprefix("s3://"), access(settings)[1]
    place = f"{root}/privacy/horizons.json"
    if filesystem.get_file_info(place).type != fs.FileType.File:
        return {}
    with filesystem.open_input_stream(place) as file:
        return dict(json.loads(file.read()))


def _seconds(day: str) -> float:
    """A day's beginning (UTC) since 1970; 0 without one."""
    return dt.datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() if day else 0.0
