"""What a home holds is its owner's alone, whatever the umask, and what an earlier version left open is closed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from event_assets.collector.keys import WriteKeys
from event_assets.lake.storage import Storage
from event_assets.permissions import keep_private, make_private_file
from event_assets.streams.embedded import EmbeddedStream
from event_assets.streams.protocol import StreamRecord


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct, autouse=True)
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_is_made_for_its_owner_alone_with_all_that_is_missing_above(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    keep_private(tmp_path / "a" / "home")
    assert [mode(tmp_path / name) for name in ("a/home", "a", "")] == [0o700, 0o700, 0o755]


def test_a_home_that_was_open_is_closed_and_a_folder_that_all_share_is_not(tmp_path: Path) -> None:
    home, shared = tmp_path / "home", tmp_path / "shared"
    home.mkdir()
    shared.mkdir()
    home.chmod(0o755)
    shared.chmod(0o1777)
    keep_private(home)
    keep_private(shared)
    assert (mode(home), mode(shared)) == (0o700, 0o1777)


def test_a_file_that_was_open_is_closed_and_keeps_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "stream.db"
    file.write_bytes(b"events")
    file.chmod(0o644)
    make_private_file(file)
    assert (mode(file), file.read_bytes()) == (0o600, b"events")


def test_nobody_else_can_read_the_stream_while_it_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    stream = EmbeddedStream(home / "stream.db", "events")
    stream.create(2)
    stream.put([StreamRecord("a", b"{}")])
    files = sorted(home.iterdir())
    assert {"stream.db", "stream.db-wal", "stream.db-shm"} <= {file.name for file in files}
    assert mode(home) == 0o700
    assert {file.name: mode(file) for file in files} == {file.name: 0o600 for file in files}
    stream.close()


def test_a_stream_of_an_earlier_version_is_closed_to_others(tmp_path: Path) -> None:
    first = EmbeddedStream(tmp_path / "stream.db", "events")
    first.create(1)
    first.close()
    (tmp_path / "stream.db").chmod(0o644)
    tmp_path.chmod(0o755)
    second = EmbeddedStream(tmp_path / "stream.db", "events")
    second.create(1)
    assert (mode(tmp_path), mode(tmp_path / "stream.db")) == (0o700, 0o600)
    second.close()


def test_keys_and_a_new_lake_are_their_owners_alone(tmp_path: Path) -> None:
    WriteKeys(tmp_path / "home" / "keys.json").create("shop", "web")
    Storage(str(tmp_path / "other" / "lake")).make_folder("sessions/data")
    for name in ("home", "other", "other/lake", "other/lake/sessions/data"):
        assert mode(tmp_path / name) == 0o700
    assert {mode(path) for path in (tmp_path / "home").iterdir()} == {0o600}
