"""The times of many events at once: when they were received and happened, by the contract's rules for one.

All are microseconds since 1970. What the rules for one event may see otherwise is in doubt and not decided here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.times import FUTURE_LIMIT

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_GIVEN = ("occurred_at", "sent_at", "received_at", "derived_at")


def microseconds(at: dt.datetime) -> int:
    """An instant as microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


_FIRST = microseconds(dt.datetime(2, 1, 1, tzinfo=dt.UTC))
_LAST = microseconds(dt.datetime(9998, 12, 31, tzinfo=dt.UTC))
"""Within these bounds an instant has a date in every zone."""
_AHEAD = FUTURE_LIMIT // _MICROSECOND


class EventTimes(NamedTuple):
    """The columns of time by their names, and the rows that are in doubt."""

    columns: dict[str, pa.Int64Array]
    doubtful: set[int]


def event_times(columns: Mapping[str, pa.Array], arrived: pa.Int64Array, first_day: dt.date) -> EventTimes:
    """The times of events, of what they say themselves and when the stream took them.

    In doubt is who is received or happened over a day ahead of the stream, happened before the first day, or says a
    time at the ends of the calendar.
    """
    given = {name: columns[name] for name in _GIVEN}
    doubtful = [_outside(values, _FIRST, _LAST) for values in given.values()]
    occurred, sent = given["occurred_at"], given["sent_at"]
    received = pc.coalesce(given["received_at"], arrived)
    by_server = pc.subtract(received, pc.subtract(sent, occurred))
    derived = pc.if_else(pc.less_equal(occurred, sent), by_server, received)
    derived = pc.coalesce(given["derived_at"], derived, received)
    first = microseconds(dt.datetime.combine(first_day, dt.time(), dt.UTC))
    believed = pc.min_element_wise(received, arrived)
    doubtful += [
        _outside(pc.subtract(received, arrived), None, _AHEAD),
        _outside(pc.subtract(derived, believed), None, _AHEAD),
        _outside(derived, first, None),
    ]
    return EventTimes({**given, "received_at": received, "derived_at": derived}, set().union(*doubtful))


def _outside(values: pa.Int64Array, least: int | None, most: int | None) -> list[int]:
    """Where a value lies outside the bounds."""
    bounds = pc.min_max(values).as_py()
    if bounds["min"] is None:
        return []
    rows: list[int] = []
    if least is not None and bounds["min"] < least:
        rows += pc.indices_nonzero(pc.fill_null(pc.less(values, least), False)).to_pylist()
    if most is not None and bounds["max"] > most:
        rows += pc.indices_nonzero(pc.fill_null(pc.greater(values, most), False)).to_pylist()
    return rows
