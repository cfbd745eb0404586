"""The arithmetic of sessions: where each begins, which are cut, and the events of each in their order.

NumPy over one part of the events in memory, many sessions at once. No Spark here; what the events of a session say
together is told in session_sums.py, sequence_sums.py and view_sums.py.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
TIME = pa.timestamp("us", "UTC")


class Limits(NamedTuple):
    """The constants of sessions, in microseconds: the longest gap, how long a computed session and a client's may last,
    and the length of a slot of page pings."""

    timeout: int
    longest: int
    longest_client: int
    heartbeat: int


class SessionEvents:
    """Events in memory, all of each session, and which session each belongs to.

    `table` has the columns of `session_events`. `session` numbers the sessions of its rows from 0: what came after the
    cut of a client's session has a number of its own. `order` is its rows by session and (derived_at, occurred_at,
    event_id); `first` and `last` tell where in it each session begins and ends. Times are microseconds, ids small
    integers, -1 where there is none.
    """

    def __init__(self, table: pa.Table, limits: Limits) -> None:
        self.table = table = table.combine_chunks()
        self.derived = _microseconds(table["derived_at"])
        self.received = _microseconds(table["received_at"])
        occurred = table["occurred_at"]
        self.occurred = np.where(flags(occurred.is_valid()), _microseconds(occurred), self.derived)
        self.sequence: Integers = table["sequence"].fill_null(-1).combine_chunks().to_numpy().astype(np.int64)
        self.has_device = flags(table["anonymous_id"].is_valid())
        self.has_user = flags(table["user_id"].is_valid())
        self.is_client = flags(table["session_id"].is_valid())
        self.key = codes(pc.coalesce(table["anonymous_id"], table["user_id"]))
        self._group = np.where(self.is_client, codes(table["session_id"]) * 2 + 1, self.key * 2)
        self.start, self.is_cut, self.is_after = self._sessions(limits)
        self.order, self.session = self._ordered()
        self.first = np.flatnonzero(changes(self.session[self.order]))
        self.last = np.append(self.first[1:], len(self.order)) - 1

    def row_of(self, rows: Integers) -> Integers:
        """Of each session the first of these rows, which are in order of sessions; -1 where it has none."""
        found = np.full(len(self.first), -1, np.int64)
        firsts = first_rows(rows, self.session)
        found[self.session[firsts]] = firsts
        return found

    def any(self, is_so: Flags) -> Flags:
        """Whether it is so of an event of each session."""
        found: Flags = np.logical_or.reduceat(is_so[self.order], self.first)
        return found

    def count(self, rows: Integers) -> Integers:
        """How many of the rows are of each session."""
        return np.bincount(self.session[rows], minlength=len(self.first))

    @cached_property
    def session_ids(self) -> pa.Array:
        """The id of each session: the client's, else a hash of key and beginning; null without a key."""
        rows = self.order[self.first]
        keys = pc.coalesce(self.table["anonymous_id"], self.table["user_id"]).take(pa.array(rows)).to_pylist()
        given = self.table["session_id"].take(pa.array(rows)).to_pylist()
        starts = self.start[rows].tolist()
        each = zip(given, keys, starts, strict=True)
        return pa.array([_computed_id(key, start) if own is None else own for own, key, start in each], pa.string())

    def _sessions(self, limits: Limits) -> tuple[Integers, Flags, Flags]:
        size = len(self._group)
        start, is_cut, after = np.zeros(size, np.int64), np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        rows = np.flatnonzero(~self.is_client)
        rows = rows[np.lexsort((self.derived[rows], self._group[rows]))]
        if len(rows):
            computed = session_starts(self._group[rows], self.derived[rows], limits.timeout, limits.longest)
            start[rows], is_cut[rows] = computed
        rows = np.flatnonzero(self.is_client)
        rows = rows[np.lexsort((self.derived[rows], self.received[rows], self._group[rows]))]
        if len(rows):
            is_cut[rows], after[rows] = client_cuts(self._group[rows], self.derived[rows], limits.longest_client)
        return start, is_cut, after

    def _ordered(self) -> tuple[Integers, Integers]:
        keys = (self.occurred, self.derived, self.is_after, self.start, self._group)
        order = np.lexsort(keys)
        begins = changes(*(key[order] for key in keys))
        tied = ~begins | np.append(~begins[1:], False)
        rows = order[tied]
        if len(rows):
            place = np.cumsum(begins)[tied]
            ties = pa.table({"place": place, "id": self.table["event_id"].take(pa.array(rows))})
            by_id = pc.sort_indices(ties, sort_keys=[("place", "ascending"), ("id", "ascending")]).to_numpy()
            order[tied] = rows[by_id]
        session = np.empty(len(order), np.int64)
        session[order] = np.cumsum(changes(*(key[order] for key in keys[2:]))) - 1
        return order, session


def session_starts(groups: Integers, times: Integers, timeout: int, longest: int) -> tuple[Integers, Flags]:
    """For events in order of (group, time): when each one's session begins, and whether that session was cut.

    A session that would last longer than `longest` is cut there and the next event begins the next one. Only the rare
    chains of events that are longer are walked, session by session.
    """
    begins = changes(groups)
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
    begins = changes(groups)
    session = np.cumsum(begins) - 1
    after = times > times[np.flatnonzero(begins)][session] + longest
    return np.bincount(session, weights=after)[session] > 0, after


def first_rows(rows: Integers, *keys: Integers) -> Integers:
    """The first of the rows with each key. Rows with the same key stand together."""
    return rows[changes(*(key[rows] for key in keys))]


def changes(*columns: npt.NDArray[np.generic]) -> Flags:
    """Where a row differs from the one before it in any column. The first always does."""
    differs = np.zeros(len(columns[0]), np.bool_)
    differs[:1] = True
    for column in columns:
        differs[1:] |= column[1:] != column[:-1]
    return differs


def flags(values: pa.ChunkedArray) -> Flags:
    """The truth of each value; null is false."""
    truth: Flags = values.fill_null(False).to_numpy()
    return truth


def codes(ids: pa.ChunkedArray) -> Integers:
    """A small integer for each id; -1 where there is none."""
    numbers: Integers = ids.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy().astype(np.int64)
    return numbers


def taken(values: pa.ChunkedArray, rows: Integers) -> pa.Array:
    """The values of these rows; null where there is none (-1)."""
    return values.combine_chunks().take(pa.array(rows, mask=rows < 0))


def _computed_id(key: str | None, start: int) -> str | None:
    """The hash of the key, which `key_hash` gives too, and that of key and beginning."""
    if key is None:
        return None
    group = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"{group}-{hashlib.sha256(f'{group}|{start}'.encode()).hexdigest()[:16]}"


def _microseconds(times: pa.ChunkedArray) -> Integers:
    """Microseconds since 1970; 0 where there is no time."""
    exact: Integers = times.cast(pa.timestamp("us", times.type.tz)).cast(pa.int64()).fill_null(0).to_numpy()
    return exact
