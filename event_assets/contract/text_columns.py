"""Columns of JSON texts: made of the bytes of many at once, and many decoded in one call. No rule of the contract."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.ndjson import decode_joined


def texts_of(data: bytes, lengths: npt.NDArray[np.int32]) -> pa.StringArray:
    """The texts that stand one after the other in UTF-8, by their lengths in bytes."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(data))


def characters_of(
    texts: pa.StringArray,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Where each text begins among the bytes of all, its length there, and these bytes; null has none."""
    _, offsets, data = texts.buffers()
    places = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    lengths = np.diff(places)
    if texts.null_count:
        lengths[texts.is_null().to_numpy(zero_copy_only=False)] = 0
    return places[:-1], lengths, np.frombuffer(data or b"", np.uint8)


def nothing_as_null(texts: pa.StringArray) -> pa.StringArray:
    """The texts with null in place of the empty one and of JSON's null."""
    is_nothing = pc.or_(pc.equal(texts, ""), pc.equal(texts, "null"))
    if not pc.any(is_nothing).as_py():
        return texts
    validity = pc.invert(is_nothing)
    _, offsets, data = texts.buffers()
    return pa.StringArray.from_buffers(len(texts), offsets, data, validity.buffers()[1])


def decode_texts(decoder: msgspec.json.Decoder[Any], texts: pa.StringArray) -> list[Any] | None:
    """What each of the JSON texts says, none of which is null; None unless all are the decoder's."""
    if not len(texts):
        return []
    lines = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts), "\n")
    return decode_joined(decoder, memoryview(lines.cast(pa.binary())[0].as_buffer()), len(texts))
