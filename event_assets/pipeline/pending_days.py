"""Which days are behind: what came to a table and is not in the tables that follow it yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.horizons import closed_before, read_horizons
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.tip import tip
from event_assets.pipeline.pending_changes import PendingChanges, pending_changes
from event_assets.pipeline.registry import followed

BY_ARRIVAL = tuple(followed("arrival_date"))
"""Tables by day of arrival: what is made of what."""
BY_EVENT_DATE = tuple(followed("event_date"))
"""Tables by the day on which events happened: what is made of what."""


@dataclass(frozen=True)
class Pending:
    """The days that are behind, each with the tables that are, in the order of the data, and how many commits of an
    upstream it has missed at most. `unreadable` are tables that could not be looked at, each with the reason."""

    days: dict[str, list[str]] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    _found: list[PendingChanges] = field(default_factory=list)

    def in_turn(self) -> list[str]:
        """The days in the order in which they should have their turn: what waits longest, then the newest."""
        return sorted(sorted(self.days, reverse=True), key=lambda day: -self.missed[day])

    def since(self) -> dict[str, dt.datetime]:
        """Since when each day has been behind; since the beginning of time where the log does not reach back so far."""
        since: dict[str, dt.datetime] = {}
        for changes in self._found:
            first_missed = {version: _first_missed(changes, version) for version in set(changes.dates.values())}
            for day, version in changes.dates.items():
                since[day] = min(first_missed[version], since.get(day, first_missed[version]))
        return since

    def take(self, downstream: str, changes: PendingChanges) -> None:
        """Adds what a table is behind on."""
        self._found.append(changes)
        for day, version in changes.dates.items():
            tables = self.days.setdefault(day, [])
            if downstream not in tables:
                tables.append(downstream)
            self.missed[day] = max(changes.upstream.version - version, self.missed.get(day, 0))


def pending(lake: Lake, edges: Iterable[tuple[str, str]]) -> Pending:
    """The days that are behind. What it costs grows neither with how long they have waited nor with how many files
    tables have. Nothing that a table holds raises: one that cannot be read is named, and the others are looked at all
    the same."""
    found, edges = Pending(), [*edges]
    horizons = read_horizons(lake.storage)
    read: dict[str, Snapshot | None] = {}

    def snapshot(name: str, *, make: bool) -> Snapshot | None:
        if name not in read:
            read[name] = tip(lake.table(name)) if make or lake.table(name).exists() else None
        return read[name]

    for upstream, downstream in edges:
        looked_at = upstream
        try:
            if upstream in found.unreadable or (source := snapshot(upstream, make=False)) is None:
                continue
            looked_at = downstream
            if downstream in found.unreadable or (base := snapshot(downstream, make=True)) is None:
                continue
            progress = base.progress
            looked_at = upstream
            changes = pending_changes(source, progress, tuple if upstream == RAW_EVENTS.name else base.dates)
            for day in changes.dates:
                looked_at = downstream if day in progress.consumed(upstream).pending else upstream
                dt.date.fromisoformat(day)
            made_of = (each for each, other in edges if other == downstream)
            closed = closed_before(base.table.spec, (horizons.get(name, "") for name in (downstream, *made_of)))
            changes = changes.without([day for day in changes.dates if day < closed])
        except Exception as error:
            found.unreadable[looked_at] = (str(error) or type(error).__name__).splitlines()[0][:300]
        else:
            found.take(downstream, changes)
    return found


def _first_missed(changes: PendingChanges, version: int) -> dt.datetime:
    """When the first commit came that a date at this version has missed. A table's version 0 holds nothing."""
    return changes.upstream.committed_at(max(version, 0) + 1) or dt.datetime.min.replace(tzinfo=dt.UTC)
