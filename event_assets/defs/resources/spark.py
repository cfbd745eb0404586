"""Spark as a resource: a cluster's Spark Connect server, or the embedded engine, behind one key.

Both are dagster-pyspark's resource, so an asset cannot tell which it has.
"""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_pyspark import LazyPySparkResource
from pydantic import Field

from event_assets.embedded.engine import Engine, connect
from event_assets.embedded.record import read_record
from event_assets.embedded.sockets import socket_path
from event_assets.lake.session import SessionLost, prepare_session, require_session
from event_assets.lake.storage import Storage
from event_assets.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_embedded: list[Engine] = []
"""The engine of this process, once it was needed: a session outlives the run that made it."""

_sessions: dict[str, SparkSession] = {}
"""The sessions of this process by their server's address."""

_ATTEMPTS, _LONGEST_WAIT_MS = 9, 10_000
"""How often a request to an engine that does not answer is made, and the wait between: a minute in all, in which a
service is started again."""


class SparkSessionResource(LazyPySparkResource):
    """A session that is as it was prepared each time a step asks for it: one whose engine has gone, or was started
    again, is made anew.

    The server is the one of `spark.remote`, else the running stack's engine, so that no run waits for one, else one in
    this process.
    """

    home: str = ""
    environment: dict[str, str] = Field(default_factory=dict)

    @property
    def spark_session(self) -> SparkSession:
        """Raises `SessionLost` where the engine does not answer."""
        remote = (
            self.spark_config.get("spark.remote") or _stack_remote(Path(self.home)) or _own_remote(self.environment)
        )
        known = _sessions.get(remote)
        if known is not None and _is_same(known):
            return known
        _sessions[remote] = _session(remote)
        return _sessions[remote]


def arrivals_spark_resource(settings: Settings) -> LazyPySparkResource:
    """The Spark that takes new events to the warehouse."""
    remote = settings.arrivals_spark_remote or settings.spark_remote
    return spark_resource(settings.model_copy(update={"spark_remote": remote}))


def spark_resource(settings: Settings) -> LazyPySparkResource:
    """The Spark of everything else."""
    if settings.spark_remote is not None:
        return SparkSessionResource(spark_config={"spark.remote": settings.spark_remote})
    storage = Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url)
    return SparkSessionResource(
        spark_config={},
        home=str(settings.home.absolute()),
        environment=dict(storage.engine_environment()),
    )


def _is_same(session: SparkSession) -> bool:
    try:
        require_session(session)
    except SessionLost:
        with suppress(Exception):
            session.client.close()
        return False
    return True


def _session(remote: str) -> SparkSession:
    from pyspark.sql.connect.client.retries import DefaultPolicy

    session = connect(remote)
    session.client.set_retry_policies([DefaultPolicy(max_retries=_ATTEMPTS, max_backoff=_LONGEST_WAIT_MS)])
    prepare_session(session)
    return session


def _stack_remote(home: Path) -> str | None:
    record = read_record(home)
    return record.spark_remote if record is not None else None


def _own_remote(environment: dict[str, str]) -> str:
    if _embedded and _embedded[0].lost.is_set():
        _embedded.clear()
    if not _embedded:
        engine = Engine(environment, "error", socket_path(f"spark-of-process-{os.getpid()}"))
        engine.start()
        atexit.register(engine.path.unlink, missing_ok=True)
        _embedded.append(engine)
    return _embedded[0].remote
