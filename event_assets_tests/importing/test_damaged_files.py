"""Files that are cut short, and lines that no mapping can read: said or set aside, never lost in silence."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from event_assets.importing.mapping import FieldMapping
from event_assets.importing.reading import ReadStopped, read_lines

LINES = [b'{"n":%d,"text":"%d"}' % (n, n * 77_777) for n in range(2_000)]
PACKED: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstandard.compress}


@pytest.mark.parametrize("suffix", PACKED)
def test_frames_that_follow_each_other_are_one_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"events.ndjson.{suffix}"
    file.write_bytes(b"".join(PACKED[suffix](line + b"\n") for line in LINES))
    assert [line.text for line in read_lines(file)] == LINES


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("missing", [1, 5, 1_000])
def test_a_file_that_is_cut_short_says_so_and_gives_no_half_line(tmp_path: Path, suffix: str, missing: int) -> None:
    file = tmp_path / f"events.ndjson.{suffix}"
    packed = PACKED[suffix](b"\n".join(LINES) + b"\n")
    file.write_bytes(packed + packed[:-missing])
    read: list[bytes] = []
    with pytest.raises(ReadStopped, match="cannot be read after line"):
        read.extend(line.text for line in read_lines(file))
    assert read == (LINES * 2)[: len(read)]


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"\xff"}',
        b'{"kind":1e999}',
        b'{"kind":' + b"9" * 5_000 + b"}",
        b'{"a":{"\xff":1}}',
        b'{"props":{"\xff":1}}',
        b'{"kind":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    ],
)
def test_a_line_with_a_value_that_cannot_be_read_goes_on_as_it_came(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text("fields: {event: {template: 'did {kind}'}, page.url: a.b}\nspread: [props]")
    assert FieldMapping.load(file).map(line) == line
