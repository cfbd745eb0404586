"""Spark as a resource: a cluster's Spark Connect server, or the embedded engine, behind one key.

Both are dagster-pyspark's resource, so an asset cannot tell which it has.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_pyspark import LazyPySparkResource
from pydantic import Field

from event_assets.lake.storage import Storage
from event_assets.settings import Settings
from event_assets.stack.engine import open_engine
from event_assets.stack.record import read_record

if TYPE_CHECKING:
    from pysail.spark import SparkConnectServer

_SESSION = {"spark.sql.session.timeZone": "UTC"}

_embedded: list[SparkConnectServer] = []
"""The engine of this process, once it was needed: a session outlives the run that made it."""


class EmbeddedSparkResource(LazyPySparkResource):
    """The embedded engine: the running stack's, so that no run waits for one, else one in this process."""

    home: str
    environment: dict[str, str] = Field(default_factory=dict)

    @property
    def spark_session(self) -> Any:
        if self._spark_session is None:
            from pyspark.sql import SparkSession

            builder = SparkSession.builder.remote(_stack_remote(Path(self.home)) or _own_remote(self.environment))
            for key, value in self.spark_config.items():
                builder = builder.config(key, value)
            self._spark_session = builder.getOrCreate()
        return self._spark_session


def spark_resource(settings: Settings) -> LazyPySparkResource:
    """The Spark of these settings."""
    if settings.spark_remote is not None:
        return LazyPySparkResource(spark_config={"spark.remote": settings.spark_remote, **_SESSION})
    storage = Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url)
    return EmbeddedSparkResource(
        spark_config=dict(_SESSION),
        home=str(settings.home.absolute()),
        environment=dict(storage.engine_environment()),
    )


def _stack_remote(home: Path) -> str | None:
    record = read_record(home)
    return record.spark_remote if record is not None else None


def _own_remote(environment: dict[str, str]) -> str:
    if not _embedded:
        server = open_engine(environment, "error")
        server.start(background=True)
        _embedded.append(server)
    return f"sc://127.0.0.1:{_embedded[0].listening_address[1]}"
