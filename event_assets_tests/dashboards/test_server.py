"""Each role of a visitor reads the warehouse by a role of its own, where one is named."""

from __future__ import annotations

import psycopg
import pytest

from event_assets.dashboards.database import reader_of
from event_assets.dashboards.server import contexts_of
from event_assets.settings import Settings
from event_assets_tests.dashboards.conftest import Site


def test_a_visitors_queries_run_as_the_warehouses_role_of_their_role_which_only_reads(site: Site) -> None:
    schema = site.context.source.database.schema
    contexts = contexts_of(
        Settings(warehouse_schema=schema, dashboard_role_urls={"analyst": site.owner_url}), site.owner_url
    )

    def who(name: str) -> object:
        return contexts[name].source.database.run("SELECT current_user", 1).rows[0][0]  # type: ignore[index]

    with psycopg.connect(site.owner_url) as owner:
        [owner_name] = owner.execute("SELECT current_user").fetchone() or ()
    assert (who("viewer"), who("analyst"), who("data_engineer")) == (
        "event_assets_reader",
        owner_name,
        "event_assets_reader",
    )
    assert {name: context.lets_type for name, context in contexts.items()} == {
        "viewer": False,
        "analyst": True,
        "data_engineer": True,
    }
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        contexts["analyst"].source.database.run("SELECT lo_create(0)", 1)


def test_without_a_role_of_its_own_who_may_not_see_people_is_not_let_type(site: Site) -> None:
    schema = site.context.source.database.schema
    settings = Settings(warehouse_schema=schema, dashboard_warehouse_url=reader_of(site.owner_url, schema))
    assert [name for name, context in contexts_of(settings, site.owner_url).items() if context.lets_type] == [
        "data_engineer"
    ]
