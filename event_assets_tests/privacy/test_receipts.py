"""Receipts: what was signed here is genuine, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.receipts import signed, write_receipt

RECEIPT = {"batch": "one", "events": 3, "scan": {"found": {}}}


def test_the_command_tells_genuine_receipts_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("EVENT_ASSETS_PRIVACY_KEY", "a key of this installation")
    storage, genuine = Storage(str(tmp_path)), signed(RECEIPT, ErasureRules(b"a key of this installation"))
    files = [tmp_path / write_receipt(storage, genuine)]
    for name, text in (("more", json.dumps(genuine | {"events": 4})), ("torn", "{"), ("list", "[]")):
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(text)
    one = CliRunner().invoke(app, ["privacy", "verify-receipt", str(files[0])])
    assert (one.exit_code, one.stdout) == (0, f"{files[0]} is genuine: 3 events erased, 0 mentions found afterwards.\n")
    all_ = CliRunner().invoke(app, ["privacy", "verify-receipt", *map(str, files)])
    assert all_.exit_code == 1 and all_.stdout == one.stdout
    assert all(f"{file} is not as this installation's key signed it" in all_.stderr for file in files[1:])
