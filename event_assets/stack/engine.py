"""The embedded Spark engine: a Spark Connect server by Sail, in this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pysail.spark import SparkConnectServer


def open_engine(environment: Mapping[str, str], log: str, host: str = "127.0.0.1", port: int = 0) -> SparkConnectServer:
    """An engine that is not started yet. `environment` is what it must find there to reach the lake, `log` the least
    level that it logs.

    Variables that are set already stay as they are, but for those of the lake.
    """
    os.environ.update(environment)
    os.environ.setdefault("RUST_LOG", log)
    # Its allocator keeps what was freed; over thousands of files that is gigabytes. Giving it back costs 5 to 14 %.
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "0")
    from pysail.spark import SparkConnectServer

    return SparkConnectServer(ip=host, port=port)
