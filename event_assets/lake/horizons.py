"""Since when each table by days is whole: earlier days went by retention, and are never made again of what is left.

They lie beside the lake's tables, not in one, so that a table that is deleted does not forget what its upstream has no
more. A horizon is written before the commit that takes days away: whoever sees a table without them knows why. What
goes when is not known here.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping

from event_assets.contract.tables.schema import Table
from event_assets.lake.files import LakeFile
from event_assets.lake.storage import Storage

FILE = "privacy/horizons.json"
MARGIN = dt.timedelta(days=3)
"""Days after a horizon that are not made again either: what began before it reaches into them, by a session or by the
clock of a site."""


MADE_OF = {
    **dict.fromkeys(("clean_events", "quarantined_events"), "raw_events"),
    "enriched_events": "clean_events",
    **dict.fromkeys(("sessions", "page_views", "session_issues"), "enriched_events"),
}
"""Tables of which days go, each with the one that its days are made of."""


def read_horizons(storage: Storage) -> dict[str, str]:
    """The first day of each table from which on it is whole; tables of which nothing went are not there."""
    try:
        return dict(json.loads(storage.read(FILE)))
    except FileNotFoundError:
        return {}


def raise_horizons(storage: Storage, days: Mapping[str, str]) -> dict[str, str]:
    """Notes that these tables are whole from these days on. A horizon never goes back. Gives all."""
    known = read_horizons(storage)
    raised = {**known, **{name: max(day, known.get(name, day)) for name, day in days.items()}}
    if raised != known:
        storage.replace(FILE, json.dumps(dict(sorted(raised.items())), indent=1).encode())
    return raised


def note_made_anew(storage: Storage, table: str) -> None:
    """Notes of a table that is made while days are gone that it is whole since what it is made of is, and no longer."""
    upstream = read_horizons(storage).get(MADE_OF.get(table, ""))
    if upstream is not None:
        raise_horizons(storage, {table: upstream})


def day_of(file: LakeFile) -> str | None:
    """The day that a file of a table by days is of."""
    return file.partition.get("event_date") or file.partition.get("arrival_date")


def is_before(file: LakeFile, horizon: str) -> bool:
    """Whether the file is of a day before the horizon."""
    day = day_of(file)
    return bool(horizon) and day is not None and day < horizon


def closed_before(spec: Table, horizons: Iterable[str]) -> str:
    """The first day of a table that is made of whole days, by the horizons of itself and of what it is made of; empty
    where all are. What lies by days of arrival is made of days that end with the day."""
    latest = max(horizons, default="")
    if not latest or spec.partition_by[:1] == ("arrival_date",):
        return latest
    return str(dt.date.fromisoformat(latest) + MARGIN)
