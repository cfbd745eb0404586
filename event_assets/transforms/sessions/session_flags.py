"""The arithmetic of sessions: where each begins, which are cut, and which event of a session plays which part.

NumPy over one part of the events in memory, many sessions at once. No Spark here. Engines sort and compare whole rows
slowly; with these flags a session row is made of plain sums and maxima.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.transforms.sessions.sequence_flags import LOST_BEFORE, Numbered, numbering
from event_assets.transforms.sessions.view_flags import view_marks

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MARKS = (
    "session_is_cut",
    "after_cut",
    "is_entry",
    "is_exit",
    "is_device",
    "is_user",
    "opens_with_ping",
    "opens_view",
    "opens_pings",
    "opens_slot",
    "is_view",
    "counts_anew",
)
"""The flags, in the order in which they are appended. Those after the first two are true on

- is_entry, is_exit: the first and the last page view of the session, else screen view, else event
- is_device: the earliest received event that has an `anonymous_id`
- is_user: the first event that has a `user_id`
- opens_with_ping: the first view or ping of the session, when it is a ping
- opens_view: the first view or ping of its `view_id` in the session
- opens_pings, opens_slot: the first ping of its view, and of its view and slot of ten seconds
- is_view: the page or screen view that counts for its `view_id` in the session: the earliest
- counts_anew: an event whose `sequence` does not go on from the one before it (see sequence_flags.py)
"""


class _Part(NamedTuple):
    """The columns of a part as numbers. Times are microseconds, ids are small integers, -1 where there is none."""

    group: Integers
    is_client: Flags
    derived: Integers
    occurred: Integers
    received: Integers
    sequence: Integers
    install: Integers
    device: Integers
    view: Integers
    is_page: Flags
    is_screen: Flags
    is_ping: Flags
    has_device: Flags
    has_user: Flags
    event_id: pa.Array


def mark_sessions(events: pa.Table, timeout: int, longest: int, longest_client: int, heartbeat: int) -> pa.Table:
    """`events` with `_start` (beginning of a computed session, microseconds), `MARKS`, `VIEW_MARKS` and `LOST_BEFORE`.

    `_group` is what sessions are told apart by: the client's session id, or the hash of the key. Limits are in
    microseconds.
    """
    part = _part(events)
    start, is_cut, after = _sessions(part, timeout, longest, longest_client)
    order = _order(part, start, after)
    session = np.empty(len(order), np.int64)
    session[order] = np.cumsum(_changes(part.group[order], start[order], after[order]))
    numbered = Numbered(part.sequence, part.install, part.device, part.occurred, session, order)
    counts_anew, lost = numbering(numbered)
    marks = (is_cut, after, *_marks(part, session, order, heartbeat), counts_anew)
    flags = dict(zip(MARKS, marks, strict=True))
    views = view_marks(events, session, part.view, part.is_ping, flags)
    for name, values in {"_start": start, **flags, **views, **dict.fromkeys(LOST_BEFORE, lost)}.items():
        events = events.append_column(name, pa.chunked_array([values]) if isinstance(values, np.ndarray) else values)
    return events


def session_starts(groups: Integers, times: Integers, timeout: int, longest: int) -> tuple[Integers, Flags]:
    """For events in order of (group, time): when each one's session begins, and whether that session was cut.

    A session that would last longer than `longest` is cut there and the next event begins the next one. Only the rare
    chains of events that are longer are walked, session by session.
    """
    begins = _changes(groups)
    begins[1:] |= np.diff(times) > timeout
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(times)) - 1
    is_cut = np.zeros(len(times), np.bool_)
    for chain in np.flatnonzero(times[last] - times[first] > longest):
        at, end = first[chain], last[chain]
        while times[end] - times[at] > longest:
            following = at + np.searchsorted(times[at : end + 1], times[at] + longest, side="right")
            is_cut[at:following] = True
            begins[following] = True
            at = following
    return times[np.flatnonzero(begins)][np.cumsum(begins) - 1], is_cut


def client_cuts(groups: Integers, times: Integers, longest: int) -> tuple[Flags, Flags]:
    """For events in order of (client session, received): whether each one's session is cut, and whether it is after."""
    begins = _changes(groups)
    session = np.cumsum(begins) - 1
    after = times > times[np.flatnonzero(begins)][session] + longest
    return np.bincount(session, weights=after)[session] > 0, after


def _part(events: pa.Table) -> _Part:
    is_client = _flags(events["session_id"].is_valid())
    derived, name = _microseconds(events["derived_at"]), events["event"]
    return _Part(
        group=_codes(events["_group"]) * 2 + is_client,
        is_client=is_client,
        derived=derived,
        occurred=np.where(_flags(events["occurred_at"].is_valid()), _microseconds(events["occurred_at"]), derived),
        received=_microseconds(events["received_at"]),
        sequence=events["sequence"].fill_null(-1).combine_chunks().to_numpy().astype(np.int64),
        install=_codes(events["install_id"]),
        device=_codes(events["anonymous_id"]),
        view=_codes(events["view_id"]),
        is_page=_flags(pc.equal(name, "page_view")),
        is_screen=_flags(pc.equal(name, "screen_view")),
        is_ping=_flags(pc.equal(name, "page_ping")),
        has_device=_flags(events["anonymous_id"].is_valid()),
        has_user=_flags(events["user_id"].is_valid()),
        event_id=events["event_id"].combine_chunks(),
    )


def _sessions(part: _Part, timeout: int, longest: int, longest_client: int) -> tuple[Integers, Flags, Flags]:
    size = len(part.group)
    start, is_cut, after = np.zeros(size, np.int64), np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    rows = np.flatnonzero(~part.is_client)
    rows = rows[np.lexsort((part.derived[rows], part.group[rows]))]
    if len(rows):
        start[rows], is_cut[rows] = session_starts(part.group[rows], part.derived[rows], timeout, longest)
    rows = np.flatnonzero(part.is_client)
    rows = rows[np.lexsort((part.derived[rows], part.received[rows], part.group[rows]))]
    if len(rows):
        is_cut[rows], after[rows] = client_cuts(part.group[rows], part.derived[rows], longest_client)
    return start, is_cut, after


def _order(part: _Part, start: Integers, after: Flags) -> Integers:
    """The rows in order of session and (derived_at, occurred_at, event_id)."""
    keys = (part.occurred, part.derived, after, start, part.group)
    order = np.lexsort(keys)
    begins = _changes(*(key[order] for key in keys))
    tied = ~begins | np.append(~begins[1:], False)
    rows = order[tied]
    if len(rows):
        place = np.cumsum(begins)[tied]
        ties = pa.table({"place": place, "id": part.event_id.take(pa.array(rows))})
        by_id = pc.sort_indices(ties, sort_keys=[("place", "ascending"), ("id", "ascending")]).to_numpy()
        order[tied] = rows[by_id]
    return order


def _marks(part: _Part, session: Integers, order: Integers, heartbeat: int) -> tuple[Flags, ...]:
    """The flags between the first two and the last. `order` is by session, then time."""
    by_receipt = order[np.lexsort((part.received[order], session[order]))]  # ties stay in order
    is_view = part.is_page | part.is_screen
    viewing = session * (part.view.max(initial=0) + 1) + part.view
    slot = part.occurred // heartbeat
    by_view = order[(part.view >= 0)[order]]
    by_view = by_view[np.argsort(viewing[by_view], kind="stable")]
    pings = by_view[part.is_ping[by_view]]
    by_slot = pings[np.lexsort((slot[pings], viewing[pings]))]
    return (
        _edge(part, session, order),
        _edge(part, session, order[::-1]),
        _first(by_receipt[part.has_device[by_receipt]], session),
        _first(order[part.has_user[order]], session),
        _first(order[(is_view | part.is_ping)[order]], session) & part.is_ping,
        _first(by_view, viewing),
        _first(pings, viewing),
        _first(by_slot, viewing, slot),
        _first(by_view[is_view[by_view]], viewing),
    )


def _edge(part: _Part, session: Integers, rows: Integers) -> Flags:
    """The first page view of each session in this order of rows, else its first screen view, else its first event."""
    edge = _first(rows, session)
    for is_better in (part.is_screen, part.is_page):
        better = _first(rows[is_better[rows]], session)
        edge = better | (edge & ~(np.bincount(session, weights=better) > 0)[session])
    return edge


def _first(rows: Integers, *keys: Integers) -> Flags:
    """A flag on the first of the rows with each key. Rows with the same key stand together."""
    flags = np.zeros(len(keys[0]), np.bool_)
    flags[rows[_changes(*(key[rows] for key in keys))]] = True
    return flags


def _changes(*columns: npt.NDArray[np.generic]) -> Flags:
    """Where a row differs from the one before it in any column. The first always does."""
    changes = np.zeros(len(columns[0]), np.bool_)
    changes[:1] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return changes


def _codes(ids: pa.ChunkedArray) -> Integers:
    codes: Integers = ids.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy().astype(np.int64)
    return codes


def _microseconds(times: pa.ChunkedArray) -> Integers:
    """Microseconds since 1970; 0 where there is no time."""
    exact: Integers = times.cast(pa.timestamp("us", times.type.tz)).cast(pa.int64()).fill_null(0).to_numpy()
    return exact


def _flags(values: pa.ChunkedArray) -> Flags:
    flags: Flags = values.fill_null(False).to_numpy()
    return flags
