"""Instants that are read many at once are those that the decoder reads one by one."""

from __future__ import annotations

import datetime as dt

import msgspec
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from event_assets.contract.event import Instant
from event_assets.contract.instant_columns import instants, instants_in
from event_assets_tests.examples import examples

USUAL = "2026-11-20T00:00:07.127Z"
_CHANGED = st.builds(
    lambda place, letter: USUAL[:place] + letter + USUAL[place + 1 :],
    st.integers(0, len(USUAL) - 1),
    st.sampled_from([*"0123456789TtZz.,:-+ _", "é"]),
)
_GIVEN = st.datetimes(timezones=st.timezones() | st.just(dt.UTC)).map(dt.datetime.isoformat)
TEXTS = st.none() | st.just(USUAL) | _CHANGED | _GIVEN | st.sampled_from(["", "2016-12-31T23:59:60.000Z", '"', "\0"])


@examples(100)
@given(st.lists(TEXTS, max_size=6), st.integers(0, 3))
@example([USUAL, "0000-01-01T00:00:00.000Z", "2026-02-30T00:00:00.000Z", "2026-11-20T24:00:00.000Z"], 0)
@example(["2026-11-20T00:00:07+0100", "2026-11-20 00:00:07.127Z", "2026-11-20t00:00:07.127Z"], 0)
def test_an_instant_is_read_as_the_decoder_reads_it(texts: list[str | None], skipped: int) -> None:
    column = pa.array([*["x"] * skipped, *texts], pa.string()).slice(skipped)
    said = [_decoded(text) for text in texts]
    found, wrong = instants_in(column)
    years = [
        row for row, text in enumerate(texts) if text is not None and text.startswith("0000-") and row not in wrong
    ]
    assert wrong == [
        r
        for r, (text, at) in enumerate(zip(texts, said, strict=True))
        if at is None and text is not None and r not in years
    ]
    assert [at for row, at in enumerate(found.to_pylist()) if row not in years] == [
        at for row, at in enumerate(instants(said).to_pylist()) if row not in years
    ]


def _decoded(text: str | None) -> dt.datetime | None:
    try:
        return None if text is None else msgspec.convert(text, Instant)
    except msgspec.ValidationError:
        return None
