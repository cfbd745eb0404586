"""The settings of the Spark engine: where it is, and how large work is dealt out to it."""

from __future__ import annotations

import os

from pydantic import Field
from pydantic_settings import BaseSettings


class SparkSettings(BaseSettings):
    """What `Settings` has for the engine."""

    spark_remote: str | None = Field(
        None,
        pattern=r"^(sc://|unix:/).+",
        repr=False,  # it may carry a token
        description="Spark Connect server `sc://host:port`, or `unix:/path` of an embedded engine. Default: the "
        "embedded engine (Sail).",
    )
    arrivals_spark_remote: str | None = Field(
        None,
        pattern=r"^(sc://|unix:/).+",
        repr=False,
        description="The same for what takes new events to `fct_events` alone, so that they wait for nothing else. "
        "Default: the one engine; a local stack starts a second.",
    )
    spark_cores: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Cores of the Spark engine, by which large work is dealt out. Default: this machine's, of a Spark "
        "server its default parallelism.",
    )
    decode_processes: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Processes that decode large batches. Default: one a core, on the embedded engine.",
    )

    @property
    def decoders(self) -> int:
        """Processes that decode a large batch: a cluster has its own already."""
        return self.decode_processes or (1 if self.is_on_cluster else os.cpu_count() or 1)

    @property
    def cores(self) -> int | None:
        """Cores of the Spark engine; None: it has to be asked."""
        return self.spark_cores or (None if self.is_on_cluster else os.cpu_count() or 1)

    @property
    def is_on_cluster(self) -> bool:
        """Whether Spark is somebody's own server, and no embedded engine of this machine: nothing is known of it."""
        return self.spark_remote is not None and not self.spark_remote.startswith("unix:")
