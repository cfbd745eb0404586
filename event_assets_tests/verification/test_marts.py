"""Every mart and its copy in the warehouse is held against what follows from the truth: a wrong row is found in its
line and nowhere else. The lake is one that the steps made."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from event_assets.contract.tables.views import VIEWS
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.pipeline.load import load_step
from event_assets.pipeline.window import EVERYTHING
from event_assets.privacy.expiring import apply_retention
from event_assets.rules.retention import Retention
from event_assets.settings import Settings
from event_assets.verification import Expectation, verify
from event_assets.verification.evidence import MARTS, Evidence
from event_assets.warehouse.warehouse import Warehouse
from event_assets_tests.verification.whole_lake import Row, change_rows, changed_lake, simulated_lake, with_another

pytestmark = pytest.mark.slow
WRONG = [
    ("person_attributes", "text"),
    ("companies", "mrr"),
    ("companies", "channel_group"),
    ("session_issues", "events_after_cut"),
    ("visitors", "page_views"),
    ("user_traits", "value"),
    ("user_history", "valid_to"),
    ("consent_receipts", "text_version"),
    ("group_members", "events"),
    ("groups", "members"),
    ("touches", "person_id"),
    ("touches", "last_medium"),
    ("conversions", "revenue"),
    ("conversion_paths", "touched_before"),
    ("attribution", "revenue"),
    ("channel_performance", "event_date"),
    ("daily_metrics", "known_users"),
    ("daily_sessions", "converting_sessions"),
    ("daily_events", "events"),
    ("daily_pages", "exits"),
    ("period_people", "people"),
    ("dates", "week"),
    ("pages", "title"),
    ("campaigns", "medium"),
    ("devices", "os"),
    ("places", "level"),
    ("funnels", "median_seconds"),
    ("retention", "people"),
    ("lifecycle", "people"),
    ("paths", "mean_seconds"),
    ("active_users", "wau"),
    ("stickiness", "people"),
    ("web_vitals", "lcp_ms"),
]

WRONG_COPIES = {
    "fct_session_issues": "reason = 'another'",
    "dim_visitors": "sessions = sessions + 1",
    "dim_user_traits": "value = '7'",
    "dim_user_history": "is_current = NOT is_current",
    "dim_consent_receipts": "answer = NOT answer",
    "dim_group_members": "events = events + 1",
    "dim_groups": "members = members + 1",
    "fct_touches": "source = 'elsewhere'",
    "fct_conversions": "revenue = revenue + 1",
    "fct_conversion_paths": "touches = touches + 1",
    "agg_attribution": "revenue = revenue + 1",
    "agg_channel_performance": "spend = 1",
    "agg_daily": "bounces = bounces + 1",
    "agg_daily_sessions": "bounces = bounces + 1",
    "agg_daily_events": "events = events + 1",
    "agg_daily_pages": "exits = exits + 1",
    "agg_period_people": "people = people + 1",
    "dim_date": "week = week + 1",
    "dim_page": "section = '/another'",
    "dim_campaign": "medium = 'another'",
    "dim_device": "os = 'another'",
    "dim_geo": "level = 'another'",
    "dim_segment_memberships": "is_current = NOT is_current",
    "dim_person_attributes": "text = 'another'",
    "dim_companies": "mrr = 1",
    "agg_funnels": "people = people + 1",
    "agg_retention": "people = people + 1",
    "agg_lifecycle": "people = people + 1",
    "agg_paths": "transitions = transitions + 1",
    "agg_active_users": "dau = dau + 1",
    "agg_stickiness": "people = people + 1",
    "agg_web_vitals": "views = views + 1",
}
"""What is written over the last row of each copy."""


@pytest.fixture(scope="module")
def settings(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return simulated_lake(spark, tmp_path_factory.mktemp("simulated"))


def _failed(report: list[Expectation]) -> set[str]:
    return {line.component for line in report if not line.ok}


def test_every_line_holds_on_what_the_steps_made(settings: Settings) -> None:
    report = verify(settings)
    assert [line for line in report if not line.ok or line.late] == []
    of_marts = {line.component: line.expected for line in report if line.component in MARTS and line.expected}
    assert of_marts.keys() == MARTS.keys()


def test_events_that_the_truth_knows_nothing_of_count_as_they_are_and_fail_no_line(
    settings: Settings, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.db"
    shutil.copy(settings.home / "truth.db", truth)
    of_nobody_else = "SELECT anonymous_id FROM submissions GROUP BY 1 HAVING max(user_id) IS NULL ORDER BY 1 LIMIT 20"
    with closing(sqlite3.connect(truth)) as connection, connection:
        gone = connection.execute(f"DELETE FROM submissions WHERE anonymous_id IN ({of_nobody_else})").rowcount
    assert gone > 20
    report = verify(settings, truth=truth)
    assert _failed(report) == set()
    others = set(MARTS) - {"session_issues"}
    counted = [[line for line in lines if line.component in others] for lines in (report, verify(settings))]
    assert counted[0] == counted[1]


def test_days_that_went_are_not_missed_and_those_that_are_left_are_judged(settings: Settings, tmp_path: Path) -> None:
    shutil.copytree(settings.lake, tmp_path / "lake")
    shorter, later = settings.model_copy(update={"lake_url": str(tmp_path / "lake")}), dt.timedelta(days=3)
    lake, kept = Lake(Storage(shorter.lake)), Retention(events=7, sessions=7, aggregates=7)
    gone = apply_retention(lake, kept, ErasureRules.of(shorter), dt.datetime.now(dt.UTC) + later).tables
    for name in ("enriched_events", "sessions", "page_views", "daily_metrics"):
        assert gone[name].rows and gone[name].waits == [], name
    report = verify(shorter)
    assert [line for line in report if not line.ok] == []
    judged = {line.component for line in report if not line.late}
    assert {"clean_events", "enriched_events", "event_ledger"} <= judged

    def lose(rows: list[Row]) -> None:
        rows.pop()

    change_rows(tmp_path / "lake", "enriched_events", lose)
    assert _failed(verify(shorter)) == {"enriched_events"}


@pytest.mark.parametrize(("name", "column"), WRONG)
def test_a_wrong_value_is_found_in_its_table_and_nowhere_else(
    settings: Settings, tmp_path: Path, name: str, column: str
) -> None:
    changed = changed_lake(settings, tmp_path / "lake", name, with_another(column))
    assert _failed(verify(changed)) == {name}


@pytest.mark.parametrize("damage", ["missing", "twice"])
def test_a_row_that_is_missing_or_there_twice_is_found_in_every_table(
    settings: Settings, tmp_path: Path, damage: str
) -> None:
    def change(rows: list[Row]) -> None:
        last = rows.pop()
        rows += [last, last] if damage == "twice" else []

    first, *others = MARTS
    changed = changed_lake(settings, tmp_path / "lake", first, change)
    for name in others:
        change_rows(tmp_path / "lake", name, change)
    assert _failed(verify(changed)) == set(MARTS)


def test_an_analysis_that_was_not_refreshed_since_is_late_and_not_wrong(settings: Settings, tmp_path: Path) -> None:
    changed = changed_lake(settings, tmp_path / "lake", "funnels", with_another("people"))
    identities = Lake(Storage(changed.lake)).table("identities")
    base = identities.snapshot()
    identities.commit(base, base.progress)
    report = verify(changed)
    assert _failed(report) == set()
    late = {
        line.component: line for line in report if line.late if "weekly" in line.what or line.component != "retention"
    }
    of_analyses = {"trends", "funnels", "funnel_trends", "times_to_convert", "retention", "lifecycle"}
    assert late.keys() == of_analyses | {"active_users", "stickiness", "period_people"}
    assert late["retention"].what.startswith("weekly_retention: not refreshed since 20")
    assert late["retention"].expected == f"identities {base.version + 1}"
    assert late["retention"].actual == f"identities {base.version}"


def test_company_data_that_is_loaded_after_the_reading_is_not_judged_and_before_it_makes_late(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = changed_lake(settings, tmp_path / "lake", "companies", lambda rows: None)
    accounts = Path(changed.lake) / "company" / "crm" / "accounts"

    read = Evidence.read

    def read_before_a_load(evidence: Evidence, *arguments: Any) -> None:
        read(evidence, *arguments)
        DeltaTable(str(accounts)).delete()

    monkeypatch.setattr(Evidence, "read", read_before_a_load)
    assert [line for line in verify(changed) if not line.ok or line.late] == []
    report = verify(changed)
    assert [line for line in report if not line.ok] == []
    late = {line.component: line.what for line in report if line.late}
    assert late == dict.fromkeys(
        ("person_attributes", "companies"), "not refreshed since company/crm/accounts was loaded"
    )


def test_an_analysis_that_is_new_or_of_another_definition_or_no_more_is_late(
    settings: Settings, tmp_path: Path
) -> None:
    for name in ("weekly_retention", "brand_new"):
        text = f"kind: retention\nname: {name}\ntarget: {{event: page_view}}\nperiod: day\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    report = verify(settings.model_copy(update={"analytics_dir": tmp_path}))
    new, other, *gone = [line.what for line in report if line.late]
    assert new == "brand_new: not refreshed yet"
    assert other.startswith("weekly_retention: not refreshed since 20")
    assert [what.partition(" since 20")[0] for what in gone] == [
        f"{name}_retention: is no more; not refreshed" for name in ("broken", "daily", "monthly", "rolling")
    ]
    assert _failed(report) == set()


@pytest.fixture(scope="module")
def warehouse(settings: Settings, postgres_url: str) -> Iterator[Warehouse]:
    warehouse = Warehouse.from_settings(settings, postgres_url)
    warehouse.ensure()
    for table in WAREHOUSE_TABLES:
        load_step(Lake(Storage(settings.lake)), warehouse, table, EVERYTHING)
    yield warehouse
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {settings.warehouse_schema} CASCADE")


def test_a_copy_with_the_replacement_for_nul_is_the_lakes(
    settings: Settings, tmp_path: Path, warehouse: Warehouse, postgres_url: str
) -> None:
    sources: list[tuple[str, str]] = []

    def with_nul(rows: list[Row]) -> None:
        sources.append((rows[0]["source"], rows[0]["session_id"]))
        rows[0]["source"] = "NUL: \0"

    changed = changed_lake(settings, tmp_path / "lake", "touches", with_nul)
    [(before, session)] = sources
    query = f"UPDATE {settings.warehouse_schema}.fct_touches SET source = %s WHERE session_id = %s".encode()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(query, ("NUL: \ufffd", session))
        assert _failed(verify(changed, postgres_url)) == {"touches"}
        connection.execute(query, (before, session))


def test_an_analysis_of_a_table_that_was_deleted_and_made_again_is_late(settings: Settings, tmp_path: Path) -> None:
    changed = changed_lake(settings, tmp_path / "lake", "identities", lambda rows: None)
    log = next((tmp_path / "lake" / "identities" / "_delta_log").glob("*0.json"))
    text = log.read_text()
    log.unlink()
    log.write_text(re.sub(r'("metaData":\{"id":")[^"]+', r"\g<1>another", text))
    assert "weekly_retention: not refreshed since 20" in " ".join(line.what for line in verify(changed) if line.late)


def test_copies_in_the_warehouse_are_the_lakes_rows_or_are_late(
    settings: Settings, warehouse: Warehouse, postgres_url: str
) -> None:
    assert [line for line in verify(settings, postgres_url) if not line.ok or line.late] == []
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"SET search_path TO {settings.warehouse_schema}")
        for view in VIEWS:
            fact, beside = (
                connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone()
                for name in (view.table.name, f"(SELECT * FROM {view.name} OFFSET 0) AS whole")
            )
            assert fact == beside and fact != (0,), view.name
        unknown = "SELECT count(*) FROM bi_page_views WHERE page IS NULL OR date_week IS NULL"
        assert connection.execute(unknown).fetchone() == (0,)
        for name, column in WRONG_COPIES.items():
            connection.execute(f"UPDATE {name} SET {column} WHERE ctid = (SELECT max(ctid) FROM {name})")
        behind = "table_name IN ('agg_funnels', 'dim_companies')"
        connection.execute(f"UPDATE _loads SET lake_version = lake_version - 1 WHERE {behind}".encode())
        report = verify(settings, postgres_url)
    copies = {f"warehouse.{name}" for name in WRONG_COPIES}
    assert _failed(report) == copies - {"warehouse.agg_funnels", "warehouse.dim_companies"}
    late = [line for line in report if line.late]
    assert {line.component for line in late} == {"warehouse.agg_funnels", "warehouse.dim_companies"}
    assert all(line.what.startswith("not refreshed since 20") for line in late)
