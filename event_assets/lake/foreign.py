"""Delta tables in the lake that are written by others (company data): what they hold is not in the contract.

They are read as they are, by version; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from deltalake import DeltaTable

from event_assets.lake.progress import Consumed
from event_assets.lake.storage import Storage


@dataclass(frozen=True)
class ForeignTable:
    """A Delta table at a place below the lake's root."""

    storage: Storage
    path: str

    def exists(self) -> bool:
        return DeltaTable.is_deltatable(self.uri, storage_options=self.storage.delta_options)

    @property
    def uri(self) -> str:
        return self.storage.uri(self.path)

    @cached_property
    def delta(self) -> DeltaTable:
        """The table as it is at the first look."""
        return DeltaTable(self.uri, storage_options=self.storage.delta_options)

    @property
    def consumed(self) -> Consumed:
        """What whoever takes all of it in has taken in; the same as never where there is no table."""
        return Consumed(self.delta.version(), {}, str(self.delta.metadata().id)) if self.exists() else Consumed()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.delta.schema().fields)

    @property
    def rows(self) -> int:
        return int(self.delta.count())

    def arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows in memory, in these columns (all by default)."""
        wanted = list(columns) if columns is not None else None
        return self.delta.to_pyarrow_table(columns=wanted)
