"""Serves the pages: `python -m event_assets.dashboards.server`."""

from __future__ import annotations

import argparse
import logging

import psycopg
import waitress

from event_assets.dashboards.app import create_app
from event_assets.dashboards.context import Context
from event_assets.dashboards.database import Database
from event_assets.dashboards.formatter import known_locale
from event_assets.dashboards.source import Source
from event_assets.rules.analysis import Analyses
from event_assets.rules.dashboard import dashboard_of
from event_assets.rules.roles import Roles, roles_of
from event_assets.settings import Settings, load_settings
from event_assets.warehouse.role_changes import apply, login_of
from event_assets.warehouse.role_grants import RolesError, schema_of
from event_assets.warehouse.warehouse import Warehouse

_LOG = logging.getLogger(__name__)
_THREADS = 32
"""Most of them wait for the warehouse, which answers a few at once: who asks for what it is not asked does not."""


def contexts_of(settings: Settings, warehouse_url: str) -> dict[str, Context]:
    """What the pages of these settings are made from, by role of the roles' file.

    In PostgreSQL the roles are made, where its owner may make some; elsewhere their addresses are named by setting.
    For a role without one the pages read by the owner's, and nothing can be typed; who may see some rows only has no
    pages then. Raises `RuleError` where a file cannot be used.
    """
    roles, dashboard = roles_of(settings.roles), dashboard_of(settings.dashboards)
    named = {name: url.get_secret_value() for name, url in settings.dashboard_role_urls.items()}
    if settings.warehouse == "postgres" and not named.keys() >= roles.of_dashboards.keys():
        named = _logins(Warehouse.from_settings(settings, warehouse_url), warehouse_url, roles) | named
    locale = known_locale([settings.dashboard_locale or ""]) or "en"
    of_companies = frozenset(each.name for each in Analyses.load(settings.analytics).usable if each.is_of_groups)
    contexts: dict[str, Context] = {}
    for name, role in roles.of_dashboards.items():
        own = named.get(name)
        if own is None and role.rows:
            _LOG.warning("no pages for %s: the warehouse cannot be read by a role that sees its rows alone", name)
            continue
        schema = schema_of(settings.warehouse_schema, name, role) if own else settings.warehouse_schema
        database = Database(own or warehouse_url, schema)
        source = Source(
            dashboard,
            database,
            event_days=settings.warehouse_event_days,
            locale=locale,
            of_companies=of_companies,
            zones=settings.site_zones,
        )
        contexts[name] = Context(source, settings, warehouse_url, role, reads_only=own is not None)
    return contexts


def _logins(warehouse: Warehouse, url: str, roles: Roles) -> dict[str, str]:
    """By role the address of the warehouse's role, once all are made; none where they cannot be."""
    try:
        warehouse.ensure()
        apply(warehouse, roles)
        return {name: login_of(warehouse, url, name) for name in roles.of_dashboards}
    except (psycopg.Error, RolesError) as error:
        _LOG.warning("the warehouse's roles could not be made: %s", str(error).strip())
        return {}


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
