"""Who refused something, by the last answer that `users` has of them: who hands people's ids to others asks here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import reduce

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.consent import TO_OTHERS
from event_assets.contract.tables.people import USERS
from event_assets.lake.lake import Lake

_IDS = ("user_ids", "anonymous_ids")
_ids = msgspec.json.Decoder(list[str])


def kept_from_others(lake: Lake) -> frozenset[str]:
    """The people who are not to be known to others: no export has them, no other system is told of them."""
    return refused(lake, TO_OTHERS)


def refused(lake: Lake, purposes: Collection[str]) -> frozenset[str]:
    """The `person_id` of who refused one of these purposes, and all their ids: by one of these a table that is behind
    may know them yet."""
    table = lake.table(USERS.name)
    if not table.exists():
        return frozenset()
    snapshot, columns = table.snapshot(), [f"consent_{purpose}" for purpose in purposes]
    found: set[str] = set()
    for file in snapshot.files:
        rows = snapshot.arrow([file], ("person_id", *_IDS, *columns))
        mask = reduce(pc.or_, (pc.fill_null(pc.invert(rows[column]), False) for column in columns))
        theirs = rows.filter(mask)
        found.update(theirs["person_id"].to_pylist())
        for name in _IDS:
            for ids in theirs[name].to_pylist():
                found.update(_ids.decode(ids))
    return frozenset(found)


def without(rows: pa.Table, people: Collection[str]) -> pa.Table:
    """The rows that are none of these people's, by `person_id`."""
    return rows.filter(pc.invert(pc.is_in(rows["person_id"], value_set=pa.array(sorted(people), pa.string()))))


def digest_of(people: Collection[str]) -> str:
    """Is another for other people."""
    return hashlib.sha256("\0".join(sorted(people)).encode()).hexdigest()[:12]
