"""Serves the pages on this machine: `python -m event_assets.dashboards.server`."""

from __future__ import annotations

import argparse
import logging

import psycopg
import waitress

from event_assets.dashboards.app import create_app
from event_assets.dashboards.context import Context
from event_assets.dashboards.database import Database, reader_of
from event_assets.dashboards.figures import Source
from event_assets.rules.dashboard import dashboard_of
from event_assets.settings import Settings, load_settings

_LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
_THREADS = 8


def context_of(settings: Settings, warehouse_url: str) -> Context:
    """What the pages of these settings are made from.

    A role that can only read is made where the warehouse is a PostgreSQL whose owner may make one; another can be named
    by setting. Without either the pages read by the owner's role, and nothing can be typed.
    """
    dashboard = dashboard_of(settings.dashboards)
    url, lets_type = warehouse_url, False
    if settings.dashboard_warehouse_url is not None:
        url, lets_type = settings.dashboard_warehouse_url.get_secret_value(), True
    elif settings.warehouse == "postgres":
        try:
            url, lets_type = reader_of(warehouse_url, settings.warehouse_schema), True
        except psycopg.Error as error:
            _LOG.warning("no role that can only read could be made: %s", str(error).strip())
    return Context(Source(dashboard, Database(url, settings.warehouse_schema)), settings, warehouse_url, lets_type)


def main() -> None:
    """Serves until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    settings = load_settings()
    if settings.warehouse_url is None:
        parser.error("EVENT_ASSETS_WAREHOUSE_URL is missing: the stack names it")
    context = context_of(settings, settings.warehouse_url.get_secret_value())
    waitress.serve(create_app(context).server, host=HOST, port=arguments.port, threads=_THREADS, ident=None)


if __name__ == "__main__":
    main()
