"""What the numbers of a session's events say together: how many were lost, and whether it is known who counted.

NumPy over one part of the events in memory, as session_bounds.py.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from event_assets.transforms.sessions.session_bounds import Flags, Integers, SessionEvents, changes, codes

SEQUENCE_SUMS = pa.schema(
    {
        "lost": pa.int64(),
        "names_install": pa.bool_(),
        "is_of_one_device": pa.bool_(),
        "counts_by_server": pa.bool_(),
        "counts_elsewhere": pa.bool_(),
        "counts_anew": pa.bool_(),
    }
)
"""The columns and their types.

- lost: how many numbers there are between those that are there; null without any
- names_install: every event with a number names its install
- is_of_one_device: whether all `anonymous_id`s are the same; null without any
- counts_by_server, counts_elsewhere: a server or desktop app has numbered events, and another app has
- counts_anew: numbers do not go on from the one before, so that more than one install counts
"""


def sequence_sums(events: SessionEvents, by_server: Flags) -> dict[str, pa.Array]:
    """The columns of `SEQUENCE_SUMS`, a row a session. `by_server` tells the events of servers and desktop apps.

    Each install counts each device's events by itself where all numbered events of a session name theirs; else the
    session's events are looked at as those of one.
    """
    is_numbered = events.sequence >= 0
    install, device = codes(events.table["install_id"]), codes(events.table["anonymous_id"])
    names_install = ~events.any(is_numbered & (install < 0))
    counter = np.where(names_install[events.session], install * (device.max() + 2) + device + 1, 0)
    rows = events.order[is_numbered[events.order]]
    rows = rows[np.lexsort((counter[rows], events.session[rows]))]  # ties stay in order
    counting = np.full(len(counter), -1, np.int64)
    counting[rows] = np.cumsum(changes(events.session[rows], counter[rows])) - 1
    return {
        "lost": _lost(events, counting, rows),
        "names_install": pa.array(names_install),
        "is_of_one_device": _is_of_one_device(events, device),
        "counts_by_server": pa.array(events.any(is_numbered & by_server)),
        "counts_elsewhere": pa.array(events.any(is_numbered & ~by_server)),
        "counts_anew": pa.array(_counts_anew(events, counting, rows)),
    }


def _lost(events: SessionEvents, counting: Integers, rows: Integers) -> pa.Int64Array:
    """The numbers that are missing between the least and the greatest of each counter, for each session.

    `counting` numbers the counters, `rows` are those with a number, in order of it and of time.
    """
    begins = np.flatnonzero(changes(counting[rows]))
    sessions = events.session[rows[begins]]
    numbers, ends = events.sequence[rows], np.append(begins[1:], len(rows))
    lost = np.zeros(len(events.first), np.int64)
    if len(rows):
        span = np.maximum.reduceat(numbers, begins) - np.minimum.reduceat(numbers, begins)
        np.add.at(lost, sessions, span + 1 - (ends - begins))
    return pa.array(lost, mask=events.count(rows) == 0)


def _counts_anew(events: SessionEvents, counting: Integers, rows: Integers) -> Flags:
    """The sessions with an event whose number is not above that of the event before, by derived_at and by occurred_at
    too: what counts up in either order may be one install, whose connection or clock was uneven."""
    suspect = counting[rows[_falls(events, counting, rows)]]
    rows = rows[np.isin(counting[rows], suspect)]
    rows = rows[np.lexsort((events.sequence[rows], events.occurred[rows], counting[rows]))]
    anew = np.zeros(len(events.first), np.bool_)
    anew[events.session[rows[_falls(events, counting, rows)]]] = True
    return anew


def _falls(events: SessionEvents, counting: Integers, rows: Integers) -> Integers:
    """Which of the rows have a number that is not above that of the row before of the same counter."""
    same, up = np.diff(counting[rows]) == 0, np.diff(events.sequence[rows]) > 0
    return np.flatnonzero(same & ~up) + 1


def _is_of_one_device(events: SessionEvents, device: Integers) -> pa.BooleanArray:
    rows = events.order[events.has_device[events.order]]
    first = events.row_of(rows)
    differs = device[rows] != device[first[events.session[rows]]]
    is_one = np.ones(len(first), np.bool_)
    is_one[events.session[rows[differs]]] = False
    return pa.array(is_one, mask=first < 0)
