"""What the events of a view of a page or a screen say together, one row a view of a session.

NumPy over one part of the events in memory, as session_bounds.py. A row of `page_views` is then one row here, and
nothing is grouped by ids again.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.transforms.sessions.session_bounds import (
    TIME,
    Flags,
    Integers,
    SessionEvents,
    changes,
    codes,
    first_rows,
    flags,
    taken,
)

VIEW_SUMS = pa.schema(
    {
        "event_id": pa.string(),
        "view_id": pa.string(),
        "is_screen": pa.bool_(),
        "after_cut": pa.bool_(),
        "user_id": pa.string(),
        "is_bot": pa.bool_(),
        "first_at": TIME,
        "occurred_at": TIME,
        "last_ping_at": TIME,
        "scroll_y": pa.int32(),
        "viewport_height": pa.int32(),
        "document_height": pa.int32(),
        "slots": pa.int64(),
    }
)
"""The columns and their types.

- event_id, is_screen, after_cut, user_id, is_bot, first_at, occurred_at: of the page or screen view that counts for its
  `view_id` in the session, the earliest
- last_ping_at, scroll_y: the last ping and the furthest scroll of the pings
- viewport_height, document_height: the greatest of views and pings
- slots: how many slots of ten seconds have a ping
"""

_NOTHING = np.iinfo(np.int64).min


class Views:
    """The views of events. `rows` are those of a view, by view and in order of time; `number` says which view of which
    session each row is of; `slots` are the first ping of each slot of a view."""

    def __init__(self, events: SessionEvents, heartbeat: int) -> None:
        name, view = events.table["event"], codes(events.table["view_id"])
        self.is_page = flags(pc.equal(name, "page_view"))
        self.is_screen = flags(pc.equal(name, "screen_view"))
        self.is_ping = flags(pc.equal(name, "page_ping"))
        self.is_view = self.is_page | self.is_screen
        self.number = events.session * (view.max(initial=0) + 1) + view
        rows = events.order[(view >= 0)[events.order]]
        self.rows = rows[np.argsort(self.number[rows], kind="stable")]
        slot = events.occurred // heartbeat
        pings = self.rows[self.is_ping[self.rows]]
        self.slots = first_rows(pings[np.lexsort((slot[pings], self.number[pings]))], self.number, slot)


def view_sums(events: SessionEvents, views: Views) -> tuple[Integers, dict[str, pa.Array]]:
    """The session of each view, and the columns of `VIEW_SUMS`, a row a view. What is only pinged has no row."""
    table, begins = events.table, changes(views.number[views.rows])
    first = np.flatnonzero(begins)
    group = np.empty(len(events.order), np.int64)
    group[views.rows] = np.cumsum(begins) - 1
    rows = first_rows(views.rows[views.is_view[views.rows]], views.number)
    place = group[rows]

    def most(numbers: Integers, known: Flags, type_: pa.DataType) -> pa.Array:
        values = np.where(known, numbers, _NOTHING)[views.rows]
        found = np.maximum.reduceat(values, first)[place] if len(first) else values
        return pa.array(found, mask=found == _NOTHING).cast(type_)

    def pixels(name: str, of: Flags | None = None) -> pa.Array:
        numbers, known = table[name].cast(pa.int64()).fill_null(0).to_numpy(), flags(table[name].is_valid())
        return most(numbers, known if of is None else known & of, pa.int32())

    return events.session[rows], {
        "event_id": taken(table["event_id"], rows),
        "view_id": taken(table["view_id"], rows),
        "is_screen": pa.array(views.is_screen[rows]),
        "after_cut": pa.array(events.is_after[rows]),
        "user_id": taken(table["user_id"], rows),
        "is_bot": taken(table["is_bot"], rows),
        "first_at": pa.array(events.derived[rows]).view(TIME),
        "occurred_at": taken(table["occurred_at"], rows).cast(TIME),
        "last_ping_at": most(events.derived, views.is_ping, TIME),
        "scroll_y": pixels("scroll_y_max", views.is_ping),
        "viewport_height": pixels("viewport_height"),
        "document_height": pixels("document_height"),
        "slots": pa.array(np.bincount(group[views.slots], minlength=len(first))[place]),
    }
