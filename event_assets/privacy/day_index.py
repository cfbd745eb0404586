"""Erases the people of a batch from `event_days`, the index that knows ids as hashes alone: these have no key, so that
whoever guesses an id could tell by them on which days there was something of it.

An id that events name which stay, others' or of who came back, keeps its entries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.sessions import EVENT_DAYS
from event_assets.lake.coded import coded
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.privacy.batches import POSITION, Batch, at_places, read_hashes
from event_assets.privacy.erasing import Change, erase, without
from event_assets.privacy.finding import People
from event_assets.transforms.sessions.event_days import CARRIER, PAGE_VIEW, SESSION

_SEED = 42
"""Of Spark's `xxhash64`."""
_LATER = 3
"""So many days after one on which a session began an event of it may be the first that names whose it is."""
_NAMED = (("session_id", SESSION), ("page_view_id", PAGE_VIEW), ("anonymous_id", CARRIER), ("user_id", CARRIER))


def hash_of(kind: str, id_: str) -> int:
    """The hash that the index has of an id.

    >>> hash_of("session", "s-1")
    1654058909405653384
    """
    digest = xxhash.xxh64_intdigest(f"{kind} {id_}".encode("utf-8", "surrogatepass"), _SEED)
    return int(digest - (1 << 64) if digest >> 63 else digest)


def hashes_of(lake: Lake, people: People, places: pa.Table) -> pa.Array:
    """By which hashes the index knows what goes: the people's ids, and the sessions and views of the events at these
    places, which are still there."""
    found = {hash_of(CARRIER, id_) for id_ in people.ids}
    table, days = lake.table(ENRICHED_EVENTS.name), {*places["arrival_date"].to_pylist()}
    if not table.exists():
        return pa.array(sorted(found), pa.int64())
    snapshot = table.snapshot()
    for file in snapshot.files:
        if any(file.may_hold("arrival_date", day, day) for day in days):
            there = at_places(coded(snapshot, file, POSITION), places)
            if pc.any(there).as_py():
                rows = snapshot.arrow([file], ("session_id", "page_view_id", "event_id")).filter(there)
                found |= _hashes(SESSION, rows["session_id"])
                found |= _hashes(PAGE_VIEW, rows["page_view_id"]) | _hashes(PAGE_VIEW, rows["event_id"])
    return pa.array(sorted(found), pa.int64())


def erase_days(lake: Lake, batch: Batch) -> None:
    """Takes the entries of what went out of the index, once nothing of it is made anew any more. Doing it again changes
    nothing."""
    gone = read_hashes(lake.storage, batch)
    erase(lake, batch, EVENT_DAYS, lambda base: _entries(lake, gone, base))


def _entries(lake: Lake, gone: pa.Array, base: Snapshot) -> Change:
    masks = [(file, pc.is_in(base.arrow([file], ("id_hash",))["id_hash"], value_set=gone)) for file in base.files]
    near = [(file, mask) for file, mask in masks if pc.any(mask).as_py()]
    days = {
        day for file, mask in near for day in base.arrow([file], ("event_date",)).filter(mask)["event_date"].to_pylist()
    }
    named = pa.array(sorted(_still_named(lake, {*gone.to_pylist()}, days)), pa.int64())
    return without(base, _but_for(base, near, named))


def _but_for(
    base: Snapshot, near: Iterable[tuple[LakeFile, pa.Array]], named: pa.Array
) -> Iterator[tuple[LakeFile, pa.Array]]:
    for file, mask in near:
        stay = pc.is_in(base.arrow([file], ("id_hash",))["id_hash"], value_set=named)
        yield file, pc.and_not(mask, stay)


def _still_named(lake: Lake, hashes: set[int], days: Iterable[dt.date]) -> set[int]:
    """Those of the hashes whose ids events of these days name."""
    table, found = lake.table(ENRICHED_EVENTS.name), set[int]()
    dates = {str(day + dt.timedelta(days=more)) for day in days for more in range(1 + _LATER)}
    if not table.exists():
        return found
    snapshot = table.snapshot()
    for file in snapshot.of_dates(dates):
        rows = snapshot.arrow([file], [column for column, _ in _NAMED])
        for column, kind in _NAMED:
            found |= _hashes(kind, rows[column]) & hashes
    return found


def _hashes(kind: str, ids: pa.ChunkedArray) -> set[int]:
    return {hash_of(kind, id_) for id_ in ids.unique().to_pylist() if id_ is not None}
