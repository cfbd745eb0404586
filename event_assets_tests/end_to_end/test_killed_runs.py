"""A run that is killed at any of its writes and started again: nothing is lost, nothing is doubled."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyspark.sql import SparkSession

from event_assets.settings import Settings
from event_assets_tests import engines
from event_assets_tests.end_to_end import killed_run
from event_assets_tests.end_to_end.killed_run import KILL_POINTS, KillPoint, Platform
from event_assets_tests.end_to_end.visits import Visits
from event_assets_tests.end_to_end.whole_run import Rows, lake_rows, ledger, warehouse_rows
from event_assets_tests.postgres import new_database

pytestmark = pytest.mark.slow

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([killed_run.__name__])


class Engine:
    """Spark in this process, for this process's session and those of the killed ones."""

    def __init__(self, remote: str) -> None:
        self.remote = remote
        self.session: SparkSession = engines.connect(remote)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with engines.sail_server() as remote:
        engine = Engine(remote)
        yield engine
        engine.session.stop()


@pytest.fixture(scope="module")
def begun(engine: Engine, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """A platform whose tables hold the first batch, and whose stream holds the second as well."""
    platform = Platform(tmp_path_factory.mktemp("begun") / "home", new_database(postgres_url))
    visits, pipeline = Visits(), platform.pipeline(engine.session)
    pipeline.put_records(visits.first())
    platform.run(engine.session)
    pipeline.put_records(visits.second())
    pipeline.stream.close()
    return platform


@pytest.fixture(scope="module")
def undisturbed(
    engine: Engine, begun: Platform, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Rows, Rows]:
    """The rows after one batch of everything that nothing happened to."""
    platform = _copy(begun, postgres_url, tmp_path_factory.mktemp("undisturbed"))
    platform.run_at_once(engine.session)
    return _rows(platform)


@pytest.mark.parametrize("point", KILL_POINTS, ids=str)
def test_a_killed_run_started_again_ends_in_the_tables_of_an_undisturbed_one(
    point: KillPoint,
    engine: Engine,
    begun: Platform,
    undisturbed: tuple[Rows, Rows],
    postgres_url: str,
    tmp_path: Path,
) -> None:
    platform = _copy(begun, postgres_url, tmp_path)
    process = _PROCESSES.Process(target=killed_run.run_until, args=(platform, engine.remote, point))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL, "the run did not come to its end at this write"
    platform.run(engine.session)
    rows = _rows(platform)
    for store, expected in zip(rows, undisturbed, strict=True):
        for table, wanted in expected.items():
            assert store[table] == wanted, table
    assert ledger(rows[0])["pending"] == 0
    assert platform.pipeline(engine.session).pending() == {}


def test_the_run_that_is_killed_changes_every_table_at_whose_commit_it_is_killed(
    engine: Engine, begun: Platform, undisturbed: tuple[Rows, Rows]
) -> None:
    killed_at = {point.table for point in KILL_POINTS}
    for before, after in zip(_rows(begun), undisturbed, strict=True):
        same = [table for table, rows in before.items() if after[table] and rows == after[table]]
        assert killed_at.isdisjoint(same), same


_OF_THE_CLOCK = ("waited", "longest_seconds")
"""Columns of landing_lag: a run that is started again lands later."""


def _rows(platform: Platform) -> tuple[Rows, Rows]:
    settings = Settings(home=platform.home, warehouse_url=platform.database)
    return lake_rows(settings, _OF_THE_CLOCK), warehouse_rows(settings)


def _copy(platform: Platform, postgres_url: str, folder: Path) -> Platform:
    shutil.copytree(platform.home, folder / "home")
    return Platform(folder / "home", new_database(postgres_url, urlsplit(platform.database).path[1:]))
