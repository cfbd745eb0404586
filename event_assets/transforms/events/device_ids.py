"""Clean events without the ids by which advertisers know a device, where
one of the purposes was refused by which others would get to know the person.

The collector leaves them out already; this is for what came past it.
"""

from __future__ import annotations

from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.consent import ADVERTISERS_ONLY, TO_OTHERS

_COLUMNS = tuple(f"device_{name}" for name in ADVERTISERS_ONLY)


def without_device_ids(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of CLEAN_EVENTS; most have no such id."""
    for name in _COLUMNS:
        ids = rows.column(name)
        if ids.null_count < len(ids):
            refused = [pc.fill_null(pc.invert(rows.column(f"consent_{purpose}")), False) for purpose in TO_OTHERS]
            kept = pc.if_else(reduce(pc.or_, refused), pa.scalar(None, ids.type), ids)
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, rows.schema.field(place), kept)
    return rows
