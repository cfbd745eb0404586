"""The embedded log where its file or its disk fails: each fault has a type, and one sentence with file and way out."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.streams import StreamDamaged, StreamError, StreamFull, StreamReadOnly, StreamRecord
from event_assets.streams.embedded import EmbeddedStream
from event_assets_tests.disks import read_only, small_disk
from event_assets_tests.streams.reading import numbered, put_all, read_all

_LARGE = [StreamRecord("b", os.urandom(900_000))]


def test_a_full_disk_is_told_from_other_faults_and_over_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "3m") as disk:
        log = EmbeddedStream(disk / "stream.db", "events")
        log.create(1)
        put_all(log, numbered(["a"]))
        log.require_writable()
        filler = disk / "filler"
        filler.write_bytes(bytes(2_200_000))
        (result,) = log.put(_LARGE)
        assert result.error is not None and result.error.startswith(f"StreamFull: {log.path} cannot grow")
        with pytest.raises(StreamFull, match="make room on the disk"):
            log.require_writable()
        filler.unlink()
        log.require_writable()
        put_all(log, numbered(["c"]))
        assert [record.partition_key for record in read_all(log)] == ["a", "c"]
        log.close()


def test_a_disk_without_room_for_a_log_names_the_file(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "16k") as disk, pytest.raises(StreamFull, match=r"disk/home/stream\.db"):
        EmbeddedStream(disk / "home" / "stream.db", "events").create(2)


def test_a_log_on_a_read_only_disk_says_who_may_not_write(log: EmbeddedStream) -> None:
    put_all(log, numbered(["a"]))
    log.close()
    with read_only(log.path.parent):
        (result,) = log.put(numbered(["b"]))
        assert result.error is not None and result.error.startswith("StreamReadOnly: ")
        with pytest.raises(StreamReadOnly, match="EVENT_ASSETS_HOME"):
            log.create(2)
        with pytest.raises(StreamReadOnly, match="cannot be written"):
            log.require_writable()


@pytest.mark.parametrize("part", ["beginning", "records", "end"])
def test_a_damaged_log_is_never_mistaken_for_a_busy_one(log: EmbeddedStream, part: str) -> None:
    put_all(log, [StreamRecord(f"user-{number}", os.urandom(20_000)) for number in range(40)])
    log.close()
    data = bytearray(log.path.read_bytes())
    if part == "beginning":
        data[:100] = os.urandom(100)
    elif part == "records":
        data[16_384 * 5 :] = os.urandom(len(data) - 16_384 * 5)
    else:
        del data[16_384 * 4 :]
    log.path.write_bytes(data)
    with pytest.raises(StreamDamaged, match=r"stream\.db is no event stream, or a damaged one .*event-assets doctor"):
        read_all(log)
    if part == "beginning":
        with pytest.raises(StreamDamaged):
            log.put(numbered(["a"]))


def test_a_log_without_a_table_is_damaged(log: EmbeddedStream) -> None:
    log.close()
    with sqlite3.connect(log.path) as connection:
        connection.execute("DROP TABLE records")
    connection.close()
    with pytest.raises(StreamDamaged, match="no such table: records"):
        log.put(numbered(["a"]))


@given(st.binary(min_size=1, max_size=20_000))
def test_whatever_a_file_holds_what_is_raised_is_the_streams(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.db"
        path.write_bytes(content)
        with pytest.raises(StreamError, match=r"stream\.db"):
            EmbeddedStream(path, "events").shards()
