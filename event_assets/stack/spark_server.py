"""The shared Spark engine of a local stack: a Spark Connect server by Sail, for as long as the process lives.

`python -m event_assets.stack.spark_server --port 50051`. Sessions and their settings belong to the resources.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is told to end."""
    from pysail.spark import SparkConnectServer

    parser = argparse.ArgumentParser(prog="event_assets.stack.spark_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    SparkConnectServer(ip=options.host, port=options.port).start(background=False)


if __name__ == "__main__":
    main()
