"""A folder or an S3 prefix behind one face: for Arrow, for Delta's log and for Spark. What the files hold is not
known here."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.fs as fs

from event_assets.lake.creating import create_file, create_object
from event_assets.permissions import make_private_folder

_S3 = "s3://"


@dataclass(frozen=True)
class Storage:
    """The root of a lake. `url` is a folder or `s3://bucket/prefix`; `endpoint` an S3 endpoint that is not AWS's
    own."""

    url: str
    region: str = "us-east-1"
    endpoint: str | None = None

    @property
    def is_s3(self) -> bool:
        return self.url.startswith(_S3)

    @cached_property
    def filesystem(self) -> fs.FileSystem:
        """Arrow's view of the storage; paths are those of `path`."""
        if not self.is_s3:
            return fs.LocalFileSystem()
        if self.endpoint is None:
            return fs.S3FileSystem(region=self.region)
        scheme, _, host = self.endpoint.partition("://")
        return fs.S3FileSystem(region=self.region, endpoint_override=host, scheme=scheme)

    @property
    def delta_options(self) -> dict[str, str]:
        """The storage options of the `deltalake` package."""
        return dict(self.engine_environment())

    def engine_environment(self) -> Mapping[str, str]:
        """What an embedded engine must find in its environment to reach the storage."""
        if not self.is_s3:
            return {}
        options = {"AWS_REGION": self.region}
        if self.endpoint is not None:
            options |= {
                "AWS_ENDPOINT": self.endpoint,
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_ALLOW_HTTP": str(self.endpoint.startswith("http://")).lower(),
            }
        return options

    @cached_property
    def _root(self) -> str:
        return (self.url if self.is_s3 else str(Path(self.url).absolute())).rstrip("/")

    def uri(self, relative: str = "") -> str:
        """The place as Spark and Delta name it."""
        return f"{self._root}/{relative}".rstrip("/")

    def path(self, relative: str = "") -> str:
        """The place as Arrow names it."""
        return self.uri(relative).removeprefix(_S3)

    def make_folder(self, relative: str) -> None:
        """Makes the folder where the storage has folders."""
        if not self.is_s3:
            make_private_folder(Path(self.path(relative)))

    def read(self, relative: str) -> bytes:
        """The bytes of a file. Raises `FileNotFoundError`."""
        with self.filesystem.open_input_stream(self.path(relative), compression=None) as stream:
            return bytes(stream.read())

    def write(self, relative: str, data: bytes) -> None:
        """Writes a file whole, over what was there."""
        self.make_folder(relative.rpartition("/")[0])
        with self.filesystem.open_output_stream(self.path(relative), compression=None) as stream:
            stream.write(data)

    def create(self, relative: str, data: bytes) -> None:
        """Writes a file that is not there yet, whole or not at all. Raises `FileExistsError`."""
        self.make_folder(relative.rpartition("/")[0])
        if self.is_s3:
            create_object(self.path(relative), data, self.region, self.endpoint)
        else:
            create_file(Path(self.path(relative)), data)

    def replace(self, relative: str, data: bytes) -> None:
        """Writes a file over what was there so that nobody sees half of it, whenever the process dies. An object of a
        bucket appears whole by itself."""
        if self.is_s3:
            self.write(relative, data)
            return
        fresh = f"{relative}.{os.getpid()}-{threading.get_ident()}.new"
        self.write(fresh, data)
        with open(self.path(fresh), "rb") as written:
            os.fsync(written.fileno())
        os.replace(self.path(fresh), self.path(relative))

    def are_there(self, relatives: Sequence[str]) -> bool:
        """Whether each of these is a file that is there."""
        infos = self.filesystem.get_file_info([self.path(relative) for relative in relatives])
        return all(info.type == fs.FileType.File for info in infos)

    def delete(self, relative: str) -> None:
        """Deletes a file; nothing where there is none."""
        with suppress(FileNotFoundError):
            self.filesystem.delete_file(self.path(relative))

    def walk(self, relative: str) -> Iterator[tuple[str, int]]:
        """Every file below a folder: its relative name and its bytes."""
        for path, (size, _) in self.stamps(relative).items():
            yield path, size

    def stamps(self, relative: str) -> dict[str, tuple[int, int]]:
        """Every file below a folder, with its bytes and when it was written, in nanoseconds: who has seen a file so
        need not read it again."""
        selector = fs.FileSelector(self.path(relative), recursive=True, allow_not_found=True)
        root = self.path().rstrip("/") + "/"
        infos = (info for info in self.filesystem.get_file_info(selector) if info.type == fs.FileType.File)
        return {info.path.removeprefix(root): (info.size, info.mtime_ns) for info in infos}

    def last_changes(self, relative: str) -> dict[str, dt.datetime]:
        """The folders directly below a folder, each with when a file in it was last written, or, of one that has none,
        a folder in it was last changed."""
        prefix = self.path(relative).rstrip("/") + "/"
        selector = fs.FileSelector(self.path(relative), recursive=True, allow_not_found=True)
        of_files, of_folders = dict[str, dt.datetime](), dict[str, dt.datetime]()
        for info in self.filesystem.get_file_info(selector):
            if info.mtime is not None:  # a bucket's folders have none
                last = of_files if info.type == fs.FileType.File else of_folders
                name = f"{relative}/{info.path.removeprefix(prefix).partition('/')[0]}"
                last[name] = max(info.mtime, last.get(name, info.mtime))
        return of_folders | of_files

    def delete_folder(self, relative: str) -> None:
        """Removes a folder and all in it, other folders without a file too; nothing where there is none."""
        if self.filesystem.get_file_info(self.path(relative)).type == fs.FileType.Directory:
            self.filesystem.delete_dir(self.path(relative))
