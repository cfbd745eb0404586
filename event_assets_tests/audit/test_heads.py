"""Entries that were cut off at the end of the audit log are noticed: by its head, by an anchor, by who kept a hash."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from event_assets.audit import AuditFault, AuditLog, heads
from event_assets.lake.storage import Storage
from event_assets_tests.audit.test_log import files_of

KEYS = pytest.mark.parametrize("key", [b"", b"secret"])


def log_of(folder: Path, key: bytes, anchor: Path | None = None, entries: int = 4) -> AuditLog:
    log = AuditLog(Storage(str(folder / "lake")), key, Storage(str(anchor)) if anchor else None)
    for number in range(entries):
        log.append("sql_run", str(number))
    return log


def cut(folder: Path, leave: int) -> None:
    for file in files_of(folder / "lake")[leave:]:
        file.unlink()


@KEYS
@pytest.mark.parametrize("leave", [0, 1, 3])
def test_a_log_that_was_cut_off_at_its_end_is_noticed_and_stays_so_whatever_is_added(
    tmp_path: Path, key: bytes, leave: int
) -> None:
    log = log_of(tmp_path, key)
    assert log.verify() is not None
    cut(tmp_path, leave)
    for _ in range(5):
        with pytest.raises(AuditFault, match=f"has {leave} entries, and not the one that its head names"):
            log.verify()
        log.append("sql_run", "later")
        leave += 1


@pytest.mark.parametrize("leave", [3, 4])
def test_a_head_that_was_taken_away_or_made_without_the_key_is_noticed(tmp_path: Path, leave: int) -> None:
    log = log_of(tmp_path, b"secret")
    cut(tmp_path, leave)
    newest = log.newest()
    assert newest is not None
    (tmp_path / "lake" / "audit" / "head").unlink()
    for _ in range(2):
        with pytest.raises(AuditFault, match="has no head"):
            log.verify()
        log.append("sql_run", "later")
    for signature in ("", newest.signed(b"another").signature):
        heads.write_head(Storage(str(tmp_path / "lake")), newest._replace(signature=signature))
        with pytest.raises(AuditFault, match="not signed by the key"):
            log.verify()
    (tmp_path / "lake" / "audit" / "head").write_text("{}")
    with pytest.raises(AuditFault, match="cannot be read"):
        log.verify()


@KEYS
def test_an_anchor_notices_what_a_head_that_was_put_back_hides(tmp_path: Path, key: bytes) -> None:
    log = log_of(tmp_path, key, tmp_path / "anchor", 2)
    shutil.copytree(tmp_path / "lake", tmp_path / "earlier")
    log.append("sql_run", "that nobody is to see")
    shutil.rmtree(tmp_path / "lake")
    shutil.copytree(tmp_path / "earlier", tmp_path / "lake")
    assert AuditLog(Storage(str(tmp_path / "lake")), key).verify() is not None, "nothing beside the log tells it"
    for _ in range(3):
        with pytest.raises(AuditFault, match="the anchor names"):
            log.verify()
        log.append("sql_run", "another")


def test_who_kept_the_hash_that_was_printed_notices_that_the_whole_log_is_another(tmp_path: Path) -> None:
    log = log_of(tmp_path, b"secret")
    newest = log.newest()
    assert newest is not None
    log.append("sql_run", "later")
    assert log.verify({newest.hash: "what was kept"}) is not None
    shutil.rmtree(tmp_path / "lake")
    with pytest.raises(AuditFault, match="has 0 entries, and not the one that what was kept names"):
        log.verify({newest.hash: "what was kept"})
    log.append("sql_run", "another")
    assert log.verify() is not None
    with pytest.raises(AuditFault, match="has 1 entries, and not the one that what was kept names"):
        log.verify({newest.hash: "what was kept"})


@pytest.mark.parametrize("entries", [0, 2])
def test_a_writer_that_was_killed_before_it_told_the_head_leaves_a_log_that_holds(
    tmp_path: Path, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_of(tmp_path, b"secret", tmp_path / "anchor", entries)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("event_assets.audit.log.write_head", killed)
        with pytest.raises(KeyboardInterrupt):
            log.append("sql_run", "killed")
    log.append("sql_run", "next")
    last = log.verify()
    assert last is not None and last.number == entries + 2
