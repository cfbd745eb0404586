"""Clean events that say where, and by which text, somebody was asked for consent.

Clients say so in the properties of `consent_changed`; events of somebody who refused have it in their consent already.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.consent import RECORD_OF_REFUSAL, asked_of

_COLUMNS = ("consent_source", "consent_text_version")


def with_asked(rows: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of CLEAN_EVENTS; few are answers."""
    answers = pc.and_(pc.equal(rows.column("event"), RECORD_OF_REFUSAL), pc.is_valid(rows.column("properties")))
    places = pc.indices_nonzero(answers)
    if not len(places):
        return rows
    said = [asked_of(text.encode()) for text in rows.column("properties").take(places).to_pylist()]
    for name, values in zip(_COLUMNS, zip(*said, strict=True), strict=True):
        place = rows.schema.get_field_index(name)
        given = rows.column(place)
        filled = pc.replace_with_mask(given, answers, pc.coalesce(given.take(places), pa.array(values, pa.string())))
        rows = rows.set_column(place, rows.schema.field(place), filled)
    return rows
