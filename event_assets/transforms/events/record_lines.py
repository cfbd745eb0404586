"""The lines of raw records, a block at a time, in texts that are decoded in one call each.

What they say is not looked at here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from event_assets.contract.erasure import ERASED
from event_assets.contract.ndjson import Lines
from event_assets.contract.records import BadEncoding, lines_of, unpack_text

_BLOCK_LINES = 8192
"""Lines that are read together: as many as a decoding process is given, as each block costs a millisecond."""
_NO_EVENT = b'{"event_id":"-","event":"-","platform":"web"}'
"""Stands in a text for a line that cannot stand there, and is taken by the decoder, so that the others are at once."""

Integers = npt.NDArray[np.int32]


class RecordLines:
    """Lines of a batch's records, and what is wrong with the records that cannot be unpacked, by their numbers.

    `texts` has all lines, but for the `strange` ones, which stand here by their rows: what is no object, or one that is
    printed over several lines.
    """

    def __init__(self) -> None:
        self.texts: list[Lines] = []
        self.strange: dict[int, bytes] = {}
        self.unreadable: dict[int, str] = {}
        self._records: list[Integers] = []
        self._numbers: list[Integers] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def line(self, row: int) -> bytes:
        """A line as it came."""
        if row in self.strange:
            return self.strange[row]
        text = bisect_right(self._begins, row) - 1
        return self.texts[text][row - self._begins[text]]

    @cached_property
    def _begins(self) -> list[int]:
        return [0, *accumulate(map(len, self.texts))]

    @cached_property
    def records(self) -> Integers:
        """Of each line the number of its record in the batch."""
        return np.concatenate([np.empty(0, np.int32), *self._records])

    @cached_property
    def numbers(self) -> Integers:
        """Of each line its place in its record."""
        return np.concatenate([np.empty(0, np.int32), *self._numbers])

    def add(self, record: int, lines: Lines, numbers: Integers, strange: Mapping[int, bytes]) -> None:
        """Takes in lines of a record, with their places there, and those that are strange, by their rows."""
        self.strange |= {self._count + row: line for row, line in strange.items()}
        self.texts.append(lines)
        self._records.append(np.full(len(lines), record, np.int32))
        self._numbers.append(numbers)
        self._count += len(lines)


def blocks(contents: Iterable[bytes]) -> Iterator[RecordLines]:
    """The lines of records in their order, without the places of those that were erased."""
    block = RecordLines()
    for record, content in enumerate(contents):
        try:
            text = unpack_text(content)
        except BadEncoding as error:
            block.unreadable[record] = str(error)
            continue
        for part in _parts(text):
            block.add(record, *part)
            if len(block) >= _BLOCK_LINES:
                yield block
                block = RecordLines()
    yield block


def _parts(text: bytes) -> Iterator[tuple[Lines, Integers, dict[int, bytes]]]:
    """Up to as many lines of a record as a block has, with their places in it, and those that are strange."""
    lines, strange = Lines.of(text), dict[int, bytes]()
    if lines is not None and not _may_be_erased(lines):
        numbers: Sequence[int] = range(len(lines))
    else:
        given = lines_of(text)
        numbers = [number for number, line in enumerate(given) if line != ERASED]
        kept = [given[number] for number in numbers]
        strange = {row: line for row, line in enumerate(kept) if Lines.of(line) is None or b"\n" in line}
        lines = Lines.of(b"\n".join(_NO_EVENT if row in strange else line for row, line in enumerate(kept)))
    if lines is None:
        return
    for start in range(0, len(lines), _BLOCK_LINES):
        end = start + _BLOCK_LINES
        others = {row - start: line for row, line in strange.items() if start <= row < end}
        yield lines.part(start, end), np.array(numbers[start:end], np.int32), others


def _may_be_erased(lines: Lines) -> bool:
    return bool((lines.ends - lines.begins == len(ERASED)).any())
