"""How a table by days is refreshed: rows that only came are appended, and a day that lost some, or that other rules
made, is made again from all rows of its upstream. Tables about things are refreshed by key (keyed_refresh.py)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from event_assets.contract.tables.schema import Table
from event_assets.lake.files import LakeFile
from event_assets.lake.horizons import closed_before
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.pending_changes import Appended, PendingChanges, pending_changes
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Run


@dataclass(frozen=True)
class DateWork:
    """What a table takes in: of its upstream, new files of days to which rows only came, and whole days."""

    base: Snapshot
    upstream: Mapping[str, Snapshot]
    appended: Sequence[Appended]
    rebuilt: Sequence[str]

    @property
    def dates(self) -> list[str]:
        """All days that are made, in order."""
        return sorted({date for each in self.appended for date in each.dates} | set(self.rebuilt))

    def of(self, table: Table) -> Snapshot:
        """An upstream table at the version that is taken in."""
        return self.upstream[table.name]


def _nothing_more(table: Snapshot, staged: Sequence[LakeFile]) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class DateRefresh:
    """How a table is made from the tables that it `follows` day by day.

    `stage` writes the rows of some days. With `appends` rows that came to the first of these tables are taken in alone;
    a change of another, and any change without it, makes the day again. With `keeps_lost_days` a day that the upstream
    has nothing of any more stays as it is. With `days_after` so many days after one that is made are made with it, as
    they depend on it. `upstream` gives the tables where it is not their latest version; `more`
    what is reported beside the rows.
    """

    table: Table
    follows: tuple[Table, ...]
    code: str
    stage: Callable[[DateWork], list[LakeFile]]
    appends: bool = True
    keeps_lost_days: bool = False
    days_after: int = 0
    upstream: Callable[[], Mapping[str, Snapshot]] = dict
    more: Callable[[Snapshot, Sequence[LakeFile]], Mapping[str, Any]] = _nothing_more


def refresh_dates(run: Run, how: DateRefresh) -> StepReport:
    """Refreshes the days of the run's window."""
    return retry_on_conflict(lambda: _refresh(run, how))


def _refresh(run: Run, how: DateRefresh) -> StepReport:
    base = run.lake.table(how.table.name).snapshot()
    upstream = {table.name: run.lake.table(table.name).snapshot() for table in how.follows} | dict(how.upstream())
    made = set[str] if how.keeps_lost_days else base.dates
    pending = {name: pending_changes(snapshot, base.progress, made) for name, snapshot in upstream.items()}
    # Days that are not whole any more stay as they are: whatever is new of them had its turn, or came after its time.
    closed = closed_before(how.table, (each.whole_since for each in (base, *upstream.values())))
    over = sorted(date for each in pending.values() for date in each.dates if date < closed)
    pending = {name: each.without(over) for name, each in pending.items()}
    existing = {date for date in _standing(run, base, upstream, pending, how) if date >= closed}
    work = _work(run, base, upstream, pending, existing, how)
    if not work.dates and all(each.dates == each.consumed.pending for each in pending.values()):
        return report_of(base)
    staged = how.stage(work) if work.dates else []
    progress = base.progress.with_code(how.code, existing, () if run.hours else work.rebuilt)
    for name, each in pending.items():
        progress = progress.with_consumed(name, each.after(work.dates))
    removed = of_hours(base.of_dates(work.rebuilt), run)
    after = base.table.at(base.table.commit(base, progress, add=staged, remove=removed))
    return report_of(after, staged, work.dates, work.rebuilt, {**how.more(after, staged), **_kept(run, closed)})


def _kept(run: Run, closed: str) -> dict[str, str]:
    """Says of days that a rebuild was asked for, and that stay as they are."""
    if not run.rebuild or not closed or str(run.window.first) >= closed:
        return {}
    return {"kept": f"days before {closed} stay as they are: what they were made of went by retention"}


def _standing(
    run: Run,
    base: Snapshot,
    upstream: Mapping[str, Snapshot],
    pending: Mapping[str, PendingChanges],
    how: DateRefresh,
) -> set[str]:
    """The days that were made before, to some of which more may have come since. Of hours alone nothing that came is
    taken in: the rest of its day would be held for done."""
    waiting = {date for each in pending.values() for date in each.dates}
    return _existing(base, upstream, how) - (waiting if run.hours else waiting - base.dates())


def _existing(base: Snapshot, upstream: Mapping[str, Snapshot], how: DateRefresh) -> set[str]:
    """The days that the table has, or that its upstream has by the same layout."""
    column = how.table.partition_by[0]
    alike = [each.dates() for each in upstream.values() if column in each.table.spec.partition_by]
    return set().union(*alike) if how.keeps_lost_days else base.dates().union(*alike)


def _work(
    run: Run,
    base: Snapshot,
    upstream: Mapping[str, Snapshot],
    pending: Mapping[str, PendingChanges],
    existing: Iterable[str],
    how: DateRefresh,
) -> DateWork:
    rebuilt = {day for day in run.window.among(existing) if run.rebuild or base.progress.is_outdated(how.code, day)}
    first, *others = pending.values()
    for each in others if how.appends else pending.values():
        rebuilt |= set(run.window.among(each.dates))
    if how.days_after:
        there = {*existing, *(date for each in pending.values() for date in each.dates)}
        rebuilt |= days_beside(rebuilt, range(1, how.days_after + 1)) & there
    appended, replaced = first.appended_and_replaced(day for day in run.window.among(first.dates) if day not in rebuilt)
    return DateWork(base, upstream, appended, sorted(rebuilt | set(replaced)))


def days_beside(days: Iterable[str], places: Iterable[int]) -> set[str]:
    """The days that come so many days after (or, negative, before) these."""
    dates = [dt.date.fromisoformat(day) for day in days]
    return {str(date + dt.timedelta(days=place)) for place in places for date in dates}


def of_hours(files: Sequence[LakeFile], run: Run) -> list[LakeFile]:
    """The files of the hours of arrival that a rebuild is narrowed to."""
    return [file for file in files if not run.hours or int(file.partition["arrival_hour"]) in run.hours]
