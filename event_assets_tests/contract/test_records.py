"""Stream records: what was packed comes out, what is damaged is an error and never garbage, and bombs stay small."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.records import (
    BYTE_ORDER_MARK,
    RECORD_BYTES,
    UNPACKED_BYTES,
    BadEncoding,
    Encoding,
    count_events,
    pack,
    unpack,
)
from event_assets_tests.contract.events import FULL, encode

ENCODINGS: tuple[Encoding, ...] = ("zstd", "gzip", "plain")
LINES = [encode({**FULL, "event_id": f"e-{i}", "sequence": i * 7919}) for i in range(60)]


def in_zstd_stream(data: bytes) -> bytes:
    """A zstd frame that does not say how much it holds, as streaming writers make them."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


# Round trip ----------------------------------------------------------------------------------------------------------

texts = st.binary(min_size=1, max_size=300).filter(lambda text: b"\n" not in text and text.strip() == text != b"")


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(
    lines=st.lists(texts.map(lambda text: b'{"a":"' + text.hex().encode() + b'"}'), max_size=40),
    limit=st.integers(1, 2_000),
)
def test_what_was_packed_comes_out_in_its_order(encoding: Encoding, lines: list[bytes], limit: int) -> None:
    records = pack(lines, encoding, limit)
    assert [line for record in records for line in unpack(record)] == lines
    assert sum(map(count_events, records)) == len(lines)


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
@given(lines=st.lists(texts.filter(lambda text: not text.startswith((b"{", BYTE_ORDER_MARK))), min_size=1, max_size=20))
def test_lines_need_not_be_json(encoding: Encoding, lines: list[bytes]) -> None:
    assert [line for record in pack(lines, encoding) for line in unpack(record)] == lines


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_record_keeps_the_limit_unless_one_line_is_larger(encoding: Encoding) -> None:
    large = b'{"a":"' + random.Random(7).randbytes(30_000).hex().encode() + b'"}'
    records = pack([*LINES * 20, large, *LINES], encoding)
    assert [record for record in records if len(record) > RECORD_BYTES and len(unpack(record)) > 1] == []
    assert [line for record in records for line in unpack(record)] == [*LINES * 20, large, *LINES]


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_packing_fills_records_instead_of_making_one_per_event(encoding: Encoding) -> None:
    records = pack(LINES * 20, encoding)
    assert len(records) < len(LINES)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_event_printed_over_lines_is_packed_as_one_line(encoding: Encoding) -> None:
    printed = json.dumps(FULL, indent=2).encode()
    [record] = pack([LINES[0], printed, LINES[1]], encoding)
    lines = unpack(record)
    assert len(lines) == 3
    assert json.loads(lines[1]) == FULL


def test_nothing_packs_to_no_records() -> None:
    assert pack([]) == []


# What a consumer takes -----------------------------------------------------------------------------------------------


def test_plain_ndjson_of_any_line_ends_is_taken_and_blank_lines_are_left_out() -> None:
    assert unpack(b'\n{"a":1}\r\n\r\n  \n{"b":2}\n\n') == [b'{"a":1}', b'{"b":2}']


def test_one_bare_object_is_taken() -> None:
    assert unpack(b'{"a":1}') == [b'{"a":1}']


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(FULL, indent=2).encode(),
        b'{"a": {"b": 1}\n, "c": 2}',
        b'{"a": 1,\n"b": "}"\n}',
        b"{\n}",
        b'{\r\n  "a": 1\r\n}\r\n',
    ],
)
@pytest.mark.parametrize("packed", [bytes, gzip.compress, in_zstd_stream])
def test_one_bare_object_over_several_lines_is_one_event(text: bytes, packed: Callable[[bytes], bytes]) -> None:
    [event] = unpack(packed(text))
    assert json.loads(event) == json.loads(text)


@pytest.mark.parametrize(
    "text", [b'{"a":1}\n{"b":2', b'{"a":\n{"b":2}', b'{"a":1}\nnoise\n{"b":2}', b"{\n{", b'[\n{"a":1}\n]']
)
def test_a_broken_line_stays_a_line_beside_its_neighbours(text: bytes) -> None:
    assert unpack(text) == text.split(b"\n")


def test_an_empty_record_holds_no_events() -> None:
    for record in (b"", b" \r\n", gzip.compress(b""), zstandard.compress(b""), in_zstd_stream(b"\n")):
        assert unpack(record) == []
        assert count_events(record) == 0


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress, in_zstd_stream])
def test_frames_that_follow_each_other_are_all_read(compress: Callable[[bytes], bytes]) -> None:
    record = b"".join(compress(line + b"\n") for line in LINES)
    assert unpack(record) == LINES


@given(st.binary(max_size=500))
def test_any_bytes_are_lines_or_a_bad_encoding(record: bytes) -> None:
    for prefix in (b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"):
        try:
            lines = unpack(prefix + record)
        except BadEncoding:
            assert (prefix + record).startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd"))
        else:
            assert all(line and line == line.strip() for line in lines)


# Damage --------------------------------------------------------------------------------------------------------------

FRAMES = {
    "gzip": gzip.compress(b"\n".join(LINES)),
    "zstd": zstandard.compress(b"\n".join(LINES)),
    "zstd stream": in_zstd_stream(b"\n".join(LINES)),
    "zstd with checksum": zstandard.ZstdCompressor(write_checksum=True).compress(b"\n".join(LINES)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_record_cut_at_any_byte_is_an_error_and_never_garbage(name: str) -> None:
    record = FRAMES[name]
    magic = 2 if name == "gzip" else 4
    for length in range(magic, len(record)):
        with pytest.raises(BadEncoding):
            unpack(record[:length])
        assert count_events(record[:length]) == 1


@pytest.mark.parametrize("name", FRAMES)
def test_the_second_of_two_frames_cut_at_any_byte_is_an_error(name: str) -> None:
    record = FRAMES[name]
    for length in range(1, len(record), 7):
        with pytest.raises(BadEncoding):
            unpack(record + record[:length])


@pytest.mark.parametrize("name", ["gzip", "zstd with checksum"])
def test_a_flipped_byte_never_gives_other_lines_where_there_is_a_checksum(name: str) -> None:
    record = FRAMES[name]
    for place in range(4, len(record), 5):
        damaged = record[:place] + bytes([record[place] ^ 0x55]) + record[place + 1 :]
        try:
            assert unpack(damaged) == LINES
        except BadEncoding:
            continue


@pytest.mark.parametrize("name", FRAMES)
def test_noise_after_a_frame_is_an_error(name: str) -> None:
    with pytest.raises(BadEncoding):
        unpack(FRAMES[name] + b"noise")


# Bombs ---------------------------------------------------------------------------------------------------------------


def _gzip_bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()


def _zstd_bomb_of_unknown_size() -> bytes:
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()


def _zstd_bomb_that_lies() -> bytes:
    """Says that it holds 9 bytes, and 8,000 repeated blocks of 128 KB follow."""
    header = b"\x28\xb5\x2f\xfd" + bytes([0b00100000, 9])
    block = ((128 * 1024) << 3 | 1 << 1).to_bytes(3, "little") + b"x"
    return header + block * 8_000


def _zstd_bomb_of_a_huge_window() -> bytes:
    return b"\x28\xb5\x2f\xfd" + bytes([0, 0xF8]) + b"\x01\x00\x00"


BOMBS = {
    "gzip": _gzip_bomb,
    "gzip members": lambda: gzip.compress(bytes(1 << 20)) * 100,
    "zstd": lambda: zstandard.compress(bytes(256 << 20)),
    "zstd of unknown size": _zstd_bomb_of_unknown_size,
    "zstd frames": lambda: zstandard.compress(bytes(1 << 20)) * 100,
    "zstd that lies": _zstd_bomb_that_lies,
    "zstd with a huge window": _zstd_bomb_of_a_huge_window,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_bounded_memory(name: str) -> None:
    bomb = BOMBS[name]()
    tracemalloc.start()
    try:
        with pytest.raises(BadEncoding):
            unpack(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * UNPACKED_BYTES


def test_many_empty_frames_hold_no_events() -> None:
    assert unpack(gzip.compress(b"") * 5_000) == []
    assert unpack(zstandard.compress(b"") * 5_000) == []


@pytest.mark.parametrize("pack_it", [bytes, gzip.compress, zstandard.compress])
def test_a_byte_order_mark_before_a_record_says_nothing(pack_it: Callable[[bytes], bytes]) -> None:
    assert unpack(pack_it(b'\xef\xbb\xbf{"a":1}\n{"a":2}')) == [b'{"a":1}', b'{"a":2}']
