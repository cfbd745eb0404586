"""What of an upstream table a table has not taken in yet, date by date, and how it can be taken in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from event_assets.lake.files import LakeFile
from event_assets.lake.progress import Progress, Source
from event_assets.lake.table import Changes, Snapshot

AGAIN = -2
"""Stands for a version where a date is to be made again from all rows, whatever the table has of it."""


class Arrivals(NamedTuple):
    """New files of some dates. Rows of other dates in these files are not new."""

    dates: tuple[str, ...]
    files: tuple[LakeFile, ...]


@dataclass(frozen=True)
class Outstanding:
    """The dates of an upstream that a table is behind on, each with the version up to which it has it."""

    upstream: Snapshot
    source: Source
    changes: Changes
    dates: Mapping[str, int]

    def appended(self, dates: Iterable[str]) -> tuple[list[Arrivals], list[str]]:
        """How to take in these dates: new files where rows only came, and the dates to be made again from all rows."""
        active = {file.path: file for file in self.upstream.files}
        arrivals: list[Arrivals] = []
        again: list[str] = []
        for since, group in _by_version(dates, self.dates):
            simple, rewritten = self._divide(group, since, active.keys())
            again += rewritten
            files = [active[path] for path in sorted(self._paths(simple, since))]
            if files:
                arrivals.append(Arrivals(tuple(simple), tuple(files)))
        return arrivals, sorted(again)

    def _divide(self, dates: list[str], since: int, active: Iterable[str]) -> tuple[list[str], list[str]]:
        """The dates to which rows only came and whose files are all still there, and the others."""
        if since == AGAIN or not self.changes.known:
            return [], dates
        commits = [commit for commit in self.changes.commits if commit.version > since]
        present = set(active)
        rewritten: set[str] = set()
        for commit in commits:
            rewritten |= commit.replaced
            if not present.issuperset(commit.added):
                rewritten |= commit.touched.keys()
        return [d for d in dates if d not in rewritten], [d for d in dates if d in rewritten]

    def _paths(self, dates: Iterable[str], since: int) -> set[str]:
        wanted = set(dates)
        return {
            path
            for commit in self.changes.commits
            if commit.version > since and wanted & commit.touched.keys()
            for path in commit.added
        }

    def after(self, done: Iterable[str]) -> Source:
        """What the table has taken in once it has the `done` dates of this upstream version."""
        remaining = dict(self.dates)
        for date in done:
            remaining.pop(date, None)
        return Source(self.upstream.version, dict(sorted(remaining.items())), self.upstream.id)

    @property
    def is_anew(self) -> bool:
        """Whether the upstream is another table than the one that was taken in."""
        return is_anew(self.upstream, self.source)


def outstanding(upstream: Snapshot, progress: Progress, made: Iterable[str] = ()) -> Outstanding:
    """What a table with this progress has not taken in of the upstream: all of it, where the upstream was deleted and
    made anew. `made` are the dates that the table has then of the upstream that is no more, to be made again too."""
    source = progress.source(upstream.table.spec.name)
    if is_anew(upstream, source):
        dates = {*upstream.table.touched_by(upstream.files), *made}
        return Outstanding(upstream, source, Changes(False, ()), dict.fromkeys(dates, AGAIN))
    changes = upstream.changes_since(min([source.through, *(v for v in source.pending.values() if v != AGAIN)]))
    if not changes.known:
        dates = {*upstream.table.touched_by(upstream.files), *source.pending}
        return Outstanding(upstream, source, changes, dict.fromkeys(dates, AGAIN))
    newly = {date for commit in changes.commits if commit.version > source.through for date in commit.touched}
    return Outstanding(upstream, source, changes, {**dict.fromkeys(newly, source.through), **source.pending})


def is_anew(upstream: Snapshot, source: Source) -> bool:
    """Whether the upstream is another table of the same name than what was taken in of it: its id is another, or it has
    not reached the version."""
    return source.through > upstream.version or source.table not in ("", upstream.id)


def _by_version(dates: Iterable[str], versions: Mapping[str, int]) -> Iterator[tuple[int, list[str]]]:
    groups: dict[int, list[str]] = {}
    for date in dates:
        groups.setdefault(versions[date], []).append(date)
    yield from sorted(groups.items())
