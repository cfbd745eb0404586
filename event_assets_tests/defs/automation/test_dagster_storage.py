"""What runs that come by themselves leave in Dagster's storage: little where nothing is new, and of what is new as much
as there are tables, whatever was before. Bytes and events are counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from benchmarks import dagster_bytes
from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.pipeline.registry import step_of, steps_of
from event_assets_tests.defs.automation.test_late_days import Days
from event_assets_tests.end_to_end.visits import Visits
from event_assets_tests.postgres import new_database

pytestmark = pytest.mark.slow

OF_A_RUN = 32_000
"""Bytes of the events of a run of one step, whatever it does."""
OF_A_TABLE = 12_000
"""Bytes of what is told of a table at the most, picture and days included, in each place where it is kept."""
IN_PAUSES = {
    *(table.name for step in steps_of("pauses") for table in step.tables),
    *("/".join(("warehouse", table.name)) for table in WAREHOUSE_TABLES if step_of(table.lake).pace == "pauses"),
    *("segment_memberships_online", "person_features_online"),
}
"""What is made in pauses, in lake and warehouse and where requests are answered from."""
ARRIVALS, ANALYSES = "arrivals", "analyses"
AT_ONCE = {"ops": {"take_in_events": {"config": {"idle_seconds": 0}}}}


class Storage:
    """Dagster's storage of a home, and what each run adds to it."""

    def __init__(self, days: Days, home: Path, instance: dg.DagsterInstance) -> None:
        self.days, self.home, self.instance = days, home, instance

    def added_by(self, job: str) -> tuple[int, list[str]]:
        """Bytes of events that a run adds, all places together, and the assets that it tells of."""
        before = self._bytes()
        run = self.days.definitions.resolve_job_def(job).execute_in_process(
            AT_ONCE if job == ARRIVALS else None, instance=self.instance
        )
        assert run.success
        told = ["/".join(each.asset_key.path) for each in run.get_asset_materialization_events() if each.asset_key]
        return self._bytes() - before, told

    def _bytes(self) -> int:
        of_events = dagster_bytes.by_event(self.home)
        return sum(size for kind, size in of_events.items() if not kind.startswith("last "))


@pytest.fixture
def storage(
    spark: SparkSession, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Storage]:
    days = Days(spark, tmp_path / "home", new_database(postgres_url), monkeypatch)
    (tmp_path / "dagster").mkdir()
    with dg.instance_for_test(temp_dir=str(tmp_path / "dagster")) as instance:
        yield Storage(days, tmp_path / "dagster", instance)


def test_a_pass_with_no_news_leaves_its_run_and_nothing_of_tables(storage: Storage) -> None:
    storage.days.pipeline.put_records(Visits().first())
    storage.added_by(ARRIVALS)
    first, told = storage.added_by(ANALYSES)
    assert set(told) >= IN_PAUSES and first <= OF_A_RUN + 4 * OF_A_TABLE * len(told)
    storage.added_by(ANALYSES)  # analyses that share a table say how large all of them together made it
    again, told_again = storage.added_by(ANALYSES)
    assert told_again == [] and again <= OF_A_RUN


def test_a_micro_batch_leaves_as_much_as_it_has_tables_and_days_whatever_came_before(storage: Storage) -> None:
    visits = Visits()
    tables = len(LAKE_TABLES) + len(WAREHOUSE_TABLES)
    for records in (visits.first(), visits.second()):
        storage.days.pipeline.put_records(records)
        added, told = storage.added_by(ARRIVALS)
        assert set(told) and len(told) <= 5 * tables and added <= OF_A_RUN + 2 * OF_A_TABLE * tables
