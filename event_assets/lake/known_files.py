"""The files of a table as its log tells them: what was read of a file before is not read of it again.

A table of a thousand hours has a thousand files and more, and a micro-batch looks at several of its versions. A path
is never used for another file, so what is known of it stays true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.lake.files import LakeFile

_SPARE = 1_000
"""Files that are known beyond those of a version before those that went are forgotten."""


class KnownFiles:
    """The files of the table at this address."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._known: dict[str, LakeFile] = {}

    def of(self, actions: pa.Table) -> list[LakeFile]:
        """The files that the rows of `get_add_actions(flatten=True)` are about, in their order."""
        paths: list[str] = actions["path"].to_pylist()
        known = self._known
        new = [row for row, path in enumerate(paths) if path not in known]
        if new:
            made = _files(self._uri, actions.take(new) if len(new) < len(paths) else actions)
            known = {**known, **dict(zip((paths[row] for row in new), made, strict=True))}
        files = [known[path] for path in paths]
        if len(known) > len(paths) + _SPARE:
            known = dict(zip(paths, files, strict=True))
        self._known = known  # in one go: other threads read it
        return files


def only(actions: pa.Table, column: str, values: Sequence[str]) -> pa.Table:
    """The rows of files whose partition says one of these."""
    texts = _texts(actions[f"partition.{column}"])
    return actions.filter(pc.is_in(texts, pa.array(values, pa.string())))


def smaller_than(actions: pa.Table, size: int) -> pa.Table:
    """The rows of files of fewer bytes."""
    return actions.filter(pc.less(actions["size_bytes"], size))


def of_paths(actions: pa.Table, paths: Iterable[str]) -> pa.Table:
    """The rows of files at these paths."""
    said = {each for path in paths for each in (path, quote(path), quote(path, safe="/=-_."))}
    return actions.filter(pc.is_in(_texts(actions["path"]), pa.array(sorted(said), pa.string())))


def values_of(actions: pa.Table, column: str) -> set[str]:
    """What partitions say."""
    return set(_texts(actions[f"partition.{column}"]).unique().to_pylist())


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _files(uri: str, actions: pa.Table) -> Iterator[LakeFile]:
    paths, partitions = actions["path"].to_pylist(), _by_row(actions, "partition.")
    counts = zip(actions["size_bytes"].to_pylist(), actions["num_records"].to_pylist(), strict=True)
    bounds = zip(_by_row(actions, "min."), _by_row(actions, "max."), strict=True)
    for quoted, partition, (size, rows), (low, high) in zip(paths, partitions, counts, bounds, strict=True):
        path = unquote(quoted)
        yield LakeFile(
            url=f"{uri}/{path}",
            size=size,
            rows=rows,
            partition={name: str(value) for name, value in partition.items()},
            path=path,
            low={name: value for name, value in low.items() if value is not None},
            high={name: value for name, value in high.items() if value is not None},
        )


def _by_row(actions: pa.Table, prefix: str) -> list[dict[str, Any]]:
    """The values of the columns with this prefix that are not null in all rows, a row a dictionary."""
    names = [name for name in actions.column_names if name.startswith(prefix)]
    used = [name for name in names if prefix == "partition." or actions[name].null_count < len(actions)]
    if not used:
        return [{} for _ in range(len(actions))]
    plain = [name.removeprefix(prefix) for name in used]
    columns = (actions[name].to_pylist() for name in used)
    return [dict(zip(plain, values, strict=True)) for values in zip(*columns, strict=True)]
