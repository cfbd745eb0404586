"""Which rows a commit changed, as files beside the table that its entry in the log names: a table that follows reads
these alone, and not the files that were written again for a few rows.

They lie where Delta keeps such files, `_change_data`, and are removed with what no younger version needs. Where they
are not told, or not kept, all files that differ have to be compared.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from event_assets.lake.files import LakeFile

if TYPE_CHECKING:
    from event_assets.lake.table import LakeTable

FOLDER = "_change_data"
ROWS = "rows"
"""Where the note of a commit names the files."""
_TIMES = "_times"


class RowChanges(NamedTuple):
    """Files of the rows that came, and of those that went."""

    came: list[LakeFile]
    went: list[LakeFile]

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        return sum(file.size for file in (*self.came, *self.went))


def net(came: pa.Table, went: pa.Table) -> tuple[pa.Table, pa.Table]:
    """What came more often than it went, and the other way round, each row as often as it did so."""
    both = pa.concat_tables([_with(came, 1), _with(went, -1)])
    times = both.group_by(came.column_names).aggregate([(_TIMES, "sum")])
    count, rows = times[f"{_TIMES}_sum"].to_numpy(), times.select(came.column_names).cast(came.schema)
    return _repeated(rows, count), _repeated(rows, -count)


def _repeated(rows: pa.Table, times: npt.NDArray[np.int64]) -> pa.Table:
    return rows.take(pa.array(np.repeat(np.arange(len(times)), np.maximum(times, 0))))


def _with(rows: pa.Table, times: int) -> pa.Table:
    return rows.append_column(_TIMES, pa.repeat(pa.scalar(times, pa.int8()), rows.num_rows))


def stage(table: LakeTable, came: pa.Table, went: pa.Table) -> RowChanges:
    """Writes rows that came and went beside the table."""
    table.storage.make_folder(f"{table.spec.name}/{FOLDER}")
    name = f"{FOLDER}/{uuid.uuid4().hex}"
    came_files, went_files = (
        [table.stage_arrow(rows, f"{name}-{which}", {})] if rows.num_rows else []
        for which, rows in (("came", came), ("went", went))
    )
    return RowChanges(came_files, went_files)


def noted(changes: RowChanges) -> dict[str, list[dict[str, Any]]]:
    """What a commit says of them."""
    return {
        name: [{"path": file.path, "size": file.size, "rows": file.rows} for file in files]
        for name, files in changes._asdict().items()
    }


def told(uri: str, note: Mapping[str, Sequence[Mapping[str, Any]]]) -> RowChanges:
    """The files that a commit of the table at this address names."""
    came, went = (
        [LakeFile(f"{uri}/{file['path']}", file["size"], file["rows"], {}, file["path"]) for file in note[name]]
        for name in RowChanges._fields
    )
    return RowChanges(came, went)
