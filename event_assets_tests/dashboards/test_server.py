"""Each role of a visitor reads the warehouse by the role of the same name, and no page shows more than it sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from event_assets.dashboards.pages import metrics, pipeline, realtime
from event_assets.dashboards.selection import Selection
from event_assets.dashboards.server import contexts_of
from event_assets.rules.roles import roles_of
from event_assets.settings import Settings
from event_assets_tests.dashboards.conftest import NOW, Site


def settings_of(site: Site, folder: Path) -> Settings:
    """Those of a site, with a role that sees the rows of one country."""
    document = roles_of(Settings().roles).model_dump(mode="json")
    german = {"warehouse": "shared", "dashboards": "sql", "rows": {"country": ["DE"]}}
    document["roles"] = {"german": german, **document["roles"]}
    path = folder / "roles.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return Settings(warehouse_schema=site.context.source.database.schema, roles_file=path)


def test_a_visitors_queries_run_as_the_warehouses_role_of_their_role_which_only_reads(
    site: Site, tmp_path: Path
) -> None:
    settings = settings_of(site, tmp_path)
    contexts = contexts_of(settings, site.owner_url)
    assert list(contexts) == ["german", "viewer", "analyst", "data_engineer"]
    for name, context in contexts.items():
        asked = context.source.database.run("SELECT current_user, session_user", 1).rows
        assert asked == [(f"{settings.warehouse_schema}_{name}",) * 2]
        with pytest.raises((psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege)):
            context.source.database.run("SELECT lo_create(0)", 1)
    assert {name for name, context in contexts.items() if not context.lets_type} == {"viewer"}
    typed = "SELECT count(*), count(DISTINCT country), count(DISTINCT person_id) FROM fct_sessions"
    rows = {name: context.source.database.run(typed, 1).rows[0] for name, context in contexts.items()}
    assert rows["viewer"] == rows["analyst"] == rows["data_engineer"]
    assert rows["german"][1] == 1 and rows["german"][0] == sum(row["country"] == "DE" for row in site.sessions)


def test_the_pages_of_every_role_have_the_same_numbers_but_for_the_rows_that_they_do_not_see(
    site: Site, tmp_path: Path
) -> None:
    seen = {"derived_at": NOW, "received_at": NOW, "event_date": NOW.date(), "platform": "web", "country": "FR"}
    site.put(
        "fct_events", [{"event_id": f"e{n}", "event": "view", "anonymous_id": f"a{n % 2}", **seen} for n in range(3)]
    )
    contexts = contexts_of(settings_of(site, tmp_path), site.owner_url)
    told: dict[str, list[tuple[str, Any]]] = {}
    for name, context in contexts.items():
        then = replace(context, source=replace(context.source, clock=site.context.source.clock))
        selection = Selection.of("?period=28d")
        made = [
            figure
            for page in context.source.dashboard.pages
            for row, visuals in enumerate(page.rows)
            for place in range(len(visuals))
            for figure in metrics.figures(then, page, (row, place), selection)
        ]
        made += [figure for _, figure in realtime.figures(then)] + [pipeline.lag_of(then)]
        told[name] = [(figure.title, figure.rows) for figure in made]
    assert told["viewer"] == told["analyst"] == told["data_engineer"]
    assert len(told["german"]) == len(told["viewer"]) and told["german"] != told["viewer"]


def test_an_address_that_is_named_is_taken_and_without_any_nothing_is_typed(site: Site, tmp_path: Path) -> None:
    settings = settings_of(site, tmp_path)
    elsewhere = settings.model_copy(update={"warehouse_kind": "redshift"})
    contexts = contexts_of(elsewhere, site.owner_url)
    assert list(contexts) == ["viewer", "analyst", "data_engineer"]  # who sees some rows only has no pages
    assert not any(context.lets_type for context in contexts.values())
