"""Columns of instants, as microseconds since 1970: of what was decoded, and of the texts that events say them in.

Which text is an instant is `event`'s to say, what follows from one `times`'s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.event import Instant
from event_assets.contract.text_columns import characters_of

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SINCE_1970 = pa.duration("us")
_TIME = pa.timestamp("us", "UTC")
_USUAL = "2026-11-20T00:00:07.127Z"
_MARKS = [(place, ord(letter)) for place, letter in enumerate(_USUAL) if letter in "T.Z"]
"""Where the usual way of writing an instant has which letters. A text of its length that has them there is an instant
to Arrow only where it is the same one to the decoder, years beyond the calendar's aside."""
_instant = msgspec.json.Decoder(Instant)
_instants = msgspec.json.Decoder(list[Instant])


def instants(values: Sequence[dt.datetime | None]) -> pa.Int64Array:
    """Instants as microseconds since 1970."""
    # Arrow asks each time for its zone, in Python; a difference has none and costs a third.
    return pa.array([None if at is None else at - _EPOCH for at in values], _SINCE_1970).view(pa.int64())


def instants_in(texts: pa.StringArray) -> tuple[pa.Int64Array, list[int]]:
    """The instants that texts say, and the rows of those that say none."""
    absent = texts.is_null().to_numpy(zero_copy_only=False)
    plain = _is_usual(texts) | absent
    try:
        known = texts if plain.all() else pc.if_else(pa.array(plain), texts, pa.scalar(None, pa.string()))
        at = known.cast(_TIME).view(pa.int64())
    except pa.ArrowInvalid:
        plain, at = absent, pa.nulls(len(texts), pa.int64())
    if plain.all():
        return at, []
    rows = np.flatnonzero(~plain)
    decoded = _decoded(texts.take(pa.array(rows)).to_pylist())
    wrong = [row for row, instant in zip(rows.tolist(), decoded, strict=True) if instant is None]
    return pc.replace_with_mask(at, pa.array(~plain), instants(decoded)), wrong


def _is_usual(texts: pa.StringArray) -> npt.NDArray[np.bool_]:
    begins, lengths, characters = characters_of(texts)
    usual: npt.NDArray[np.bool_] = lengths == len(_USUAL)
    begins = begins[usual]
    marked = np.ones(len(begins), np.bool_)
    for place, letter in _MARKS:
        marked &= characters[begins + place] == letter
    usual[usual] = marked
    return usual


def _decoded(texts: Sequence[str]) -> Sequence[dt.datetime | None]:
    try:
        return _instants.decode(msgspec.json.encode(texts))
    except msgspec.ValidationError:
        return [*map(_decoded_alone, texts)]


def _decoded_alone(text: str) -> dt.datetime | None:
    try:
        return _instant.decode(msgspec.json.encode(text))
    except msgspec.ValidationError:
        return None
