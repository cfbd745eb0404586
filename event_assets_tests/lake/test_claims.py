"""A writer that takes long comes to its turn beside one that commits all the time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from event_assets.lake import claims
from event_assets.lake.claims import claim, give_way
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.table import CommitConflict, LakeTable, retry_on_conflict


@pytest.fixture
def table(lake: Lake) -> LakeTable:
    """An empty table, whose commits here only note progress."""
    return lake.table("daily_metrics")


def note(table: LakeTable, who: str, seconds: float = 0.0) -> None:
    """Counts one up for somebody, as long as it takes."""
    base = table.snapshot()
    time.sleep(seconds)
    count = base.progress.consumed(who).watermark + 1
    table.commit(base, base.progress.with_consumed(who, Consumed(count)))


def test_who_takes_long_has_its_turn_beside_one_that_commits_all_the_time(table: LakeTable) -> None:
    ended, before = threading.Event(), table.snapshot().version

    def commit_all_the_time() -> None:
        while not ended.is_set():
            retry_on_conflict(lambda: note(table, "short"))

    short = threading.Thread(target=commit_all_the_time)
    short.start()
    try:
        for _ in range(2):
            retry_on_conflict(lambda: note(table, "long", seconds=0.5))
    finally:
        ended.set()
        short.join()
    after = table.snapshot()
    short_ones, long_ones = (after.progress.consumed(who).watermark + 1 for who in ("short", "long"))
    assert (long_ones, short_ones + long_ones) == (2, after.version - before)
    assert list(Path(table.storage.path("daily_metrics/_claims")).iterdir()) == []


def test_a_claim_whose_writer_was_killed_ends_by_itself_and_is_removed(
    table: LakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.snapshot()
    killed = claim(table.storage, "daily_metrics", 0.3)
    killed.__enter__()
    claims._mine.held.clear()  # another process has none of it
    table.commit(table.snapshot(), Progress())
    folder = Path(table.storage.path("daily_metrics/_claims"))
    assert len(list(folder.iterdir())) == 1
    with claim(table.storage, "daily_metrics", 5):
        assert len(list(folder.iterdir())) == 1
        give_way(table.storage, "daily_metrics")
    assert list(folder.iterdir()) == []


def test_of_two_claims_the_older_goes_first(table: LakeTable) -> None:
    table.snapshot()
    order: list[str] = []

    def second() -> None:
        with claim(table.storage, "daily_metrics", 60):
            has_claim.set()
            give_way(table.storage, "daily_metrics")
            order.append("second")

    has_claim = threading.Event()
    with claim(table.storage, "daily_metrics", 60):
        other = threading.Thread(target=second)
        other.start()
        assert has_claim.wait(300)
        give_way(table.storage, "daily_metrics")
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_a_conflict_names_its_table(table: LakeTable) -> None:
    base = table.snapshot()
    table.commit(base, Progress())
    with pytest.raises(CommitConflict, match="daily_metrics") as raised:
        table.commit(base, Progress())
    assert raised.value.table is table
