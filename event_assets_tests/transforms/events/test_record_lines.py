"""No line of a record is lost, and none is another."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.erasure import ERASED
from event_assets.contract.records import unpack
from event_assets.transforms.events import record_lines
from event_assets.transforms.events.record_lines import blocks
from event_assets_tests.examples import examples

LINES = st.sampled_from([b'{"a":1}', b'{"b":{}}', ERASED, b"{", b"", b' {"c":1}\r', b"[1]", b'{"d":\n1}', b"}"])
RECORDS = st.lists(LINES, max_size=8).map(b"\n".join)


@examples(60)
@given(st.lists(RECORDS | RECORDS.map(gzip.compress) | st.just(b"\x1f\x8bno"), max_size=4), st.integers(1, 5))
def test_blocks_have_all_lines_but_those_that_were_erased(records: list[bytes], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_lines, "_BLOCK_LINES", at_once)
        found = list(blocks(records))
    readable = [(number, record) for number, record in enumerate(records) if record != b"\x1f\x8bno"]
    lines = [(block.records[row], block.numbers[row], block.line(row)) for block in found for row in range(len(block))]
    assert lines == [
        (number, place, line)
        for number, record in readable
        for place, line in enumerate(unpack(record))
        if line != ERASED
    ]
    assert sorted(record for block in found for record in block.unreadable) == [
        number for number, record in enumerate(records) if record == b"\x1f\x8bno"
    ]
    for block in found:  # what is not strange stands in the texts
        texts = [text[row] for text in block.texts for row in range(len(text))]
        assert all(texts[row] == block.line(row) for row in range(len(block)) if row not in block.strange)
