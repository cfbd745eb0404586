"""`python -m event_assets.collector`: serves the ingest API until it is told to stop.

On SIGTERM or SIGINT it takes no more connections, answers the requests in flight and writes what it holds.
"""

from __future__ import annotations

import argparse
import gc
import sys
from contextlib import nullcontext

import uvicorn
from starlette.applications import Starlette

from event_assets.collector.app import create_app
from event_assets.collector.logs import log_config
from event_assets.collector.metrics import shared_between_workers
from event_assets.contract.plan import PlanError
from event_assets.settings import Settings, SettingsError, load_settings

_GRACE_SECONDS = 20
_STILL_SECONDS = 120
"""A worker that does not answer its parent for so long is ended. On a busy machine the imports alone take more than
uvicorn's five seconds, and every worker would be killed before it serves."""


def serve(settings: Settings, app: Starlette, workers: int = 1) -> None:
    """Serves with so many processes on one port. Memory is bounded per process; rates are, too, unless
    the settings say how many share them."""
    _rarely_collect_garbage()
    with shared_between_workers() if workers > 1 else nullcontext():
        uvicorn.run(
            app if workers == 1 else "event_assets.collector.__main__:app_of_environment",
            factory=workers > 1,
            workers=workers,
            host=settings.collector_host,
            port=settings.collector_port,
            loop="uvloop",
            http="event_assets.collector.connections:BoundedProtocol",
            timeout_keep_alive=round(settings.collector_keep_alive_seconds),
            ws="none",
            access_log=False,
            server_header=False,
            log_config=log_config(),
            forwarded_allow_ips=settings.collector_proxies,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_worker_healthcheck=_STILL_SECONDS,
        )


def app_of_environment() -> Starlette:
    """The app by the environment's settings; each of several processes makes its own."""
    _rarely_collect_garbage()
    return create_app(load_settings())


def _rarely_collect_garbage() -> None:
    """A request leaves no cycles behind: looking for them every 700 objects would cost more than 4 % of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def main() -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m event_assets.collector", description=__doc__)
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port")
    workers = parser.parse_args().workers
    try:
        settings = load_settings()
        serve(settings, create_app(settings), workers)
    except (SettingsError, PlanError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
