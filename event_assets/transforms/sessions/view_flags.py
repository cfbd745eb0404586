"""What the events of a view say together, on the row of the `page_view` or `screen_view` that counts for it.

Arrow and NumPy over one part of the events in memory, as session_flags.py, which tells which row counts. A row of
`page_views` is then one row here, and nothing is grouped by ids again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

VIEW_MARKS = {
    "view_anonymous_id": "STRING",
    "view_last_ping_at": "TIMESTAMP",
    "view_scroll_y": "INT",
    "view_viewport_height": "INT",
    "view_document_height": "INT",
    "view_slots": "BIGINT",
}
"""The columns and their types, null on other rows: the device of the session; the last ping and the furthest scroll of
the pings; the greatest viewport and document of views and pings; how many slots of ten seconds have a ping."""


def view_marks(
    events: pa.Table,
    session: npt.NDArray[np.int64],
    view: npt.NDArray[np.int64],
    is_ping: npt.NDArray[np.bool_],
    flags: dict[str, npt.NDArray[np.bool_]],
) -> dict[str, pa.ChunkedArray]:
    """The columns of `VIEW_MARKS` for `events`.

    `session` and `view` number the sessions and views of the rows (-1: of no view), `flags` are `session_marks.MARKS`.
    """
    is_view = flags["is_view"]
    rows = np.flatnonzero(view >= 0)
    _, group = np.unique(session[rows] * (view.max(initial=0) + 1) + view[rows], return_inverse=True)
    sums = _sums(events.take(pa.array(rows)), group, is_ping[rows], flags["opens_slot"][rows])
    place = np.zeros(len(session), np.int64)
    place[rows] = group
    views = sums.take(pa.array(place, mask=~is_view))
    devices = _devices(session, flags["is_device"])
    device = events["anonymous_id"].take(pa.array(devices, mask=~is_view | (devices < 0)))
    return {"view_anonymous_id": device} | {name: views[name] for name in views.column_names}


def _sums(
    events: pa.Table, group: npt.NDArray[np.intp], is_ping: npt.NDArray[np.bool_], opens_slot: npt.NDArray[np.bool_]
) -> pa.Table:
    """One row a view, in order of its number."""
    ping = pa.array(is_ping)

    def of_pings(name: str) -> pa.ChunkedArray:
        return pc.if_else(ping, events[name], pa.scalar(None, events.schema.field(name).type))

    columns = {
        "view_last_ping_at": of_pings("derived_at"),
        "view_scroll_y": of_pings("scroll_y_max"),
        "view_viewport_height": events["viewport_height"],
        "view_document_height": events["document_height"],
        "view_slots": pa.array(opens_slot.astype(np.int64)),
    }
    wanted = [(name, "sum" if name == "view_slots" else "max") for name in columns]
    grouped = pa.table({"group": group, **columns}).group_by("group").aggregate(wanted).sort_by("group")
    return pa.table({name: grouped[f"{name}_{how}"] for name, how in wanted})


def _devices(session: npt.NDArray[np.int64], is_device: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Of each row the row that tells its session's device; -1 where none does."""
    of_session = np.full(session.max(initial=0) + 1, -1, np.int64)
    rows = np.flatnonzero(is_device)
    of_session[session[rows]] = rows
    return of_session[session]
