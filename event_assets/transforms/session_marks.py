"""The arithmetic of sessions: where each begins, which are cut, and which event of a session plays which part.

NumPy over one bucket of events in memory, several sessions at once. No Spark here. Engines sort and compare whole rows
slowly; with these flags a session row is made of plain sums and maxima.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MARKS = (
    "session_is_cut",
    "after_cut",
    "is_entry",
    "is_exit",
    "is_device",
    "is_last_user",
    "opens_with_ping",
    "opens_view",
    "opens_pings",
    "opens_slot",
    "is_view",
)
"""The flags, in the order in which they are appended. Those after the first two are true on

- is_entry, is_exit: the first and the last page view of the session, else its first and last event
- is_device: the earliest received event that has an `anonymous_id`
- is_last_user: the last event that has a `user_id`
- opens_with_ping: the first page event of the session, when it is a ping
- opens_view: the first view or ping of its `page_view_id` in the session
- opens_pings, opens_slot: the first ping of its page view, and of its page view and slot of ten seconds
- is_view: the `page_view` that counts for its `page_view_id` in the session: the earliest
"""


class _Bucket(NamedTuple):
    """The columns of a bucket as numbers. Times are microseconds, ids are small integers, -1 where there is none."""

    group: Integers
    is_client: Flags
    derived: Integers
    occurred: Integers
    received: Integers
    page_view: Integers
    is_page_view: Flags
    is_ping: Flags
    has_device: Flags
    has_user: Flags
    event_id: pa.Array


def mark_sessions(events: pa.Table, timeout: int, longest: int, longest_client: int, heartbeat: int) -> pa.Table:
    """`events` with `_start` (beginning of a computed session, microseconds) and `MARKS`.

    `_group` is what sessions are told apart by: the client's session id, or the hash of the key. Limits are in
    microseconds.
    """
    bucket = _bucket(events)
    start, is_cut, after = _sessions(bucket, timeout, longest, longest_client)
    order = _order(bucket, start, after)
    session = np.empty(len(order), np.int64)
    session[order] = np.cumsum(_changes(bucket.group[order], start[order], after[order]))
    marks = (is_cut, after, *_marks(bucket, session, order, heartbeat))
    events = events.append_column("_start", pa.array(start))
    for name, flags in zip(MARKS, marks, strict=True):
        events = events.append_column(name, pa.array(flags))
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


def _bucket(events: pa.Table) -> _Bucket:
    is_client = _flags(events["session_id"].is_valid())
    derived, name = _microseconds(events["derived_at"]), events["event"]
    page_view = _codes(events["page_view_id"])
    return _Bucket(
        group=_codes(events["_group"]) * 2 + is_client,
        is_client=is_client,
        derived=derived,
        occurred=np.where(_flags(events["occurred_at"].is_valid()), _microseconds(events["occurred_at"]), derived),
        received=_microseconds(events["received_at"]),
        page_view=page_view,
        is_page_view=_flags(pc.equal(name, "page_view")),
        is_ping=_flags(pc.equal(name, "page_ping")),
        has_device=_flags(events["anonymous_id"].is_valid()),
        has_user=_flags(events["user_id"].is_valid()),
        event_id=events["event_id"].combine_chunks(),
    )


def _sessions(bucket: _Bucket, timeout: int, longest: int, longest_client: int) -> tuple[Integers, Flags, Flags]:
    size = len(bucket.group)
    start, is_cut, after = np.zeros(size, np.int64), np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    rows = np.flatnonzero(~bucket.is_client)
    rows = rows[np.lexsort((bucket.derived[rows], bucket.group[rows]))]
    if len(rows):
        start[rows], is_cut[rows] = session_starts(bucket.group[rows], bucket.derived[rows], timeout, longest)
    rows = np.flatnonzero(bucket.is_client)
    rows = rows[np.lexsort((bucket.derived[rows], bucket.received[rows], bucket.group[rows]))]
    if len(rows):
        is_cut[rows], after[rows] = client_cuts(bucket.group[rows], bucket.derived[rows], longest_client)
    return start, is_cut, after


def _order(bucket: _Bucket, start: Integers, after: Flags) -> Integers:
    """The rows in order of session and (derived_at, occurred_at, event_id)."""
    keys = (bucket.occurred, bucket.derived, after, start, bucket.group)
    order = np.lexsort(keys)
    begins = _changes(*(key[order] for key in keys))
    tied = ~begins | np.append(~begins[1:], False)
    rows = order[tied]
    if len(rows):
        place = np.cumsum(begins)[tied]
        ties = pa.table({"place": place, "id": bucket.event_id.take(pa.array(rows))})
        by_id = pc.sort_indices(ties, sort_keys=[("place", "ascending"), ("id", "ascending")]).to_numpy()
        order[tied] = rows[by_id]
    return order


def _marks(bucket: _Bucket, session: Integers, order: Integers, heartbeat: int) -> tuple[Flags, ...]:
    """The flags after the first two. `order` is by session, then time."""
    size = len(order)
    in_view = (bucket.is_page_view | bucket.is_ping) & (bucket.page_view >= 0)
    is_ping = bucket.is_ping & in_view
    slot = bucket.occurred // heartbeat
    everything = np.ones(size, np.bool_)
    by_receipt = np.lexsort((bucket.derived, bucket.received, session))

    def first(among: Flags, *keys: Integers, rows: Integers = order) -> Flags:
        flags = np.zeros(size, np.bool_)
        chosen = rows[among[rows]]
        for key in reversed(keys):
            chosen = chosen[np.argsort(key[chosen], kind="stable")]
        flags[chosen[_changes(*(key[chosen] for key in keys))]] = True
        return flags

    def edge(rows: Integers) -> Flags:
        view = first(bucket.is_page_view, session, rows=rows)
        viewed = np.bincount(session, weights=view) > 0
        return view | (first(everything, session, rows=rows) & ~viewed[session])

    return (
        edge(order),
        edge(order[::-1]),
        first(bucket.has_device, session, rows=by_receipt),
        first(bucket.has_user, session, rows=order[::-1]),
        first(bucket.is_page_view | bucket.is_ping, session) & bucket.is_ping,
        first(in_view, session, bucket.page_view),
        first(is_ping, session, bucket.page_view),
        first(is_ping, session, bucket.page_view, slot),
        first(bucket.is_page_view & in_view, session, bucket.page_view),
    )


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
