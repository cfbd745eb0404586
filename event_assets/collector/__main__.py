"""`python -m event_assets.collector`: serves the ingest API with the settings of the environment until it is told to stop."""

from __future__ import annotations

import argparse
import sys

import uvicorn

from event_assets.collector.app import create_app
from event_assets.collector.logs import log_config
from event_assets.settings import SettingsError, load_settings

_GRACE_SECONDS = 20


def serve(workers: int = 1) -> None:
    """Serves until SIGTERM or SIGINT; then answers the requests in flight and writes what is held."""
    settings = load_settings()
    config = uvicorn.Config(
        "event_assets.collector.__main__:app_of_environment",
        factory=True,
        host=settings.collector_host,
        port=settings.collector_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        workers=workers,
        access_log=False,
        server_header=False,
        log_config=log_config(),
        forwarded_allow_ips=settings.collector_proxies,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    if workers == 1:
        server.run()
        return
    from uvicorn.supervisors import Multiprocess

    Multiprocess(config, target=server.run, sockets=[config.bind_socket()]).run()


def app_of_environment() -> object:
    """The app of this process's settings; each worker process makes its own."""
    return create_app(load_settings())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m event_assets.collector", description=__doc__)
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port")
    try:
        serve(parser.parse_args().workers)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
