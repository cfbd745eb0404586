"""Which events of a session were numbered by one install, and how many were lost before each.

NumPy over one part of the events in memory, as session_flags.py, which tells the sessions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LOST_BEFORE = {"lost_before": "BIGINT"}
"""The column that `numbering` gives beside a flag."""


class Numbered(NamedTuple):
    """What events say of their numbering; -1 where they say nothing. `session` numbers their sessions, `order` has the
    rows by session, then time."""

    sequence: Integers
    install: Integers
    device: Integers
    occurred: Integers
    session: Integers
    order: Integers


def numbering(events: Numbered) -> tuple[Flags, pa.Array]:
    """Which events do not go on from the one before them, so that more than one install counts; and how many numbers
    there are between an event and the one before it by number, null for an event without one.

    Each install counts each device's events by itself where all numbered events of a session name theirs; else the
    session's events are looked at as those of one.
    """
    sequence, session = events.sequence, events.session
    is_numbered = sequence >= 0
    rows = events.order[is_numbered[events.order]]
    if not len(rows):
        return np.zeros(len(session), np.bool_), pa.nulls(len(session), pa.int64())
    unnamed = np.bincount(session, weights=is_numbered & (events.install < 0)) > 0
    counter = events.install * (events.device.max() + 2) + events.device + 1
    counter = np.where(unnamed[session], 0, counter - counter.min() + 1)
    counter += session * (counter.max() + 1)
    rows = rows[np.argsort(counter[rows], kind="stable")]
    return _counts_anew(sequence, counter, events.occurred, rows), _lost_before(sequence, counter, rows)


def _counts_anew(sequence: Integers, counter: Integers, occurred: Integers, rows: Integers) -> Flags:
    """A flag on events whose number is not above that of the event before, by derived_at and by occurred_at too: what
    counts up in either order may be one install, whose connection or clock was uneven. `rows` have numbers."""
    suspect = np.unique(counter[_falls(sequence, counter, rows)])
    rows = rows[np.isin(counter[rows], suspect)]
    return _falls(sequence, counter, rows[np.lexsort((sequence[rows], occurred[rows], counter[rows]))])


def _falls(sequence: Integers, counter: Integers, rows: Integers) -> Flags:
    """A flag on the rows whose number is not above that of the row before of the same counter."""
    flags = np.zeros(len(sequence), np.bool_)
    falls = (np.diff(counter[rows]) == 0) & (np.diff(sequence[rows]) <= 0)
    flags[rows[1:][falls]] = True
    return flags


def _lost_before(sequence: Integers, counter: Integers, rows: Integers) -> pa.Array:
    rows = rows[np.lexsort((sequence[rows], counter[rows]))]
    between = np.where(np.diff(counter[rows]) == 0, np.diff(sequence[rows]) - 1, 0)
    lost = np.zeros(len(sequence), np.int64)
    lost[rows[1:]] = between
    return pa.array(lost, mask=sequence < 0)
