"""The end of a table's log tells what loading it does, and loads no file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from event_assets.contract.tables.metrics import DAILY_METRICS
from event_assets.lake import table as module
from event_assets.lake.integrity import LakeDamaged
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.table import LakeTable
from event_assets.lake.tip import Tip, tip


@pytest.fixture
def table(tmp_path: Path) -> LakeTable:
    return Lake(Storage(str(tmp_path))).table(DAILY_METRICS.name)


def anew(table: LakeTable) -> LakeTable:
    """The table to one who knows nothing of it."""
    return Lake(table.storage).table(table.spec.name)


def commit(table: LakeTable, *codes: str) -> None:
    for code in codes:
        base = table.snapshot()
        table.commit(base, replace(base.progress, code=code), affected={"2026-01-01": 1})


def log(table: LakeTable, name: str) -> Path:
    return Path(table.uri) / "_delta_log" / name


def test_it_tells_version_id_and_progress_before_and_after_checkpoints_without_loading_the_table(
    table: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tip(table).version == 0 and DeltaTable.is_deltatable(table.uri), "it is made where it is missing"
    for number in range(30):
        commit(table, str(number))
        whole = table.snapshot()
        with monkeypatch.context() as patch:
            patch.setattr(module, "DeltaTable", None)
            assert tip(table) is whole, "what is known is not read again"
            found = tip(anew(table))
            assert isinstance(found, Tip)
            assert (found.version, found.id, found.progress) == (whole.version, whole.id, whole.progress)
            assert found.consumed == whole.consumed
    assert len([*log(table, "").glob("*.checkpoint.parquet")]) >= 1
    assert tip(anew(table)).files == table.snapshot().files and tip(anew(table)).dates() == table.snapshot().dates()


def test_a_commit_of_another_writer_without_progress_is_passed_over(table: LakeTable) -> None:
    commit(table, "a")
    DeltaTable(table.uri).alter.set_table_description("a table")
    DeltaTable(table.uri).vacuum(dry_run=False)
    found = tip(anew(table))
    assert isinstance(found, Tip) and found.version > 1 and found.progress.code == "a"


def test_what_is_odd_at_the_end_of_the_log_is_left_to_the_loader(table: LakeTable) -> None:
    commit(table, *map(str, range(30)))
    log(table, "_last_checkpoint").write_text('{"version":25,"parts":2,"size":1}')
    with pytest.raises(LakeDamaged):
        tip(anew(table))
    log(table, "_last_checkpoint").write_text('{"version":25,"size":1}')
    last = log(table, f"{30:020d}.json")
    last.write_bytes(last.read_bytes()[:-20])
    with pytest.raises(LakeDamaged):
        tip(anew(table))
