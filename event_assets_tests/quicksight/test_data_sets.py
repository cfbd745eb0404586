"""The statements of data sets are such as the warehouse answers, with the columns that are said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from event_assets.quicksight.resources import wanted
from event_assets.quicksight.target import RowRule, Target
from event_assets.rules.dashboard import Dashboard, dashboard_of
from event_assets.settings import Settings
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.postgres import new_database
from event_assets_tests.quicksight.conftest import ANALYSES

_TYPES = {"STRING": {25, 1043}, "INTEGER": {20, 21, 23}, "DECIMAL": {701, 1700}, "DATETIME": {1082, 1114, 1184}}
"""PostgreSQL's types by their numbers: text, varchar; bigint, smallint, integer; double, numeric; date, timestamps."""


@pytest.mark.slow
def test_the_warehouse_answers_every_statement_with_the_columns_and_types_that_are_said(
    target: Target, every_kind: Dashboard, postgres_url: str, tmp_path: Path
) -> None:
    url = new_database(postgres_url)
    settings = Settings(home=tmp_path)
    Warehouse.from_settings(settings, url).ensure()
    limited = replace(target, rows=(RowRule("it's", "country", ("DE", "AT")),))
    shipped = dashboard_of(settings.dashboards)
    tables = {
        each.key.id + dashboard.name: each.request["PhysicalTableMap"]["table"]["CustomSql"]
        for dashboard in (every_kind, shipped)
        for each in wanted(dashboard, ANALYSES, limited).resources
        if "PhysicalTableMap" in each.request
    }
    with psycopg.connect(url) as connection:
        for name, table in tables.items():
            answer = connection.execute(table["SqlQuery"].encode())
            assert answer.description is not None
            said = [(column["Name"], column["Type"]) for column in table["Columns"]]
            assert [column.name for column in answer.description] == [column for column, _ in said], name
            for column, (_, type_) in zip(answer.description, said, strict=True):
                assert column.type_code in _TYPES[type_], (name, column.name)
