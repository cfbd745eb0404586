"""All tables of the lake under one root, and room for scratch."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.lake.scratch import BEFORE, SCRATCH, scratch_folder
from event_assets.lake.session import SessionsInUse
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Lake:
    """The lake of one storage root: `lake.table("sessions")`."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        sessions = SessionsInUse()
        self._tables = {spec.name: LakeTable(storage, spec, sessions) for spec in EVERY_TABLE}

    def table(self, name: str) -> LakeTable:
        """The table of that name. Raises `KeyError`."""
        return self._tables[name]

    def clear_scratch(self, keep: dt.timedelta = dt.timedelta(days=1)) -> int:
        """Deletes scratch that has not changed for so long: its maker was killed. Gives how many folders."""
        before = dt.datetime.now(dt.UTC) - keep
        changes = [change for root in (SCRATCH, *BEFORE) for change in self.storage.last_changes(root).items()]
        old = [folder for folder, at in changes if at < before]
        for folder in old:
            self.storage.delete_folder(folder)
        return len(old)

    @contextmanager
    def scratch(self) -> Iterator[Callable[..., DataFrame]]:
        """A function that writes frames, one after another, and gives their rows back read from there."""
        root = scratch_folder()

        def checkpoint(*frames: DataFrame) -> DataFrame:
            uri = self.storage.uri(f"{root}/{uuid.uuid4().hex}")
            for frame in frames:
                frame.write.mode("append").parquet(uri)
            reader = frames[0].sparkSession.read
            # What an engine infers of a frame may differ from what it writes (Sail: INT for a BIGINT), so the files
            # tell.
            wrote = any(True for _ in self.storage.walk(uri.removeprefix(self.storage.uri() + "/")))
            return reader.parquet(uri) if wrote else reader.schema(frames[0].schema).parquet(uri)

        try:
            yield checkpoint
        finally:
            self.storage.delete_folder(root)
