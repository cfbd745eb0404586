"""Clean events without the ids by which advertisers know a device, where marketing was refused.

The collector leaves them out already; this is for what came past it.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.consent import MARKETING_ONLY

_COLUMNS = tuple(f"device_{name}" for name in MARKETING_ONLY)


def without_device_ids(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of CLEAN_EVENTS; most have no such id."""
    for name in _COLUMNS:
        ids = rows.column(name)
        if ids.null_count < len(ids):
            refused = pc.equal(rows.column("consent_marketing"), False)
            kept = pc.if_else(pc.fill_null(refused, False), pa.scalar(None, ids.type), ids)
            place = rows.schema.get_field_index(name)
            rows = rows.set_column(place, rows.schema.field(place), kept)
    return rows
