"""Which days of which tables are due to go, and what keeps those that are not gone yet.

A day that is over waits as long as a table that follows has not taken it in, or may have to make it again; as long as
the warehouse has not loaded it; and as long as the ledger does not balance. Nothing is changed here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from event_assets.contract.tables.events import (
    CLEAN_EVENTS,
    ENRICHED_EVENTS,
    EVENT_LEDGER,
    QUARANTINED_EVENTS,
    RAW_EVENTS,
)
from event_assets.contract.tables.lake import ANALYSIS_TABLES
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.horizons import MARGIN, closed_before, read_horizons
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.load import behind
from event_assets.pipeline.pending_changes import REBUILD, pending_changes
from event_assets.pipeline.registry import STEPS, step_of
from event_assets.rules.retention import TABLES, Retention
from event_assets.warehouse.warehouse import Warehouse

_MAY_BE_LEFT = {*ANALYSIS_TABLES, SEGMENT_MEMBERSHIPS}
"""Tables that are made of files which nobody has to write."""
_TAKES_AS_IT_IS = {(EVENT_LEDGER, RAW_EVENTS), (QUARANTINED_EVENTS, CLEAN_EVENTS)}
"""Which table reads another without keeping how far: of the first the ledger tells, the second finds only what is no
clean event."""
_ALL = ""
"""Before every day."""


@dataclass(frozen=True)
class Due:
    """What is due of a table: whole days before `whole_before`, of some apps more or less (`before`, by app), and no
    day from `horizon` on. `wanted` is what the file asks for; `waits` says, in a sentence each, what holds it up."""

    table: str
    days: int | None
    wanted: str
    horizon: str
    before: str
    apps: dict[str, str]
    waits: tuple[str, ...] = ()

    @property
    def whole_before(self) -> str:
        """Of days before that, no app's rows are kept."""
        return min([self.before, *self.apps.values()])


def due_tables(lake: Lake, retention: Retention, today: dt.date, warehouse: Warehouse | None = None) -> list[Due]:
    """What is due of each table that is there and does not keep everything, each after all that it is made of."""
    found = []
    for name in TABLES:
        days, apps = retention.days_of(name), retention.apps_of(name)
        if lake.table(name).exists() and (days is not None or any(each is not None for each in apps.values())):
            found.append(_due(lake, name, days, apps, today, warehouse))
    return found


def _due(
    lake: Lake, name: str, days: int | None, apps: dict[str, int | None], today: dt.date, warehouse: Warehouse | None
) -> Due:
    spec = lake.table(name).spec
    ends = {app: _end(today, each) for app, each in apps.items()}
    wanted = max(_end(today, days), *ends.values(), _ALL)
    waiting = sorted(_waiting(lake, spec, wanted, warehouse))
    first = min((day for day, _ in waiting), default=wanted)
    horizon = wanted
    if first < wanted and first != _ALL:
        by_arrival = spec.partition_by[:1] == ("arrival_date",)
        horizon = min(wanted, first if by_arrival else str(dt.date.fromisoformat(first) - MARGIN))
    if first == _ALL:
        horizon = read_horizons(lake.storage).get(name, _ALL)
    sentences = tuple(dict.fromkeys(sentence for _, sentence in waiting))
    capped = {app: min(end, horizon) for app, end in ends.items()}
    return Due(name, days, wanted, horizon, min(_end(today, days), horizon), capped, sentences)


def _end(today: dt.date, days: int | None) -> str:
    """The first day that stays."""
    return _ALL if days is None else str(today - dt.timedelta(days=days))


def _waiting(lake: Lake, spec: Table, wanted: str, warehouse: Warehouse | None) -> Iterator[tuple[str, str]]:
    """Days that something needs still, from the first on, each with a sentence: those that matter before `wanted` and
    shortly after it. `_ALL` where all are needed."""
    snapshot = lake.table(spec.name).snapshot()
    if not snapshot.files:
        return
    near = str(dt.date.fromisoformat(wanted) + MARGIN)
    for day, sentence in _behind(lake, snapshot, warehouse):
        if day < near:
            yield day, f"{sentence} (from {day} on)" if day else sentence
    for day, sentence in _unbalanced(lake, spec, snapshot, wanted):
        yield day, sentence


def _behind(lake: Lake, snapshot: Snapshot, warehouse: Warehouse | None) -> Iterator[tuple[str, str]]:
    spec, horizons = snapshot.table.spec, read_horizons(lake.storage)
    for follower in _followers(spec):
        table = lake.table(follower.name)
        made = table.snapshot() if table.exists() else None
        consumed = [name for name in (made.progress.upstreams if made else ()) if name.rpartition("/")[2] == spec.name]
        if made is None or not consumed:
            if _has_to_take_in(lake, follower, spec):
                yield _ALL, f"{follower.name} has not taken in {spec.name} yet"
            continue
        sources = (each.name for each in step_of(follower).upstream)
        closed = closed_before(follower, (horizons.get(each, "") for each in (follower.name, *sources)))
        for name in consumed:
            yield from _missing(snapshot, made, name, closed)
    own = lake.table(spec.name).snapshot()
    for upstream in step_of(spec).follows:
        if lake.table(upstream.name).exists():
            source = lake.table(upstream.name).snapshot()
            closed = closed_before(spec, (horizons.get(each, "") for each in (spec.name, upstream.name)))
            yield from _missing(source, own, upstream.name, closed)
    if warehouse is not None:
        for loaded in WAREHOUSE_TABLES:
            if loaded.lake is spec and loaded.partition_by:
                days = [day for day in behind(snapshot, warehouse, loaded).dates if day >= snapshot.whole_since]
                if days:
                    yield min(days), f"the warehouse has not loaded all of {spec.name}"


def _has_to_take_in(lake: Lake, follower: Table, spec: Table) -> bool:
    """Whether a table that has nothing of another is to be waited for: tables of one step may leave it to one."""
    step = step_of(follower)
    if follower in _MAY_BE_LEFT or step.group == "company" or (follower, spec) in _TAKES_AS_IT_IS:
        return False
    others = (lake.table(each.name) for each in step.tables if lake.table(each.name).exists())
    return not any(spec.name in each.snapshot().progress.upstreams for each in others)


def _followers(spec: Table) -> list[Table]:
    return [table for step in STEPS if spec in step.upstream for table in step.tables if table is not spec]


def _missing(upstream: Snapshot, made: Snapshot, name: str, closed: str) -> Iterator[tuple[str, str]]:
    """What a table has not taken in of another, under the name that its progress has for it."""
    consumed, spec = made.progress.upstreams[name], upstream.table.spec
    progress = made.progress.with_consumed(spec.name, consumed)
    pending = pending_changes(upstream, progress)
    sentence = f"{made.table.spec.name} is behind on {spec.name}"
    if not pending.changes.known:
        yield _ALL, sentence
        return
    days = [day for day, version in pending.dates.items() if day >= closed or version == REBUILD]
    if days:
        yield min(days), sentence


def _unbalanced(lake: Lake, spec: Table, snapshot: Snapshot, wanted: str) -> Iterator[tuple[str, str]]:
    """Days of arrival that do not balance; of a table by days of arrival, those that were not counted too."""
    table = lake.table(EVENT_LEDGER.name)
    by_arrival = spec.partition_by[:1] == ("arrival_date",)
    if not by_arrival and spec is not ENRICHED_EVENTS:
        return
    counted: dict[str, bool] = {}
    if table.exists():
        for row in table.snapshot().arrow(columns=("arrival_date", "balanced")).to_pylist():
            day = str(row["arrival_date"])
            counted[day] = counted.get(day, True) and row["balanced"]
    for day, balances in counted.items():
        if not balances and day < wanted:
            yield day, f"the ledger does not balance on {day}"
    if by_arrival:
        for day in snapshot.dates() - counted.keys():
            if snapshot.whole_since <= day < wanted:
                yield day, f"the ledger has not counted {day}"
