"""What the exact decoder may see otherwise than its types do, asked of columns; of single events `doubts` asks it.

Sure, and no more: about a row that is found here `EventDecoder` decides. Pure.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.placeholders import Placeholders
from event_assets.contract.text_columns import characters_of

_BYTE = 256


class PlaceholderIds:
    """Finds ids that are placeholders, by the pairs of characters that none of these begins with."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._is_other = np.zeros(_BYTE * _BYTE, np.bool_)
        self._is_other[[first * _BYTE + second for first, second in map(str.encode, placeholders.other_heads)]] = True

    def rows(self, ids: pa.StringArray) -> list[int]:
        """Where an id is one."""
        begins, lengths, characters = characters_of(ids)
        unsure = ids.is_valid().to_numpy(zero_copy_only=False)
        two = np.flatnonzero(lengths >= 2)
        heads = characters[begins[two]].astype(np.int32) * _BYTE + characters[begins[two] + 1]
        unsure[two[self._is_other[heads]]] = False
        rows = np.flatnonzero(unsure)
        texts = ids.take(pa.array(rows)).to_pylist() if len(rows) else []
        return [row for row, text in zip(rows.tolist(), texts, strict=True) if text in self._placeholders]


def nobodys(*ids: pa.StringArray) -> list[int]:
    """Where there is no id of anybody."""
    nobody = np.ones(len(ids[0]), np.bool_)
    for each in ids:
        nobody &= characters_of(each)[1] == 0
    return np.flatnonzero(nobody).tolist()


def no_objects(texts: pa.StringArray, depth: int) -> list[int]:
    """Where a text is no object, or has brackets enough to be deeper than this."""
    coded = texts.dictionary_encode()
    brackets = pc.add(pc.count_substring(coded.dictionary, "{"), pc.count_substring(coded.dictionary, "["))
    is_object = pc.starts_with(coded.dictionary, "{")
    wrong = pc.or_(pc.invert(is_object), pc.greater(brackets, depth))
    return rows_of(coded, pc.indices_nonzero(wrong).to_pylist())


def rows_of(coded: pa.DictionaryArray, codes: Collection[int]) -> list[int]:
    """The rows that have one of these codes."""
    if not codes:
        return []
    rows: list[int] = pc.indices_nonzero(pc.is_in(coded.indices, pa.array(codes, pa.int32()))).to_pylist()
    return rows
