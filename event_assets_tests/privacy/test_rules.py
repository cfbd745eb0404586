"""No table that names people is forgotten."""

from __future__ import annotations

from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.pipeline.registry import STEPS
from event_assets.privacy.rules import BY_ID, EVENT_TABLES, KEPT

IDS = {"anonymous_id", "user_id", "stitched_user_id", "person_id", "device_id", "device_advertising_id", "ip"}


def test_every_table_with_a_personal_column_says_how_people_are_erased_from_it() -> None:
    personal = {table for table in EVERY_TABLE if any(column.pii for column in table.columns)}
    assert personal <= {*EVENT_TABLES, *BY_ID, *KEPT}


def test_every_column_of_an_id_is_personal() -> None:
    for table in EVERY_TABLE:
        assert [c.name for c in table.columns if c.name in IDS and not c.pii] == [], table.name


def test_rows_are_found_by_every_id_that_they_have() -> None:
    for table, rule in BY_ID.items():
        ids = {column.name for column in table.columns if column.name in IDS}
        assert ids <= {*rule.columns} or table.name in ("identities", "sessions"), table.name
        assert {*rule.columns} <= {*table.column_names}, table.name
        assert rule.at is None or table.column(rule.at).type == "timestamp", table.name


def test_tables_are_erased_from_after_all_that_they_are_made_of() -> None:
    order = [table.name for table in (*EVENT_TABLES, *BY_ID)]
    for step in STEPS:
        for table in step.tables:
            above = [each.name for each in step.upstream if each.name in order and each not in step.tables]
            if table.name in order:
                assert all(order.index(name) < order.index(table.name) for name in above), table.name
