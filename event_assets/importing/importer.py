"""Files of events, each from its first line to its last: read, map, write, remember how far.

Every line goes on: what cannot be mapped is sent as it is and ends in quarantine with its bytes. Importing a file again
changes nothing, because its events keep their ids.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from event_assets.importing.files import ImportFile
from event_assets.importing.mapping import FieldMapping
from event_assets.importing.reading import Form, Line, ReadStopped, read_lines
from event_assets.importing.sinks import Sink, SinkError, Written
from event_assets.importing.translating import Translator
from event_assets.importing.unpacking import UnreadableFile
from event_assets.permissions import make_private_folder

BATCH_LINES = 20_000
BATCH_BYTES = 32_000_000
_Part = TypeVar("_Part")


class ImportStopped(RuntimeError):
    """The import could not go on. The message says why and how far it came; doing it again goes on from there."""


class PathFound(NamedTuple):
    """In how many lines a path was there that the mapping names for a field."""

    path: str
    of: str
    lines: int


class ImportProgress(NamedTuple):
    """How far an import is. `share` of the files' bytes, between 0 and 1."""

    lines: int
    share: float


@dataclass(frozen=True)
class ImportResult:
    """What was imported. `lines` of this run that were not blank; `resumed_after` are lines of an earlier run.

    A line may have several events. `accepted` are on the stream as events, `aside` (by reason) as they came, to be
    quarantined; of `dropped` ones the person refused consent. `found`: in how many lines each path of the mapping was,
    those of an earlier run included. `is_line_by_line`: whether each line is one event. `unread`: what is said of files
    that no events can be read from.
    """

    place: str
    lines: int
    resumed_after: int
    accepted: int
    dropped: int
    seconds: float
    aside: dict[str, int] = field(default_factory=dict)
    found: tuple[int, ...] = ()
    mapping: FieldMapping | None = field(default=None, repr=False)
    is_line_by_line: bool = True
    files: int = 1
    unread: tuple[str, ...] = ()

    @property
    def events(self) -> int:
        """Events of these lines, whatever became of them."""
        return self.accepted + self.dropped + sum(self.aside.values())

    @property
    def paths(self) -> tuple[PathFound, ...]:
        """In how many lines the mapping's paths were."""
        named = self.mapping.paths if self.mapping else ()
        return tuple(PathFound(each.path, each.of, lines) for each, lines in zip(named, self.found, strict=True))

    @property
    def never_found(self) -> tuple[str, ...]:
        """The paths that had to be somewhere and were not."""
        is_all = self.mapping is not None and self.lines + self.resumed_after > 0
        return tuple(self.mapping.never_found(self.found)) if self.mapping and is_all else ()

    @property
    def is_refused(self) -> bool:
        """Whether all of this run broke a rule: hardly a file of events, or the mapping is another file's."""
        return bool(self.aside) and not self.accepted and not self.dropped

    @property
    def events_per_second(self) -> float:
        """Lines of this run per second."""
        return self.lines / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        shown = {name: getattr(self, name) for name in ("place", "files", "lines", "resumed_after", "accepted")}
        shown |= {name: getattr(self, name) for name in ("dropped", "seconds", "aside", "never_found", "unread")}
        return shown | {"paths": [each._asdict() for each in self.paths]}


Rules = FieldMapping | Translator | None
"""How a line becomes an event: by a mapping's rules, as what a translator makes of it, or as it is."""


def import_files(
    place: str,
    files: Sequence[ImportFile],
    rules_of: Callable[[ImportFile], Rules],
    sink: Sink,
    progress: Callable[[ImportProgress], None] | None = None,
    *,
    bookmarks: Path | None = None,
) -> ImportResult:
    """Sends every line of the files of a place to the sink, one file after the other (see `import_file`).

    A file that cannot be read stops no other. An import that stopped goes on where it was: files that are done are
    remembered until all are. Raises `ImportStopped`, and `UnreadableFile` where there is but one.
    """
    whole, before = max(1, sum(file.size for file in files)), 0
    done: list[tuple[_Bookmark, ImportResult]] = []
    unread: list[str] = []
    for file in files:

        def watch(part: ImportProgress, file: ImportFile = file, before: int = before) -> None:
            if progress is not None:
                lines = sum(result.lines for _, result in done) + part.lines
                progress(ImportProgress(lines, (before + part.share * file.size) / whole))

        rules = rules_of(file)
        bookmark = _Bookmark(bookmarks, file, rules)
        try:
            done.append((bookmark, _import(file, rules, sink, watch, bookmark)))
        except UnreadableFile as error:
            if len(files) == 1:
                raise
            unread.append(str(error))
        before += file.size
    for bookmark, _ in done:
        bookmark.forget()
    return _together(place, [result for _, result in done], tuple(unread))


def import_file(
    file: ImportFile | Path,
    rules: Rules,
    sink: Sink,
    progress: Callable[[ImportProgress], None] | None = None,
    *,
    bookmarks: Path | None = None,
) -> ImportResult:
    """Sends every line of a file, element of its array or row of its table (see reading.py) to the sink.

    `bookmarks` is a folder in which is kept how far the file was imported, so that an import that stopped goes on after
    its last durable line; it is forgotten once the file is done. Memory holds a batch (20,000 lines or 32 MB). Raises
    `ImportStopped`, `UnreadableFile`.
    """
    source = ImportFile.of(file) if isinstance(file, Path) else file
    bookmark = _Bookmark(bookmarks, source, rules)
    result = _import(source, rules, sink, progress, bookmark)
    bookmark.forget()
    return result


def _import(
    file: ImportFile,
    rules: Rules,
    sink: Sink,
    progress: Callable[[ImportProgress], None] | None,
    bookmark: _Bookmark,
) -> ImportResult:
    began = time.perf_counter()
    mark, size = bookmark.mark, max(1, file.size)
    by_path = rules if isinstance(rules, FieldMapping) else None
    skipped, found = mark.lines, mark.found or (by_path.none_found() if by_path else [])
    total, lines, last = Written(), 0, skipped
    reading = () if mark.is_done else read_lines(file, skipped, by_path.form if by_path else Form())
    try:
        for batch in _batches(reading, lambda line: len(line.text)):
            for texts in _batches(_events(batch, rules, found), len):
                total.add(sink.write(texts))
            lines += len(batch)
            last = batch[-1].number
            bookmark.set(last, found)
            if progress is not None:
                progress(ImportProgress(skipped + lines, min(1.0, batch[-1].read / size)))
    except (SinkError, ReadStopped) as error:
        raise ImportStopped(
            f"{error}. Lines up to {last} are in; import the file again to go on after them."
        ) from error
    bookmark.set(last, found, is_done=True)
    seconds, aside = time.perf_counter() - began, dict(Counter(total.aside))
    counts = (file.place, lines, skipped, total.accepted, total.dropped, seconds)
    is_line_by_line = by_path.is_line_by_line if by_path else rules is None
    return ImportResult(*counts, aside, tuple(found), by_path, is_line_by_line)


def _together(place: str, results: Sequence[ImportResult], unread: tuple[str, ...]) -> ImportResult:
    """The sums of what was imported of several files."""
    names = ("lines", "resumed_after", "accepted", "dropped", "seconds")
    sums = {name: sum(getattr(result, name) for result in results) for name in names}
    aside: Counter[str] = sum((Counter(result.aside) for result in results), Counter())
    found = tuple(map(sum, zip(*(result.found for result in results), strict=True)))
    shared = {name: getattr(results[0], name) for name in ("mapping", "is_line_by_line")} if results else {}
    return ImportResult(place, **sums, **shared, aside=dict(aside), found=found, files=len(results), unread=unread)


def _events(batch: Sequence[Line], rules: Rules, found: list[int]) -> Iterator[bytes]:
    """The events of these lines."""
    for line in batch:
        if isinstance(rules, Translator):
            yield from rules.events(line.number, line.text)
        elif rules is not None:
            yield from rules.events(line.text, found, line.number)
        else:
            yield line.text


def _batches(parts: Iterable[_Part], size_of: Callable[[_Part], int]) -> Iterator[list[_Part]]:
    batch: list[_Part] = []
    size = 0
    for part in parts:
        batch.append(part)
        size += size_of(part)
        if len(batch) == BATCH_LINES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Mark(msgspec.Struct):
    path: str
    lines: int
    found: list[int] = []
    is_done: bool = False


class _Bookmark:
    """How far one file was imported by one set of rules. Another size, time or set is another file."""

    def __init__(self, folder: Path | None, file: ImportFile, rules: Rules) -> None:
        self._of = file.address
        self._file: Path | None = None
        if folder is not None:
            identity = f"{self._of}\n{file.size}\n{file.changed}\n{rules.digest if rules else ''}"
            self._file = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"

    @property
    def mark(self) -> _Mark:
        if self._file is None:
            return _Mark(self._of, 0)
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Mark)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Mark(self._of, 0)

    def set(self, lines: int, found: list[int], is_done: bool = False) -> None:
        if self._file is not None:
            make_private_folder(self._file.parent)
            fresh = self._file.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(msgspec.json.encode(_Mark(self._of, lines, found, is_done)))
            os.replace(fresh, self._file)

    def forget(self) -> None:
        if self._file is not None:
            self._file.unlink(missing_ok=True)
