"""Whether QuickSight reads a table of the warehouse: its data source and data sets are there, and their rows came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from event_assets.quicksight.kinds import DATA_SET, DATA_SOURCE, Key
from event_assets.quicksight.resources import Wanted
from event_assets.quicksight.service import Service
from event_assets.quicksight.target import QuickSightError

_APPLY = "event-assets quicksight apply makes it"
_UNDER_WAY = ("INITIALIZED", "QUEUED", "RUNNING")


@dataclass(frozen=True)
class DataSetCheck:
    """What was found of a data source, or of a data set over a table of the warehouse.

    `ingestion` is the status of the last copy of its rows, `rows` how many it has, `copied_at` when it began; None
    where there is none, as of a data set that asks the warehouse. `fault` says what is wrong, and is empty where
    nothing is.
    """

    kind: str
    id: str
    table: str = ""
    exists: bool = False
    ingestion: str | None = None
    rows: int | None = None
    copied_at: dt.datetime | None = None
    fault: str = ""

    @property
    def ok(self) -> bool:
        return not self.fault

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return asdict(self) | {"copied_at": self.copied_at.isoformat() if self.copied_at else None, "ok": self.ok}


def check_tables(service: Service, wanted: Wanted, tables: Collection[str]) -> list[DataSetCheck]:
    """The data source, then each data set that is to be there over one of these tables of the warehouse. None where no
    page of the dashboard shows anything of them."""
    sets = [each for each in wanted.data_sets if each.table in tables]
    if not sets:
        return []
    target = service.target
    source = _there(service, DataSetCheck(DATA_SOURCE.title, target.owner), Key(DATA_SOURCE, target.owner))
    found = [source]
    for each in sets:
        key = Key(DATA_SET, target.id(each.identifier))
        check = _there(service, DataSetCheck(DATA_SET.title, key.id, each.table), key)
        is_copied = check.ok and target.import_mode == "SPICE"
        found.append(_with_rows(service, check, key) if is_copied else check)
    return found


def _there(service: Service, check: DataSetCheck, key: Key) -> DataSetCheck:
    try:
        state = service.state(key)
    except QuickSightError as fault:
        return replace(check, fault=str(fault))
    if state is None:
        return replace(check, fault=f"there is no {key}: {_APPLY}")
    if state.status.endswith("FAILED"):
        return replace(check, exists=True, fault=f"{key} is {state.status}: {_APPLY} again")
    return replace(check, exists=True)


def _with_rows(service: Service, check: DataSetCheck, key: Key) -> DataSetCheck:
    try:
        last = service.last_ingestion(key)
    except QuickSightError as fault:
        return replace(check, fault=str(fault))
    if last is None:
        return replace(check, fault=f"the rows of {key} were never copied")
    check = replace(check, ingestion=last.status, rows=last.rows, copied_at=last.began_at)
    if last.status == "COMPLETED" or last.status in _UNDER_WAY:
        return check
    began = last.began_at.astimezone(dt.UTC)
    return replace(check, fault=f"the copy of {began:%Y-%m-%d %H:%M} UTC is {last.status}. AWS says: {last.words}")
