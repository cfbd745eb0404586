"""From the stream to sessions on a real cluster of Apache Spark: a master, two workers and a Spark Connect server."""

from __future__ import annotations

import datetime as dt
import gzip
import threading
import time
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets.pipeline.registry import STEPS
from event_assets.stack.modelling import with_receipt
from event_assets_tests import engines
from event_assets_tests.pipeline.golden import EVENTS
from event_assets_tests.pipeline.pipeline import BY_PLACE, Pipeline
from event_assets_tests.spark_cluster import Worker, cluster

pytestmark = [pytest.mark.slow, pytest.mark.spark_jvm, pytest.mark.release]
NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
TABLES = ("clean_events", "quarantined_events", "duplicate_events", "enriched_events", "identities")
OF_SESSIONS = ("sessions", "page_views", "session_issues")
TO_SESSIONS = STEPS[: [step.name for step in STEPS].index("session_issues") + 1]


def pipeline(spark: SparkSession, folder: Path) -> Pipeline:
    """A pipeline with the sample's events on its stream."""
    made = Pipeline(spark, folder)
    made.put([with_receipt(line, NOW) for line in gzip.decompress(EVENTS.read_bytes()).splitlines()])
    return made


def test_a_worker_that_is_lost_in_the_middle_of_a_step_changes_no_row(spark: SparkSession, tmp_path: Path) -> None:
    if not engines.has_java():
        pytest.skip("Apache Spark needs Java, and there is none here")
    lost = threading.Event()

    def lose(worker: Worker) -> None:
        while not worker.is_at_work():
            time.sleep(0.02)
        worker.kill()
        lost.set()

    with cluster(tmp_path / "cluster") as running, running.session() as session:
        while not all(worker.has_executor() for worker in running.workers):
            time.sleep(0.1)
        made = pipeline(session, tmp_path / "cluster-home")
        for step in TO_SESSIONS:
            if step.name == "enriched_events":
                threading.Thread(target=lose, args=(running.workers[1],), daemon=True).start()
            made.run(steps=[step])
    embedded = pipeline(spark, tmp_path / "embedded-home")
    embedded.run(steps=TO_SESSIONS)
    assert lost.is_set()
    for table in (*TABLES, *OF_SESSIONS):
        rows = embedded.rows(table, BY_PLACE)
        assert made.rows(table, BY_PLACE) == rows, table
        assert rows or table == "session_issues", table
