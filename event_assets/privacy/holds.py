"""Legal holds: what must not be deleted for now, neither because somebody asked for it nor because its time is over.

A hold is a file beside the lake's tables; released, it stays and says so. Which rows of a table are held is told in
held.py.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.events import CLEAN_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage

FOLDER = "privacy/holds"


@dataclass(frozen=True)
class Hold:
    """One hold: of people, apps or days; of several of these, what is of all of them. `people` are ids as the clean
    tables have them; `first_day` and `last_day` (UTC) are both held."""

    id: str
    at: str
    why: str
    people: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    first_day: str = ""
    last_day: str = ""
    released_at: str = ""

    @property
    def is_active(self) -> bool:
        return not self.released_at

    @property
    def sentence(self) -> str:
        """Why something waits."""
        return f"legal hold {self.id} since {self.at[:10]}: {self.why}"

    def holds_day(self, day: str) -> bool:
        """Whether rows of this day may be held."""
        return not self.first_day or self.first_day <= day <= self.last_day

    def covers_all_of(self, day: str) -> bool:
        """Whether all rows of the day are held."""
        return not self.people and not self.apps and self.holds_day(day)


class HoldError(ValueError):
    """A hold cannot be made so. The message says what it needs."""


class NoSuchHold(HoldError):
    """There is no hold of this name, or it is released. The message names those that there are."""


def add_hold(
    storage: Storage,
    now: dt.datetime,
    why: str,
    people: tuple[str, ...] = (),
    apps: tuple[str, ...] = (),
    days: tuple[dt.date, dt.date] | None = None,
) -> Hold:
    """Makes a hold, in force from now on. Raises `HoldError` where it is of nothing, or does not say why."""
    if not (people or apps or days):
        raise HoldError("A hold is of people, apps or days: name some.")
    if not why.strip():
        raise HoldError("A hold says why: name the matter, such as a case number.")
    first, last = days or ("", "")
    if days and days[0] > days[1]:
        raise HoldError(f"The days end ({last}) before they begin ({first}).")
    name = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    hold = Hold(name, now.isoformat(timespec="seconds"), why.strip(), people, apps, str(first), str(last))
    _write(storage, hold)
    return hold


def release_hold(storage: Storage, name: str, now: dt.datetime) -> Hold:
    """Ends a hold: what it held goes with the next run. Raises `NoSuchHold`."""
    found = {hold.id: hold for hold in active_holds(storage)}
    if name not in found:
        raise NoSuchHold(f"There is no hold {name!r} in force; there are {', '.join(found) or 'none'}.")
    # Whom it was of is nobody's business any more.
    released = replace(found[name], released_at=now.isoformat(timespec="seconds"), people=())
    _write(storage, released)
    return released


def holds(storage: Storage) -> Iterator[Hold]:
    """All holds, the oldest first, released ones too."""
    for path in sorted(path for path, _ in storage.walk(FOLDER) if path.endswith(".json")):
        told: dict[str, Any] = json.loads(storage.read(path))
        yield Hold(**{**told, "people": tuple(told["people"]), "apps": tuple(told["apps"])})


def active_holds(storage: Storage) -> list[Hold]:
    """Those that are in force."""
    return [hold for hold in holds(storage) if hold.is_active]


def holding_ids(lake: Lake, among: list[Hold], ids: frozenset[str]) -> Hold | None:
    """The first of the holds by which something of these ids is held; None where none is."""
    return next((hold for hold in among if _holds_some(lake, hold, ids)), None)


def _holds_some(lake: Lake, hold: Hold, ids: frozenset[str]) -> bool:
    if hold.people and ids.isdisjoint(hold.people):
        return False
    if not hold.apps and not hold.first_day:
        return True
    clean = lake.table(CLEAN_EVENTS.name)
    if not clean.exists():
        return False
    snapshot, wanted = clean.snapshot(), pa.array(sorted(ids), pa.string())
    for file in snapshot.files:
        if not hold.first_day or file.may_hold("event_date", hold.first_day, hold.last_day):
            rows = snapshot.arrow([file], ("anonymous_id", "user_id", "app_id", "event_date"))
            mine = pc.or_kleene(
                pc.is_in(rows["anonymous_id"], value_set=wanted), pc.is_in(rows["user_id"], value_set=wanted)
            )
            if hold.apps:
                mine = pc.and_(mine, pc.is_in(rows["app_id"], value_set=pa.array(hold.apps, pa.string())))
            days = rows.filter(mine)["event_date"].cast(pa.string()).to_pylist()
            if any(hold.holds_day(day) for day in days):
                return True
    return False


def _write(storage: Storage, hold: Hold) -> None:
    storage.replace(f"{FOLDER}/{hold.id}.json", json.dumps(asdict(hold), ensure_ascii=False, indent=1).encode())
