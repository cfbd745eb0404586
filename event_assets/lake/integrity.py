"""Whether what the lake keeps is what was written: files by a checksum in their names, commits by one in the log.

Engines write Parquet without checksums, and read a flipped byte as another value. How damage is healed is not known
here.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import pyarrow.fs as fs
import pyarrow.parquet as pq

from event_assets.lake.at_once import at_once
from event_assets.lake.files import LakeFile, statistics_of
from event_assets.lake.storage import Storage

_IN_NAME = re.compile(r"\.crc32-([0-9a-f]{8})\.parquet$")
_PIECE = 1 << 20
_sound: set[tuple[str, int, int]] = set()
"""Files whose bytes this process has seen to be right, by path, size and time of change."""


class LakeDamaged(RuntimeError):
    """A file of the lake is not what was written. The message names the file, its fault and the way out."""

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(f"{path} is damaged: {fault}. `event-assets doctor` says how to heal it.")
        self.path = path
        self.fault = fault


def sealed(storage: Storage, relative: str) -> str:
    """The file's name with the checksum of its bytes in it, which it has from now on.

    An object of a bucket keeps its name: S3 has checksums of its own, and cannot rename.
    """
    if storage.is_s3 or _IN_NAME.search(relative):
        return relative
    named = f"{relative.removesuffix('.parquet')}.crc32-{_checksum(storage.path(relative))}.parquet"
    os.replace(storage.path(relative), storage.path(named))
    return named


def require_sound(storage: Storage, table: str, files: Sequence[LakeFile]) -> None:
    """Returns where every file is there and holds the bytes that were written. Raises `LakeDamaged`.

    The embedded engine passes over a file that is missing and reads wrong values from a damaged one. A bucket is left
    to S3, which has checksums of its own, and to the cluster, which raises where an object is missing.
    """
    if storage.is_s3 or not files:
        return
    found = storage.filesystem.get_file_info([storage.path(f"{table}/{file.path}") for file in files])
    for file, info in zip(files, found, strict=True):
        _require(info.path, _fault_of_size(file, info))
    unseen = [info for info in found if _stamp(info) not in _sound]
    for info, fault in zip(unseen, at_once(_fault_of_bytes, [info.path for info in unseen]), strict=True):
        _require(info.path, fault)
        _sound.add(_stamp(info))


def _require(path: str, fault: str | None) -> None:
    if fault is not None:
        raise LakeDamaged(path, fault)


def _stamp(info: fs.FileInfo) -> tuple[str, int, int]:
    return info.path, info.size, info.mtime_ns


def fault_of(storage: Storage, table: str, file: LakeFile) -> str | None:
    """What is wrong with a file of a table, by its size, its checksum, and every page of it; None where it is sound."""
    path = storage.path(f"{table}/{file.path}")
    fault = _fault_of_size(file, storage.filesystem.get_file_info([path])[0])
    if fault is None and not storage.is_s3:
        fault = _fault_of_bytes(path)
    return fault or _fault_of_pages(storage.filesystem, path, file)


def _fault_of_size(file: LakeFile, info: fs.FileInfo) -> str | None:
    if info.type != fs.FileType.File:
        return "it is not there"
    return None if info.size == file.size else f"it has {info.size} bytes, and had {file.size} when it was written"


def _fault_of_bytes(path: str) -> str | None:
    named = _IN_NAME.search(path)
    if named is None or _checksum(path) == named.group(1):
        return None
    return "its bytes are not those that were written"


def _fault_of_pages(filesystem: fs.FileSystem, path: str, file: LakeFile) -> str | None:
    try:
        with filesystem.open_input_file(path) as source:
            reader = pq.ParquetFile(source, page_checksum_verification=True)
            rows = sum(batch.num_rows for batch in reader.iter_batches(16_384))
    except (OSError, ValueError) as error:  # what Arrow says of a file that is no Parquet, or a broken one
        return f"it cannot be read ({error})"
    return None if rows == file.rows else f"it has {rows} rows, and had {file.rows} when it was written"


def _checksum(path: str) -> str:
    checksum = 0
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            checksum = zlib.crc32(piece, checksum)
    return f"{checksum:08x}"


def seal_of_commit(
    add: Iterable[LakeFile], remove: Iterable[LakeFile], note: Mapping[str, Any] | None, progress: bytes
) -> dict[str, str]:
    """Checksums for a commit's entry in the log: of what it says, and of its progress record."""
    added = [[file.path, file.size, file.partition, json.loads(statistics_of(file))] for file in add]
    return {"commit": _checksum_of_commit(added, [f.path for f in remove], note), "progress": crc32(progress)}


def fault_of_commit(text: bytes, note_key: str, seal_key: str) -> str | None:
    """What is wrong with one commit's file of a Delta log; None where it is sound, or older than checksums."""
    try:
        actions = [json.loads(line) for line in text.splitlines() if line.strip()]
        about = next((action["commitInfo"] for action in actions if "commitInfo" in action), None)
        if about is None:
            return "it does not say what was committed"
        seal = about.get(seal_key)
        added = [
            [unquote(add["path"]), add["size"], add["partitionValues"], json.loads(add["stats"])]
            for add in (action["add"] for action in actions if "add" in action)
        ]
        removed = [unquote(action["remove"]["path"]) for action in actions if "remove" in action]
        if seal is None or _checksum_of_commit(added, removed, about.get(note_key)) == seal["commit"]:
            return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return f"it cannot be read ({type(error).__name__}: {error})"
    return "it does not say what was written"


def first_line(error: Exception) -> str:
    """What an engine says went wrong, without the stack of its own that follows."""
    return str(error).strip().partition("\n")[0].strip()


def crc32(data: bytes) -> str:
    """The checksum of some bytes, as the lake writes it."""
    return f"{zlib.crc32(data):08x}"


def _checksum_of_commit(added: list[Any], removed: list[str], note: Mapping[str, Any] | None) -> str:
    said = [sorted(added, key=lambda file: str(file[0])), sorted(removed), note]
    return crc32(json.dumps(said, sort_keys=True, default=str).encode())
