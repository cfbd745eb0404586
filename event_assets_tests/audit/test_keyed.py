"""Once the installation has a key, the log is kept by it: who rewrites it without the key is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from event_assets.audit import AuditFault, AuditLog, Entry, audit_log
from event_assets.lake.storage import Storage
from event_assets.settings import Settings


def test_entries_of_before_the_key_stay_and_those_after_are_keyed(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "lake"))
    AuditLog(storage).append("key_created", "before")
    log = audit_log(Settings(home=tmp_path, privacy_key="a key of this test"))
    log.append("hold_added", "after")
    assert [bool(each.key) for each in log.entries()] == [False, True] and log.verify() is not None
    with pytest.raises(AuditFault, match="EVENT_ASSETS_PRIVACY_KEY"):
        AuditLog(storage).append("sql_run", "by a process without the key")


@pytest.mark.parametrize("downgraded", [False, True])
def test_who_writes_the_log_again_without_the_key_is_noticed(tmp_path: Path, downgraded: bool) -> None:
    log = AuditLog(Storage(str(tmp_path)), b"the key")
    for number in range(3):
        log.append("sql_run", str(number))
    last = tmp_path / "audit" / "0000000003.json"
    entry = json.loads(last.read_text()) | {"by": "nobody"}
    forger = AuditLog(Storage(str(tmp_path)))
    if downgraded:
        entry["key"] = ""

    entry["hash"] = forger._hash(Entry(**entry))
    last.write_text(json.dumps(entry))
    with pytest.raises(AuditFault, match="Entry 3 of the audit log"):
        log.verify()
