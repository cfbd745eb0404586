"""What the events of a session say together, one row a session.

NumPy over one part of the events in memory, many sessions at once, as session_bounds.py. Engines sort and compare whole
rows slowly, and write an event's whole row for the little that a session says of it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from event_assets.transforms.money import EXACT
from event_assets.transforms.sessions.sequence_sums import SEQUENCE_SUMS, sequence_sums
from event_assets.transforms.sessions.session_bounds import TIME, Integers, SessionEvents, first_rows, flags, taken
from event_assets.transforms.sessions.view_sums import Views

SESSION_SUMS = pa.schema(
    {
        "after_cut": pa.bool_(),
        "is_cut": pa.bool_(),
        "anonymous_id": pa.string(),
        "user_id": pa.string(),
        "entry_event_id": pa.string(),
        "exit_event_id": pa.string(),
        "first_at": TIME,
        "end_at": TIME,
        "opens_with_ping": pa.bool_(),
        "has_page": pa.bool_(),
        "is_bot": pa.bool_(),
        "events": pa.int64(),
        "page_views": pa.int64(),
        "pinged_views": pa.int64(),
        "slots": pa.int64(),
        "conversions": pa.int64(),
        "revenue": EXACT,
        **{field.name: field.type for field in SEQUENCE_SUMS},
    }
)
"""The columns and their types.

- after_cut: these are the events after the cut of a client's session, which are in no session row; is_cut: there are
- anonymous_id: that of the earliest received event that has one; user_id: of the first event that has one
- entry_event_id, exit_event_id: the first and the last page view of the session, else screen view, else event
- opens_with_ping: the first view or ping of the session is a ping
- has_page: it has a view or a ping, or an event of a server or desktop app
- page_views, pinged_views, slots: distinct views, those with pings, and their slots of ten seconds with a ping
- those of `SEQUENCE_SUMS`
"""


def session_sums(events: SessionEvents, views: Views) -> dict[str, pa.Array]:
    """The columns of `SESSION_SUMS`, a row a session, in the order of their numbers."""
    order, by_view, table = events.order, views.rows, events.table
    needs_no_page = flags(table["needs_no_page"])
    of_page = views.is_view | views.is_ping
    pings = by_view[views.is_ping[by_view]]
    by_receipt = order[np.lexsort((events.received[order], events.session[order]))]  # ties stay in order
    opening = events.row_of(order[of_page[order]])
    return {
        "after_cut": pa.array(events.is_after[order[events.first]]),
        "is_cut": pa.array(events.is_cut[order[events.first]]),
        "anonymous_id": taken(table["anonymous_id"], events.row_of(by_receipt[events.has_device[by_receipt]])),
        "user_id": taken(table["user_id"], events.row_of(order[events.has_user[order]])),
        "entry_event_id": taken(table["event_id"], _edge(events, views, order)),
        "exit_event_id": taken(table["event_id"], _edge(events, views, order[::-1])),
        "first_at": pa.array(events.derived[order[events.first]]).view(TIME),
        "end_at": pa.array(events.derived[order[events.last]]).view(TIME),
        "opens_with_ping": pa.array((opening >= 0) & views.is_ping[opening]),
        "has_page": pa.array(events.any(of_page | needs_no_page)),
        "is_bot": pa.array(events.any(flags(table["is_bot"]))),
        "events": pa.array(events.last - events.first + 1),
        "page_views": pa.array(events.count(first_rows(by_view, views.number))),
        "pinged_views": pa.array(events.count(first_rows(pings, views.number))),
        "slots": pa.array(events.count(views.slots)),
        "conversions": pa.array(events.count(np.flatnonzero(flags(table["is_conversion"])))),
        "revenue": _total(events, table["revenue"]),
        **sequence_sums(events, needs_no_page),
    }


def _edge(events: SessionEvents, views: Views, rows: Integers) -> Integers:
    """The first page view of each session in this order of rows, else its first screen view, else its first event."""
    edge = events.row_of(rows)
    for is_better in (views.is_screen, views.is_page):
        better = events.row_of(rows[is_better[rows]])
        edge = np.where(better < 0, edge, better)
    return edge


def _total(events: SessionEvents, amounts: pa.ChunkedArray) -> pa.Decimal128Array:
    """The sum of each session's amounts; null where it has none."""
    rows = np.flatnonzero(flags(amounts.is_valid()))
    given = pa.table({"session": events.session[rows], "amount": amounts.take(pa.array(rows))})
    sums = given.group_by("session").aggregate([("amount", "sum")])
    place = np.full(len(events.first), -1, np.int64)
    place[sums["session"].to_numpy()] = np.arange(sums.num_rows)
    return taken(sums["amount_sum"], place)
