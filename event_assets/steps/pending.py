"""Which days are behind: what came to a table and is not in the tables that follow it yet."""

from __future__ import annotations

from collections.abc import Iterable

from event_assets.contract.tables import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.steps.outstanding import outstanding
from event_assets.steps.registry import followed

BY_ARRIVAL = tuple(followed("arrival_date"))
"""Tables by day of arrival: what is made of what."""
BY_EVENT_DATE = tuple(followed("event_date"))
"""Tables by the day on which events happened: what is made of what."""


def pending(lake: Lake, edges: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The days that are behind, each with the tables that are, in the order of the data."""
    behind: dict[str, list[str]] = {}
    for upstream, downstream in edges:
        if not lake.table(upstream).exists():
            continue
        base = lake.table(downstream).snapshot()
        made = () if upstream == RAW_EVENTS.name else base.dates()
        todo = outstanding(lake.table(upstream).snapshot(), base.progress, made)
        for date in todo.dates:
            if downstream not in behind.setdefault(date, []):
                behind[date].append(downstream)
    return dict(sorted(behind.items()))
