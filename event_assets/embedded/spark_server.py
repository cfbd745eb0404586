"""The shared Spark engine of a local stack: a Spark Connect server by Sail, for as long as the process lives.

`python -m event_assets.embedded.spark_server --socket PATH`; with `--niceness` it gives way to others. Sessions and
their settings belong to the resources.
"""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from event_assets.embedded.engine import Engine
from event_assets.embedded.service import StackError
from event_assets.lake.storage import Storage
from event_assets.settings import Settings, load_settings

log = logging.getLogger("event_assets.embedded.spark_server")


def serve(path: Path, settings: Settings) -> None:
    """Serve until a signal ends the process; the engine reaches the lake of these settings.

    Raises `StackError` where the engine cannot start or is lost.
    """
    told: list[int] = []
    ending = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        told.append(number)
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, note)
    storage = Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url)
    engine = Engine(storage.engine_environment(), "warn", path, on_lost=ending.set)
    engine.start()
    log.info("Serving on %s as process %d", path, os.getpid())
    ending.wait()
    path.unlink(missing_ok=True)
    if not told:
        raise StackError("The connection to the Spark engine is lost: it must be started again.")
    log.info("Ended by %s", signal.Signals(told[0]).name)
    # The engine waits for its sessions, and its threads know of no signal: end as the signal would have.
    signal.signal(told[0], signal.SIG_DFL)
    os.kill(os.getpid(), told[0])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="event_assets.embedded.spark_server", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--niceness", type=int, default=0)
    options = parser.parse_args(arguments)
    os.nice(options.niceness)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    faulthandler.enable()
    serve(options.socket, load_settings())


if __name__ == "__main__":
    main()
