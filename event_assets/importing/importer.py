"""One file of events from its first line to its last: read, map, write, remember how far.

Every line goes on: what cannot be mapped is sent as it is and ends in quarantine with its bytes. Importing a file again
changes nothing, because its events keep their ids.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from event_assets.importing.mapping import FieldMapping
from event_assets.importing.reading import Line, ReadStopped, check_readable, read_lines
from event_assets.importing.sinks import Sink, SinkError, Written
from event_assets.importing.translating import Translator
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
    """How far an import is. `share` of the file's bytes, between 0 and 1."""

    lines: int
    share: float


@dataclass(frozen=True)
class ImportResult:
    """What was imported. `lines` of this run that were not blank; `resumed_after` are lines of an earlier run.

    A line may have several events. `accepted` are on the stream as events, `aside` (by reason) as they came, to be
    quarantined; of `dropped` ones the person refused consent. `paths`: in how many lines the mapping's paths were
    found, those of an earlier run included; `never_found` are those that had to be somewhere and were not.
    """

    path: Path
    lines: int
    resumed_after: int
    accepted: int
    dropped: int
    seconds: float
    aside: dict[str, int] = field(default_factory=dict)
    paths: tuple[PathFound, ...] = ()
    never_found: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether all of this run broke a rule: hardly a file of events, or the mapping is another file's."""
        return bool(self.aside) and not self.accepted and not self.dropped

    @property
    def events_per_second(self) -> float:
        """Lines of this run per second."""
        return self.lines / self.seconds if self.seconds else 0.0


def import_file(
    path: Path,
    mapping: FieldMapping | Translator | None,
    sink: Sink,
    progress: Callable[[ImportProgress], None] | None = None,
    *,
    bookmarks: Path | None = None,
) -> ImportResult:
    """Sends every line of a file, or element of its array (see reading.py), to the sink: by a mapping's rules, as the
    events that a translator makes of it, or as it is.

    `bookmarks` is a folder in which is kept how far the file was imported, so that an import that stopped goes on after
    its last durable line; it is forgotten once the file is done. Memory holds a batch (20,000 lines or 32 MB). Raises
    `ImportStopped`, `UnreadableFile`.
    """
    began = time.perf_counter()
    check_readable(path)
    bookmark = _Bookmark(bookmarks, path, mapping)
    mark, size = bookmark.mark, max(1, path.stat().st_size)
    by_path = mapping if isinstance(mapping, FieldMapping) else None
    skipped, found = mark.lines, mark.found or (by_path.none_found() if by_path else [])
    total, lines, last = Written(), 0, skipped
    try:
        for batch in _batches(read_lines(path, skipped), lambda line: len(line.text)):
            for texts in _batches(_events(batch, mapping, found), len):
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
    bookmark.forget()
    seconds = time.perf_counter() - began
    result = ImportResult(path, lines, skipped, total.accepted, total.dropped, seconds, dict(Counter(total.aside)))
    return replace(result, **_findings(by_path, found)) if by_path and last else result


def _events(batch: Sequence[Line], mapping: FieldMapping | Translator | None, found: list[int]) -> Iterator[bytes]:
    """The events of these lines."""
    for line in batch:
        if isinstance(mapping, Translator):
            yield from mapping.events(line.number, line.text)
        else:
            yield mapping.map(line.text, found) if mapping else line.text


def _findings(mapping: FieldMapping, found: Sequence[int]) -> dict[str, Any]:
    paths = (PathFound(named.path, named.of, lines) for named, lines in zip(mapping.paths, found, strict=True))
    return {"paths": tuple(paths), "never_found": tuple(mapping.never_found(found))}


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


class _Bookmark:
    """How far one file was imported with one mapping. Another size, time or mapping is another file."""

    def __init__(self, folder: Path | None, path: Path, mapping: FieldMapping | Translator | None) -> None:
        self._of = str(path.absolute())
        self._file: Path | None = None
        if folder is not None:
            stat = path.stat()
            identity = f"{self._of}\n{stat.st_size}\n{stat.st_mtime_ns}\n{mapping.digest if mapping else ''}"
            self._file = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"

    @property
    def mark(self) -> _Mark:
        if self._file is None:
            return _Mark(self._of, 0)
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Mark)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Mark(self._of, 0)

    def set(self, lines: int, found: list[int]) -> None:
        if self._file is not None:
            make_private_folder(self._file.parent)
            fresh = self._file.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(msgspec.json.encode(_Mark(self._of, lines, found)))
            os.replace(fresh, self._file)

    def forget(self) -> None:
        if self._file is not None:
            self._file.unlink(missing_ok=True)
