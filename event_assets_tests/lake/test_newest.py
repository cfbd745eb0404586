"""The newest snapshot is loaded once, and never taken for the newest when it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from event_assets.lake.lake import Lake
from event_assets.lake.newest import Newest
from event_assets.lake.progress import Progress
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import LakeTable


@pytest.fixture
def table(lake: Lake) -> LakeTable:
    return lake.table("daily_metrics")


def other(table: LakeTable) -> LakeTable:
    return LakeTable(table.storage, table.spec)


def commit(table: LakeTable, code: str) -> int:
    return table.commit(table.snapshot(), Progress(code=code))


def test_the_version_that_was_asked_for_after_a_commit_is_the_newest_until_another_comes(table: LakeTable) -> None:
    made = table.at(commit(table, "mine"))
    assert table.snapshot() is made
    commit(other(table), "another's")
    assert table.known() is None
    assert table.snapshot().progress.code == "another's"


def test_a_version_that_others_have_left_behind_is_not_the_newest(table: LakeTable) -> None:
    mine = commit(table, "mine")
    commit(other(table), "another's")
    assert table.at(mine).progress.code == "mine"
    assert table.known() is None
    assert table.snapshot().progress.code == "another's"


def test_an_older_version_does_not_take_the_place_of_the_newest(table: LakeTable) -> None:
    commit(table, "first")
    newest = table.at(commit(table, "second"))
    assert table.at(newest.version - 1).progress.code == "first"
    assert table.snapshot() is newest


def test_a_table_that_was_made_anew_under_the_same_name_is_loaded(table: LakeTable) -> None:
    made = table.at(commit(table, "before"))
    shutil.rmtree(table.uri)
    assert table.known() is None
    commit(other(table), "after")
    assert table.snapshot().id != made.id and table.snapshot().progress.code == "after"


def test_a_version_is_opened_once_and_one_that_many_came_after_again(table: LakeTable) -> None:
    first = table.at(commit(table, "first"))
    second = table.at(commit(table, "second"))
    assert table.at(first.version).delta is first.delta and table.at(second.version).delta is second.delta
    assert table.snapshot() is second
    for number in range(6):
        commit(table, str(number))
    again = table.at(first.version)
    assert again.delta is not first.delta and again.progress.code == "first"


def test_a_version_of_a_table_that_was_made_anew_is_opened_again(table: LakeTable) -> None:
    before = table.at(commit(table, "before"))
    shutil.rmtree(table.uri)
    assert commit(other(table), "after") == before.version
    assert table.at(before.version).progress.code == "after"


def test_a_version_whose_log_moved_on_by_itself_is_opened_again(table: LakeTable) -> None:
    mine = table.at(commit(table, "mine"))
    commit(other(table), "another's")
    mine.delta.update_incremental()
    assert table.at(mine.version).delta is not mine.delta and table.at(mine.version).version == mine.version


@pytest.mark.parametrize(("files", "stay_open"), [(4_000, 3), (1_000_000, 1)])
def test_of_a_table_of_many_files_few_versions_stay_open(table: LakeTable, files: int, stay_open: int) -> None:
    versions = [commit(table, str(number)) for number in range(5)]
    opened = [Snapshot(table, DeltaTable(table.uri, version=version)) for version in versions]
    (Path(table.uri) / "_delta_log" / "_last_checkpoint").write_text(json.dumps({"version": 0, "size": files}))
    newest = Newest(table.storage, table.spec.name)
    for snapshot in opened:
        newest.keep(snapshot)
    assert [version for version in versions if newest.at(version)] == versions[-stay_open:]
