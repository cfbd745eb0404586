"""The shared Spark engine of a local stack: a Spark Connect server by Sail, for as long as the process lives.

`python -m event_assets.stack.spark_server --port 50051`. Sessions and their settings belong to the resources.
"""

from __future__ import annotations

import argparse
import logging
import signal
from collections.abc import Sequence

from event_assets.lake.storage import Storage
from event_assets.settings import Settings, load_settings
from event_assets.stack.engine import open_engine


def serve(host: str, port: int, settings: Settings) -> None:
    """Serve until the process is told to end; the engine reaches the lake of these settings."""
    storage = Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url)
    engine = open_engine(storage.engine_environment(), "warn", host, port)
    # The server waits outside Python, where no Python handler runs: the signals must end the process themselves.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    engine.start(background=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="event_assets.stack.spark_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    serve(options.host, options.port, load_settings())


if __name__ == "__main__":
    main()
