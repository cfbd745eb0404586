"""What every test can ask for: Spark engines, PostgreSQL, emulators. `-m spark_jvm` selects what Apache Spark runs."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key  # else what it says would be captured
from pyspark.sql import SparkSession

from event_assets_tests import engines
from event_assets_tests.examples import register_profiles

pytest_plugins = ["event_assets_tests.emulators.fixtures", "event_assets_tests.postgres"]
register_profiles()
_MOST_SECONDS = 4 * 3600


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the first test of each kind of long ones in a file as their representative, where none is by hand, before
    any is deselected, and puts the files with long tests first: whoever begins with them ends with what is short,
    beside the others."""

    def kinds_of(item: pytest.Item) -> set[tuple[Path, str]]:
        return {(item.path, kind) for kind in ("slow", "spark_jvm", "browser") if item.get_closest_marker(kind)}

    by_hand = [item for item in items if item.get_closest_marker("representative")]
    represented = {kind for item in by_hand for kind in kinds_of(item)}
    for item in items:
        kinds = kinds_of(item)
        if kinds - represented and not item.get_closest_marker("release"):
            item.add_marker("representative")
            represented |= kinds
    long = {item.path for item in items if item.get_closest_marker("representative")}
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Gives those that only a release waits for hours, where others that take so long hang."""
    if item.get_closest_marker("release"):
        shown = item.config.stash[fault_handler_stderr_fd_key]
        faulthandler.dump_traceback_later(_MOST_SECONDS, exit=True, file=shown)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The embedded engine, Sail."""
    with engines.sail() as session:
        yield session


@pytest.fixture(scope="session")
def apache_spark() -> Iterator[SparkSession]:
    """Apache Spark itself. Skips where there is no Java."""
    if not engines.has_java():
        pytest.skip("Apache Spark needs Java, and there is none here")
    with engines.apache_spark() as session:
        yield session


@pytest.fixture(params=["sail", pytest.param("apache_spark", marks=pytest.mark.spark_jvm)])
def spark_engine(request: pytest.FixtureRequest) -> SparkSession:
    """Each engine in turn: a test that takes it runs on Sail and on Apache Spark."""
    session: SparkSession = request.getfixturevalue("spark" if request.param == "sail" else request.param)
    return session
