"""Which time counts: the derived timestamp and its bounds. No clock is read here."""

from __future__ import annotations

import datetime as dt

FUTURE_LIMIT = dt.timedelta(hours=24)
"""An event may lie at most this far ahead of its arrival at the collector."""


def derived_at(
    occurred_at: dt.datetime | None,
    sent_at: dt.datetime | None,
    received_at: dt.datetime,
    given: dt.datetime | None = None,
) -> dt.datetime:
    """When the event happened by the server's clock (Snowplow's derived timestamp).

    Given by a trusted source; else the time of receipt less what passed on the client between happening and sending;
    else, where the client's two times are missing or contradict each other, the time of receipt.
    """
    if given is not None:
        return given
    if occurred_at is not None and sent_at is not None and occurred_at <= sent_at:
        try:
            return received_at.astimezone(dt.UTC) - (sent_at - occurred_at)
        except OverflowError:
            return received_at
    return received_at


def is_future(derived: dt.datetime, received_at: dt.datetime) -> bool:
    """Whether the event lies more than 24 hours ahead of its receipt: its time cannot be believed."""
    return derived - received_at > FUTURE_LIMIT
