"""An engine that ends and is started again under a run costs that run a try, and never a row."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster_pyspark import LazyPySparkResource
from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables.schema import Table
from event_assets.defs.assets.materialising import RETRY
from event_assets.defs.resources import spark as resource
from event_assets.defs.resources.spark import spark_resource
from event_assets.embedded.engine import SOCKET_SCHEME
from event_assets.embedded.sockets import socket_path
from event_assets.lake.healing import spoilt_files
from event_assets.lake.lake import Lake
from event_assets.lake.session import SESSION_SETTINGS, SessionLost
from event_assets.settings import Settings
from event_assets.stack.health import socket_accepts
from event_assets_tests.processes import eventually

HALF_PAST_ELEVEN = "timestamp_micros(1795908600000000)"  # 2026-11-28 23:30 UTC, the 29th in Berlin
VALUES = {
    "string": "'a'",
    "timestamp": HALF_PAST_ELEVEN,
    "date": f"to_date({HALF_PAST_ELEVEN})",
    "boolean": "true",
}


class EngineProcess:
    """An engine in a process of its own, which can be started again on its socket, in a zone of the host's."""

    def __init__(self, zone: str) -> None:
        self.path = socket_path(f"spark-of-test-{os.getpid()}")
        self._zone = zone
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "event_assets.embedded.spark_server", "--socket", str(self.path)]
        self.process = subprocess.Popen(command, env={**os.environ, "TZ": self._zone}, stderr=subprocess.DEVNULL)
        assert eventually(lambda: socket_accepts(self.path))

    def end(self) -> None:
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        self.end()
        self.start()


@pytest.fixture(params=["Europe/Berlin", "UTC"])
def engine(request: pytest.FixtureRequest) -> Iterator[EngineProcess]:
    started = EngineProcess(request.param)
    yield started
    started.end()


@pytest.fixture
def spark(engine: EngineProcess) -> LazyPySparkResource:
    return spark_resource(Settings(spark_remote=f"{SOCKET_SCHEME}{engine.path}"))


def rows_of(session: SparkSession, spec: Table) -> DataFrame:
    """One row of half past eleven at night."""
    columns = (f"CAST({VALUES.get(c.type, '1')} AS {c.spark_type}) AS {c.name}" for c in spec.columns)
    return session.sql(f"SELECT {', '.join(columns)}")


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["reading", "staging", "committing"])
def test_a_step_under_which_the_engine_is_started_again_is_tried_again_with_a_session_of_its_own(
    engine: EngineProcess, spark: LazyPySparkResource, lake: Lake, moment: str
) -> None:
    tries: list[int] = []

    @dg.asset(retry_policy=RETRY)
    def sessions(context: dg.AssetExecutionContext, spark: LazyPySparkResource) -> None:
        def passes(now: str) -> None:
            if now == moment and context.retry_number == 0:
                engine.restart()

        tries.append(context.retry_number)
        session = spark.spark_session
        table = Lake(lake.storage).table("sessions")
        base = table.snapshot()
        passes("reading")
        table.snapshot().read(session).count()
        passes("staging")
        staged = table.stage(rows_of(session, table.spec), 1, 1)
        passes("committing")
        table.commit(base, base.progress, add=staged)

    done = dg.materialize([sessions], resources={"spark": spark}, instance=dg.DagsterInstance.ephemeral())
    assert done.success
    assert tries == [0, 1]
    table = lake.table("sessions").snapshot()
    assert table.version == 1
    assert table.dates() == {"2026-11-28"}
    assert spoilt_files(table) == []
    assert table.read(spark.spark_session).count() == 1


@pytest.mark.slow
def test_a_session_is_kept_while_its_engine_lives_and_made_anew_when_it_was_started_again(
    engine: EngineProcess, spark: LazyPySparkResource
) -> None:
    first = spark.spark_session
    assert spark.spark_session is first
    engine.restart()
    second = spark.spark_session
    assert second.session_id != first.session_id
    assert {name: second.conf.get(name) for name in SESSION_SETTINGS} == SESSION_SETTINGS


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["UTC"], indirect=True)
def test_an_engine_that_has_gone_for_good_is_said_to_have(
    engine: EngineProcess, spark: LazyPySparkResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "_ATTEMPTS", 1)
    assert spark.spark_session.range(2).count() == 2
    engine.end()
    with pytest.raises(SessionLost, match="The Spark engine does not answer"):
        _ = spark.spark_session


def test_the_engine_of_this_process_is_replaced_when_it_is_lost(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    stop: list[Callable[[], None]] = []
    request.addfinalizer(lambda: [each() for each in stop])
    own = spark_resource(Settings(home=tmp_path))
    first = own.spark_session
    [lost] = resource._embedded
    lost.stop()
    second = own.spark_session
    stop += [second.stop, resource._embedded[0].stop, resource._embedded.clear, resource._sessions.clear]
    assert second.session_id != first.session_id
    assert second.range(3).count() == 3
