"""Which files of an index of ids may hold one that has just come, where ids are in no order.

Ids of version 7 are in the order of time: the bounds of a file tell that it is too old. Those of version 4 lie anywhere
between the bounds of every file, and each micro-batch would read the whole index. So a fingerprint of each id, eight
bytes, is kept in memory, file by file, for as long as the process holds the table: a file is read for it once. Where no
fingerprint comes twice, no id does, and no engine has to be asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from event_assets.lake.files import LakeFile
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable

Fingerprints = npt.NDArray[np.uint64]
_fingerprints: WeakKeyDictionary[LakeTable, Mapping[str, Fingerprints]] = WeakKeyDictionary()


def that_may_hold(ids: Snapshot, files: Sequence[LakeFile], new: Sequence[LakeFile]) -> list[LakeFile]:
    """Those of the `files` of the index that hold an id of the `new` ones, and next to never one that does not."""
    known, wanted = _known(ids, [*files, *new]), _together(ids, new)
    return [file for file in files if _share(known[file.path], wanted)]


def holding(table: Snapshot, column: str, values: pa.ChunkedArray) -> list[LakeFile]:
    """The files of a table in which one of these values stands in a column of texts, and next to never one in which
    none does. Of a table it is always the same column."""
    known, wanted = _known(table, table.files, column), _hashed(values)
    return [file for file in table.files if _share(known[file.path], wanted)]


def may_repeat(ids: Snapshot, new: Sequence[LakeFile]) -> bool:
    """Whether an id stands twice in these files; next to never where none does."""
    return _repeats(_together(ids, new))


def _together(ids: Snapshot, files: Sequence[LakeFile]) -> Fingerprints:
    known = _known(ids, files)
    return np.concatenate([known[file.path] for file in files] or [np.array([], np.uint64)])


def _known(ids: Snapshot, files: Sequence[LakeFile], column: str = "event_id") -> Mapping[str, Fingerprints]:
    """Fingerprints by file, of these at least; those of files that are gone are forgotten."""
    known = _fingerprints.get(ids.table, {})
    there = {file.path for file in (*ids.files, *files)}
    kept = {path: prints for path, prints in known.items() if path in there}
    kept |= {file.path: _read(ids, file, column) for file in files if file.path not in kept}
    _fingerprints[ids.table] = kept
    return kept


def _read(ids: Snapshot, file: LakeFile, column: str) -> Fingerprints:
    return _hashed(ids.arrow([file], (column,))[column])


def _hashed(values: pa.ChunkedArray) -> Fingerprints:
    """The fingerprints of ids, in order: the same in every process."""
    texts = (chunk.to_numpy(zero_copy_only=False) for chunk in values.iterchunks())
    from pandas.util import hash_array  # slow to import, and no part of what Dagster loads

    hashed = [hash_array(each, categorize=False) for each in texts]
    return np.sort(np.concatenate(hashed or [np.array([], np.uint64)]))


def _repeats(prints: Fingerprints) -> bool:
    """Whether one stands twice among them."""
    ordered = np.sort(prints)
    return bool(np.any(ordered[1:] == ordered[:-1]))


def _share(known: Fingerprints, wanted: Fingerprints) -> bool:
    """Whether the two have one in common; `known` is in order."""
    places = np.searchsorted(known, wanted)
    return bool(np.any(known[np.minimum(places, len(known) - 1)] == wanted)) if len(known) else False
