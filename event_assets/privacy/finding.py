"""Where the events of a batch's people are: in clean and quarantined rows, by whom they name, and in the records that
these came in, or that are keyed by one of the ids. Nothing is changed here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.erasure import Owner, owner_of
from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.lake.coded import among, coded
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.tombstones import ErasureRules
from event_assets.pipeline.land import erased_in
from event_assets.privacy.batches import together
from event_assets.privacy.requests import Request

_PLACE = ("stream", "shard_id", "sequence_number")
_Place = dict[str, Any]


class People:
    """The people of some requests: of which of them an event is, by ids as the clean tables have them."""

    def __init__(self, requests: Sequence[Request], rules: ErasureRules) -> None:
        self.rules = rules
        self.requests = requests
        closures = [(place, request.closure) for place, request in enumerate(requests)]
        self.users = {now: place for place, of in closures for id_ in of.users for now in rules.since(id_)}
        self.devices = {now: place for place, of in closures for id_ in of.devices for now in rules.since(id_)}
        self._known: dict[str, str] = {}

    @property
    def ids(self) -> set[str]:
        """All their ids."""
        return {*self.users, *self.devices}

    def request_of(self, owner: Owner) -> int | None:
        """The place of the request that an event is of."""
        if owner.user_id is not None:
            place = self.users.get(owner.user_id)
        else:
            place = self.devices.get(owner.anonymous_id) if owner.anonymous_id is not None else None
        return None if place is None or owner.at > self.requests[place].requested_at else place

    def of_arriving(self, owner: Owner) -> int | None:
        """The same, by ids as they arrive."""
        return self.request_of(Owner(self.known_as(owner.user_id), self.known_as(owner.anonymous_id), owner.at))

    def known_as(self, id_: str | None) -> str | None:
        """The id as the clean tables have it."""
        if id_ is None or self.rules.pseudonyms is None:
            return id_
        if id_ not in self._known:
            self._known[id_] = self.rules.known_as(id_)
        return self._known[id_]


def places_of(lake: Lake, people: People) -> pa.Table:
    """Where all events of these people are, as PLACES."""
    by_name = [*_clean(lake, people), *_quarantined(lake, people)]
    return together(iter([*by_name, *_raw(lake, people, by_name)]))


def touched_by(lake: Lake, people: People) -> int:
    """How many events that are cleaned are of these people."""
    return sum(1 for _ in _clean(lake, people))


def _clean(lake: Lake, people: People) -> Iterator[_Place]:
    table = lake.table(CLEAN_EVENTS.name)
    if not table.exists():
        return
    snapshot = table.snapshot()
    users, devices = (pa.array(sorted(ids), pa.string()) for ids in (people.users, people.devices))
    for file in snapshot.files:
        rows = coded(snapshot, file, ("anonymous_id", "user_id"))
        of_device = pc.and_(pc.is_null(rows["user_id"]), among(rows["anonymous_id"], devices))
        mask = pc.or_(among(rows["user_id"], users), of_device)
        if not pc.any(mask).as_py():
            continue
        columns = ("anonymous_id", "user_id", "derived_at", "arrived_at", "line", "arrival_date", *_PLACE)
        for row in snapshot.arrow([file], columns).filter(mask).to_pylist():
            at = min(row["derived_at"], row["arrived_at"])
            request = people.request_of(Owner(row["user_id"], row["anonymous_id"], at))
            if request is not None:
                yield _place(row, row["line"], request, row["derived_at"])


def _quarantined(lake: Lake, people: People) -> Iterator[_Place]:
    table = lake.table(QUARANTINED_EVENTS.name)
    if not table.exists():
        return
    snapshot, none = table.snapshot(), people.rules.placeholders
    for file in snapshot.files:
        columns = ("reason", "data", "arrived_at", "line", "arrival_date", *_PLACE)
        for row in snapshot.arrow([file], columns).to_pylist():
            if row["reason"] == "bad_encoding":
                continue  # the whole record, whose key tells whose it is
            request = people.of_arriving(owner_of(row["data"], row["arrived_at"], none))
            if request is not None:
                yield _place(row, row["line"], request, row["arrived_at"])


def _raw(lake: Lake, people: People, found: Sequence[_Place]) -> Iterator[_Place]:
    """The lines of records of which one is known, or whose key is one of the ids; and of all that nobody has cleaned
    yet."""
    table = lake.table(RAW_EVENTS.name)
    if not table.exists():
        return
    snapshot = table.snapshot()
    records = {tuple(place[name] for name in _PLACE) for place in found}
    fresh = not_taken_in(lake, snapshot)
    for file in snapshot.files:
        among = None if file.path in fresh else candidates(snapshot, file, records, people)
        if among != []:
            for row, line, request, at in lines_of(snapshot.arrow([file]), people, among):
                yield _place(row, line, request, at)


def candidates(snapshot: Snapshot, file: LakeFile, records: set[tuple[Any, ...]], people: People) -> list[int]:
    """The rows of a file of raw records that may hold an event of these people."""
    rows = snapshot.arrow([file], (*_PLACE, "partition_key"))
    keys, ids = rows["partition_key"].to_pylist(), people.ids
    places = zip(*(rows[name].to_pylist() for name in _PLACE), strict=True)
    return [
        row for row, (key, place) in enumerate(zip(keys, places, strict=True))
        if place in records or people.known_as(key) in ids
    ]  # fmt: skip


def lines_of(
    rows: pa.Table, people: People, among: Sequence[int] | None
) -> Iterator[tuple[Mapping[str, Any], int, int, dt.datetime]]:
    """The lines of raw records that are of these people: row, line, request, and when it happened."""

    def is_erased(owner: Owner) -> bool:
        return people.of_arriving(owner) is not None

    told = rows.select([*_PLACE, "arrival_date"])
    for row, line, owner in erased_in(rows, is_erased, people.rules.placeholders, among):
        request = people.of_arriving(owner)
        assert request is not None
        yield told.slice(row, 1).to_pylist()[0], line, request, owner.at


def not_taken_in(lake: Lake, raw: Snapshot) -> set[str]:
    """The paths of raw files that the clean or the quarantined events have not taken in."""
    waiting: set[str] = set()
    for spec in (CLEAN_EVENTS, QUARANTINED_EVENTS):
        table = lake.table(spec.name)
        progress = table.snapshot().progress if table.exists() else None
        consumed = progress.consumed(RAW_EVENTS.name) if progress else None
        changes = raw.changes_since(consumed.watermark if consumed else -1)
        if not changes.known:
            return {file.path for file in raw.files}
        waiting |= {path for commit in changes.commits for path in commit.added}
        pending = set(consumed.pending) if consumed else set()
        waiting |= {file.path for file in raw.files if file.partition["arrival_date"] in pending}
    return waiting


def _place(row: Mapping[str, Any], line: int, request: int, at: dt.datetime) -> _Place:
    place = {name: row[name] for name in _PLACE}
    return {**place, "line": line, "arrival_date": str(row["arrival_date"]), "request": request, "at": at}
