"""What of an upstream table a table has not taken in yet, date by date, and how it can be taken in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from event_assets.lake.files import LakeFile
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.snapshot import Changes, Commit, Snapshot

REBUILD = -2
"""Stands for a version where a date is to be made again from all rows, whatever the table has of it."""


class Appended(NamedTuple):
    """New files of some dates. Rows of other dates in these files are not new."""

    dates: tuple[str, ...]
    files: tuple[LakeFile, ...]


@dataclass(frozen=True)
class PendingChanges:
    """The dates of an upstream that a table is behind on, each with the version up to which it has it.

    `changes` are those since the table's last look. The log before that is read only for dates that are taken in and
    have waited since then: what waits for long makes nothing else slow.
    """

    upstream: Snapshot
    consumed: Consumed
    changes: Changes
    dates: Mapping[str, int]

    def appended_and_replaced(self, dates: Iterable[str]) -> tuple[list[Appended], list[str]]:
        """How to take in these dates: new files where rows only came, and the dates to be made again from all rows."""
        groups = list(_by_version(dates, self.dates))
        if not groups:
            return [], []
        changes = self._changes_since(
            min((since for since, _ in groups if since != REBUILD), default=self.consumed.watermark)
        )
        came = {path for commit in changes.commits for path in commit.added}
        active = {file.path: file for file in self.upstream.of_paths(came)}
        appended: list[Appended] = []
        replaced: list[str] = []
        for since, group in groups:
            if since == REBUILD or not changes.known:
                replaced += group
                continue
            commits = [commit for commit in changes.commits if commit.version > since]
            grown, lost = _divide(group, commits, active.keys())
            replaced += lost
            files = [active[path] for path in sorted(_paths(grown, commits))]
            if files:
                appended.append(Appended(tuple(grown), tuple(files)))
        return appended, sorted(replaced)

    def _changes_since(self, version: int) -> Changes:
        return self.changes if version >= self.consumed.watermark else self.upstream.changes_since(version)

    def after(self, done: Iterable[str]) -> Consumed:
        """What the table has taken in once it has the `done` dates of this upstream version."""
        remaining = dict(self.dates)
        for date in done:
            remaining.pop(date, None)
        return Consumed(self.upstream.version, dict(sorted(remaining.items())), self.upstream.id)

    def without(self, dates: Collection[str]) -> PendingChanges:
        """The same, but for dates that are not to be taken in any more."""
        if not dates:
            return self
        return replace(self, dates={date: version for date, version in self.dates.items() if date not in dates})

    @property
    def was_recreated(self) -> bool:
        """Whether the upstream is another table than the one that was taken in."""
        return was_recreated(self.upstream, self.consumed)


def pending_changes(
    upstream: Snapshot, progress: Progress, made: Callable[[], Iterable[str]] = tuple
) -> PendingChanges:
    """What a table with this progress has not taken in of the upstream: all of it, where the upstream was deleted and
    made anew. `made` gives the dates that the table has then of the upstream that is no more, to be made again too."""
    consumed = progress.consumed(upstream.table.spec.name)
    if was_recreated(upstream, consumed):
        dates = {*upstream.table.dates_of(upstream.files), *made()}
        return PendingChanges(upstream, consumed, Changes(False, ()), dict.fromkeys(dates, REBUILD))
    changes = upstream.changes_since(consumed.watermark)
    if not changes.known:
        dates = {*upstream.table.dates_of(upstream.files), *consumed.pending}
        return PendingChanges(upstream, consumed, changes, dict.fromkeys(dates, REBUILD))
    newly = {date for commit in changes.commits for date in commit.affected}
    return PendingChanges(upstream, consumed, changes, {**dict.fromkeys(newly, consumed.watermark), **consumed.pending})


def was_recreated(upstream: Snapshot, consumed: Consumed) -> bool:
    """Whether the upstream is another table of the same name than what was taken in of it: its id is another, or it has
    not reached the version."""
    return consumed.watermark > upstream.version or consumed.table not in ("", upstream.id)


def _divide(dates: list[str], commits: Iterable[Commit], active: Iterable[str]) -> tuple[list[str], list[str]]:
    """The dates to which rows only came and whose files are all still there (`active`), and the others."""
    present = set(active)
    replaced: set[str] = set()
    for commit in commits:
        replaced |= commit.replaced
        if not present.issuperset(commit.added):
            replaced |= commit.affected.keys()
    return [d for d in dates if d not in replaced], [d for d in dates if d in replaced]


def _paths(dates: Iterable[str], commits: Iterable[Commit]) -> set[str]:
    wanted = set(dates)
    return {path for commit in commits if wanted & commit.affected.keys() for path in commit.added}


def _by_version(dates: Iterable[str], versions: Mapping[str, int]) -> Iterator[tuple[int, list[str]]]:
    groups: dict[int, list[str]] = {}
    for date in dates:
        groups.setdefault(versions[date], []).append(date)
    yield from sorted(groups.items())
