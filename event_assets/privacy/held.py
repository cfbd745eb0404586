"""Which rows of a table are held. Where that cannot be told, they are.

Whose a raw record or a quarantined event is, its bytes say; of which app a record's events are, the clean rows that
came of it, or nobody: then it is held by every hold of an app.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property, reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.erasure import owner_of
from event_assets.contract.tables.events import CLEAN_EVENTS, QUARANTINED_EVENTS, RAW_EVENTS
from event_assets.lake.files import LakeFile
from event_assets.lake.horizons import day_of
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import Closure
from event_assets.privacy.finding import People, lines_of
from event_assets.privacy.holds import Hold
from event_assets.privacy.requests import Request

_IDS = ("anonymous_id", "user_id", "stitched_user_id", "person_id")
_RECORD = ("stream", "shard_id", "sequence_number")
_LATER = dt.timedelta(days=36_500)


class Held:
    """What the holds in force hold of a lake."""

    def __init__(self, lake: Lake, holds: Sequence[Hold], rules: ErasureRules, now: dt.datetime) -> None:
        self._lake = lake
        self._holds = holds
        self._rules = rules
        self._now = now

    def rows(self, snapshot: Snapshot, file: LakeFile) -> pa.Array | None:
        """Which rows of a file are held: a mask; None where none is."""
        day = day_of(file) or ""
        concerned = [hold for hold in self._holds if hold.holds_day(day)]
        if not concerned:
            return None
        masks = [self._mask(snapshot, file, hold) for hold in concerned]
        mask = pc.fill_null(reduce(pc.or_, masks), False)
        return mask if pc.any(mask).as_py() else None

    def _mask(self, snapshot: Snapshot, file: LakeFile, hold: Hold) -> pa.Array:
        every = pa.array([True] * file.rows)
        if hold.covers_all_of(day_of(file) or ""):
            return every
        spec = snapshot.table.spec
        if spec in (RAW_EVENTS, QUARANTINED_EVENTS):
            return self._of_bytes(snapshot, file, hold) if hold.people else self._of_apps(snapshot, file, hold)
        mask = every
        if hold.people:
            names = [name for name in _IDS if name in spec.column_names]
            if not names:  # it counts people, and names none
                return pa.array([False] * file.rows)
            rows, people = snapshot.arrow([file], names), pa.array(hold.people, pa.string())
            found = [pc.fill_null(pc.is_in(rows[name], value_set=people), False) for name in names]
            mask = reduce(pc.or_, found).combine_chunks()
        if hold.apps and "app_id" in spec.column_names:
            rows = snapshot.arrow([file], ("app_id",))
            of_app = pc.is_in(rows["app_id"], value_set=pa.array(hold.apps, pa.string()))
            mask = pc.and_(mask, pc.fill_null(of_app, False).combine_chunks())
        return mask

    def _of_bytes(self, snapshot: Snapshot, file: LakeFile, hold: Hold) -> pa.Array:
        """Rows of which some event is one of these people's, or whose key is one of their ids."""
        people, ids = self._people(hold), frozenset(hold.people)
        rows = snapshot.arrow([file])
        if snapshot.table.spec is QUARANTINED_EVENTS:
            return pa.array([_is_of(row, people) for row in rows.to_pylist()], pa.bool_())
        told = {tuple(row[name] for name in _RECORD) for row, *_ in lines_of(rows, people, None)}
        places = zip(*(rows[name].to_pylist() for name in _RECORD), strict=True)
        keys = rows["partition_key"].to_pylist()
        return pa.array(
            [place in told or people.known_as(key) in ids for place, key in zip(places, keys, strict=True)], pa.bool_()
        )

    def _of_apps(self, snapshot: Snapshot, file: LakeFile, hold: Hold) -> pa.Array:
        """Rows of records of which a clean event is one of the apps', or of which there is no clean event."""
        rows = snapshot.arrow([file], _RECORD)
        keys = _records(rows)
        others = pc.and_(
            pc.is_in(keys, value_set=self._clean_records), pc.invert(pc.is_in(keys, value_set=self._of_app(hold.apps)))
        )
        return pc.invert(others).combine_chunks()

    @cached_property
    def _clean_records(self) -> pa.Array:
        return self._of_app(None)

    def _of_app(self, apps: Sequence[str] | None) -> pa.Array:
        """The records of clean events, of these apps."""
        table = self._lake.table(CLEAN_EVENTS.name)
        if not table.exists():
            return pa.array([], pa.string())
        snapshot = table.snapshot()
        rows = snapshot.arrow(None, (*_RECORD, "app_id"))
        if apps is not None:
            rows = rows.filter(pc.is_in(rows["app_id"], value_set=pa.array(apps, pa.string())))
        return _records(rows).unique()

    def _people(self, hold: Hold) -> People:
        ids = frozenset(hold.people)
        request = Request(hold.id, self._now + _LATER, self._now + _LATER, Closure(ids, ids))
        return People([request], self._rules)


def _is_of(row: Mapping[str, Any], people: People) -> bool:
    """Whether a quarantined event is one of these people's; of a record that cannot be read, nobody can tell."""
    owner = owner_of(row["data"], row["arrived_at"], people.rules.placeholders)
    return row["reason"] == "bad_encoding" or people.of_arriving(owner) is not None


def _records(rows: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(*(rows[name] for name in _RECORD), "\x1f")
