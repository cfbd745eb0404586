"""Serves the pages: `python -m event_assets.dashboards.server`."""

from __future__ import annotations

import argparse
import logging

import psycopg
import waitress

from event_assets.dashboards.access.roles import ROLES
from event_assets.dashboards.app import create_app
from event_assets.dashboards.context import Context
from event_assets.dashboards.database import Database, reader_of
from event_assets.dashboards.source import Source
from event_assets.rules.dashboard import dashboard_of
from event_assets.settings import Settings, load_settings
from event_assets.settings.dashboards import RoleName

_LOG = logging.getLogger(__name__)
_THREADS = 8


def contexts_of(settings: Settings, warehouse_url: str) -> dict[RoleName, Context]:
    """What the pages of these settings are made from, by role of the visitor.

    A role that can only read is made where the warehouse is a PostgreSQL whose owner may make one; another can be named
    by setting, and one for each role of a visitor. Without any the pages read by the owner's role, and nothing can be
    typed.
    """
    url, reads_only = warehouse_url, False
    if settings.dashboard_warehouse_url is not None:
        url, reads_only = settings.dashboard_warehouse_url.get_secret_value(), True
    elif settings.warehouse == "postgres":
        try:
            url, reads_only = reader_of(warehouse_url, settings.warehouse_schema), True
        except psycopg.Error as error:
            _LOG.warning("no role that can only read could be made: %s", str(error).strip())
    dashboard, shared = dashboard_of(settings.dashboards), Database(url, settings.warehouse_schema)
    contexts: dict[RoleName, Context] = {}
    for name, role in ROLES.items():
        own = settings.dashboard_role_urls.get(name)
        database = Database(own.get_secret_value(), settings.warehouse_schema) if own else shared
        # The shared reader sees every column: who may not see people is not let type by it.
        only_reads = own is not None or (reads_only and role.sees_people)
        source = Source(dashboard, database, event_days=settings.warehouse_event_days)
        contexts[name] = Context(source, settings, warehouse_url, role, only_reads)
    return contexts


def main() -> None:
    """Serves until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    settings = load_settings()
    if settings.warehouse_url is None:
        parser.error("EVENT_ASSETS_WAREHOUSE_URL is missing: the stack names it")
    app = create_app(contexts_of(settings, settings.warehouse_url.get_secret_value()))
    # It trusts no proxy by itself: the address of who asks is the one that the connection has.
    waitress.serve(app.server, host=settings.dashboard_host, port=arguments.port, threads=_THREADS, ident=None)


if __name__ == "__main__":
    main()
