"""The files that an import is of: one, a folder of them, or a pattern, on this machine or in a bucket."""

from __future__ import annotations

import fnmatch
import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pyarrow import fs

from event_assets.importing.unpacking import UnreadableFile
from event_assets.lake.storage import Storage
from event_assets.settings import Settings

_S3 = "s3://"
_PATTERN = re.compile(r"[*?\[]")
_HIDDEN = (".", "_")


@dataclass(frozen=True)
class ImportFile:
    """A file of events: `place` as it is named, `size` in bytes, `changed` when it was written."""

    place: str
    size: int
    changed: str
    bucket: fs.FileSystem | None = None

    @staticmethod
    def of(path: Path) -> ImportFile:
        """A file of this machine. Raises `UnreadableFile` where there is no such file, or it cannot be opened."""
        if path.is_dir():
            raise UnreadableFile(f"{path} is a folder; name one file.")
        try:
            path.open("rb").close()
            stat = path.stat()
        except OSError as error:
            raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from None
        return ImportFile(str(path), stat.st_size, str(stat.st_mtime_ns))

    @property
    def name(self) -> str:
        """The last part of its place."""
        return self.place.rpartition("/")[2]

    @property
    def address(self) -> str:
        """Its place, whole."""
        return self.place if self.bucket is not None else str(Path(self.place).absolute())

    def open(self) -> Any:
        """Opens it for reading bytes; it can be sought in."""
        if self.bucket is None:
            return Path(self.place).open("rb", buffering=0)
        return self.bucket.open_input_file(self.place.removeprefix(_S3))


def files_at(place: str, settings: Settings) -> list[ImportFile]:
    """The files of a place, in the order of their names: a file; a folder, with all below it; a pattern with `*`, `?`
    or `[]`, and `**` for any depth; each of them under `s3://` too. What begins with a dot or `_` is passed over in
    folders. Raises `UnreadableFile` where there are none."""
    found = _in_bucket(place, settings) if place.startswith(_S3) else _here(place)
    if not found:
        raise UnreadableFile(f"{place} names no file; look for a slip in the name, and quote a pattern in the shell.")
    return found


def _here(place: str) -> list[ImportFile]:
    path = Path(place)
    if path.is_dir():
        below = (each for each in path.rglob("*") if not _is_hidden(str(each.relative_to(path))))
        return [ImportFile.of(each) for each in sorted(below) if each.is_file()]
    if path.exists() or not _PATTERN.search(place):
        return [ImportFile.of(path)]
    return [ImportFile.of(Path(each)) for each in sorted(glob.glob(place, recursive=True)) if Path(each).is_file()]


def _in_bucket(place: str, settings: Settings) -> list[ImportFile]:
    bucket = Storage(place, settings.aws_region, settings.s3_endpoint_url).filesystem
    path = place.removeprefix(_S3)
    fixed = path[: found.start()].rpartition("/")[0] if (found := _PATTERN.search(path)) else path.rstrip("/")
    try:
        (info,) = bucket.get_file_info([fixed])
        infos = (
            [info] if info.type == fs.FileType.File else bucket.get_file_info(fs.FileSelector(fixed, recursive=True))
        )
    except OSError as error:
        raise UnreadableFile(f"{place} cannot be read: {error}.") from None
    return [
        ImportFile(f"{_S3}{each.path}", cast("int", each.size), str(each.mtime_ns), bucket)
        for each in sorted(infos, key=lambda info: info.path)
        if each.type == fs.FileType.File
        and (
            _fits(each.path.split("/"), path.split("/"))
            if found
            else not _is_hidden(each.path.removeprefix(f"{fixed}/"))
        )
    ]


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path fits a pattern, part by part; `**` is any number of parts."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[skipped:], pattern[1:]) for skipped in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _is_hidden(path: str) -> bool:
    return any(part.startswith(_HIDDEN) for part in path.split("/"))
