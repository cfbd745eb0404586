"""The audit log: entries stand in their order, once each, and whatever is done to one afterwards is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.audit import AuditFault, AuditLog, this_user
from event_assets.lake.storage import Storage

KEYS = pytest.mark.parametrize("key", [b"", b"secret"])


def log_of(folder: Path, entries: int, key: bytes = b"") -> AuditLog:
    log = AuditLog(Storage(str(folder)), key)
    for number in range(entries):
        log.append("key_created", f"key {number}", name="Ä")
    return log


def files_of(folder: Path) -> list[Path]:
    return sorted((folder / "audit").glob("*.json"))


@KEYS
def test_entries_follow_each_other_and_name_who_did_it(tmp_path: Path, key: bytes) -> None:
    log = log_of(tmp_path, 3, key)
    entries = list(log.entries())
    assert [(each.number, each.of, each.by) for each in entries] == [(n + 1, f"key {n}", this_user()) for n in range(3)]
    assert [each.previous for each in entries[1:]] == [each.hash for each in entries[:-1]]
    assert log.verify() == entries[-1] and AuditLog(Storage(str(tmp_path / "none"))).verify() is None
    assert all(file.stat().st_mode & 0o077 == 0 for file in files_of(tmp_path))


def test_writers_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        AuditLog(Storage(str(tmp_path))).append("sql_run", str(number), by="ann")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(24)))
    log = AuditLog(Storage(str(tmp_path)))
    assert sorted(int(each.of) for each in log.entries()) == list(range(24))
    assert log.verify() is not None


def changed(file: Path) -> None:
    entry = json.loads(file.read_bytes())
    file.write_text(json.dumps(entry | {"by": "nobody"}))


def swapped(file: Path) -> None:
    other = file.with_name("0000000001.json")
    mine, others = file.read_bytes(), other.read_bytes()
    file.write_bytes(others)
    other.write_bytes(mine)


DONE: list[Callable[[Path], object]] = [changed, swapped, lambda file: file.unlink(), lambda file: file.write_text("{")]


@given(place=st.integers(1, 3), how=st.sampled_from(DONE))
def test_an_entry_that_was_changed_moved_or_taken_out_is_named(
    tmp_path_factory: pytest.TempPathFactory, place: int, how: Callable[[Path], object]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = log_of(folder, 5)
    how(files_of(folder)[place])
    with pytest.raises(AuditFault, match=r"Entry [1-5] of the audit log"):
        log.verify()


def test_a_chain_of_another_key_does_not_hold(tmp_path: Path) -> None:
    log_of(tmp_path, 2, b"theirs")
    with pytest.raises(AuditFault, match=r"Entry 1 of the audit log is of another key"):
        AuditLog(Storage(str(tmp_path)), b"ours").verify()
