"""segment_memberships_online: who is in a segment now, by every id of theirs, put where requests find it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.online import OnlineTable
from event_assets.pipeline.refusals import digest_of, refused, without

NAME = "segment_memberships_online"
CODE = "2"
"""Version of what is published; raise it when it gives other rows."""
_MEMBER = ("person_id", "segment", "from_date")
_ID = ("id_type", "id", "person_id")


@dataclass(frozen=True)
class Published:
    """What publishing did: rows it wrote (nothing where the table was of these already), and what it is of."""

    ids: int
    version: str
    is_new: bool


def publish(lake: Lake, online: OnlineTable, now: dt.datetime, *, anew: bool = False) -> Published:
    """Makes the online table what the lake says now, without those who refused personalisation. One that is of the same
    already is left as it is, but for `anew`.

    File by file, so that memory does not grow with how many people there are.
    """
    if not all(lake.table(name).exists() for name in (SEGMENT_MEMBERSHIPS.name, IDENTITIES.name)):
        return Published(0, "", is_new=False)
    members, ids = (lake.table(name).snapshot() for name in (SEGMENT_MEMBERSHIPS.name, IDENTITIES.name))
    unwilling = refused(lake, ("personalisation",))
    version = f"{CODE}-{members.id}-{members.version}-{ids.id}-{ids.version}-{digest_of(unwilling)}"
    if not anew and online.version() == version:
        return Published(0, version, is_new=False)
    rows = _members(members, unwilling)
    return Published(online.replace(rows, id_rows(ids), version, now), version, is_new=True)


def _members(snapshot: Snapshot, unwilling: frozenset[str]) -> Iterator[list[Any]]:
    for file in snapshot.files:
        rows = snapshot.arrow([file], (*_MEMBER, "is_current"))
        members = _tuples(without(rows.filter(pc.field("is_current")), unwilling), _MEMBER)
        yield [(person, segment, since.isoformat()) for person, segment, since in members]


def id_rows(identities: Snapshot) -> Iterator[list[Any]]:
    """Which ids are whose, in batches: type of the id, id, person."""
    for file in identities.files:
        yield _tuples(identities.arrow([file], _ID), _ID)


def _tuples(rows: pa.Table, columns: tuple[str, ...]) -> list[Any]:
    return list(zip(*(rows[name].to_pylist() for name in columns), strict=True))
