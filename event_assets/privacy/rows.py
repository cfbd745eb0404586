"""Which rows of a table that goes by ids are of some people. What is done with them is not known here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.lake.clusters import holding
from event_assets.lake.coded import among, coded
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.privacy.rules import ById
from event_assets.privacy.sharing import strangers

_IDS_OF_OTHERS = ("person_id", "stitched_user_id")
"""Columns in which an id may stand for a person who has others."""


def rows_by_id(
    lake: Lake, rule: ById, until: Mapping[str, dt.datetime], base: Snapshot
) -> Iterator[tuple[LakeFile, pa.Array]]:
    """The files that may hold rows with one of the ids, each with the mask of those that tell of nothing after the time
    that stands beside the id."""
    # Whom somebody else was joined to meanwhile is no whole person any more; asked for after the table was read.
    shared = set() if base.table.spec is IDENTITIES else strangers(lake, set(until))

    def ids_in(column: str) -> pa.Array:
        mine = until.keys() - shared if column in _IDS_OF_OTHERS else until.keys()
        return pa.array(sorted(mine), pa.string())

    wanted = {column: ids_in(column) for column in rule.columns}
    files = base.files if (base.table.spec.clustered_by,) != rule.columns else holding(base, [*until])
    for file in files:
        rows = coded(base, file, [*rule.columns, *([rule.at] if rule.at else [])])
        found = [among(rows[column], ids) for column, ids in wanted.items()]
        mask = found[0]
        for other in found[1:]:
            mask = pc.or_(mask, other)
        yield file, _until_then(rows, mask, rule, until)


def _until_then(rows: pa.Table, mask: pa.Array, rule: ById, until: Mapping[str, dt.datetime]) -> pa.Array:
    """The rows of the mask without those that tell of something after what was erased."""
    if rule.at is None or not pc.any(mask).as_py():
        return mask
    places = pc.indices_nonzero(mask)
    later = set()
    for place, row in zip(places.to_pylist(), rows.take(places).to_pylist(), strict=True):
        ends = [until[row[column]] for column in rule.columns if row[column] in until]
        if row[rule.at] is not None and row[rule.at] > max(ends):
            later.add(place)
    if not later:
        return mask
    return pa.array([bool(goes) and place not in later for place, goes in enumerate(mask.to_pylist())])
