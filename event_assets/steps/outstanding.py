"""What of an upstream table a table has not taken in yet, date by date, and how it can be taken in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from event_assets.lake.progress import Progress, Source
from event_assets.lake.table import Changes, LakeFile, Snapshot


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
        if not self.changes.known:
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
        return Source(self.upstream.version, dict(sorted(remaining.items())))


def outstanding(upstream: Snapshot, progress: Progress) -> Outstanding:
    """What a table with this progress has not taken in of the upstream: all of it, where the upstream was deleted and
    made anew."""
    source = progress.source(upstream.table.spec.name)
    oldest = min([source.through, *source.pending.values()])
    changes = upstream.changes_since(source.through if is_anew(upstream, source) else oldest)
    if changes.known:
        newly = {d for commit in changes.commits if commit.version > source.through for d in commit.touched}
        dates = {**dict.fromkeys(newly, source.through), **source.pending}
    else:
        dates = dict.fromkeys(upstream.table.touched_by(upstream.files), -1)
    return Outstanding(upstream, source, changes, dates)


def is_anew(upstream: Snapshot, source: Source) -> bool:
    """Whether the upstream is younger than what was taken in of it: another table of the same name."""
    return source.through > upstream.version


def _by_version(dates: Iterable[str], versions: Mapping[str, int]) -> Iterator[tuple[int, list[str]]]:
    groups: dict[int, list[str]] = {}
    for date in dates:
        groups.setdefault(versions[date], []).append(date)
    yield from sorted(groups.items())
