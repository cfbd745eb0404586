"""retention.yaml: what is shipped, what an owner may write, and what is wrong by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.contract.tables.lake import LAKE_TABLES
from event_assets.rules.retention import OF_APPS, TABLES, Retention, read_retention
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings


def test_what_is_shipped_says_what_holds_without_a_file(tmp_path: Path) -> None:
    assert read_retention(Settings(home=tmp_path).retention) == Retention()
    assert [Retention().days_of(table) for table in ("raw_events", "quarantined_events")] == [90, 180]
    assert {Retention().days_of(table) for table in ("clean_events", "enriched_events")} == {400}
    assert {Retention().days_of(table) for table in ("sessions", "page_views", "session_issues")} == {800}
    assert Retention().days_of("daily_metrics") is None


def test_every_table_by_days_has_its_time() -> None:
    by_days = {table.name for table in LAKE_TABLES if table.is_by_day}
    assert by_days - TABLES.keys() == {"event_ledger"}, "the books stay"
    assert {table.name for table in LAKE_TABLES if table.name in OF_APPS and "app_id" in table.column_names} == {
        *OF_APPS
    }


def test_a_table_and_an_app_may_be_kept_otherwise_than_the_others(tmp_path: Path) -> None:
    file = tmp_path / "retention.yaml"
    file.write_text("events: keep\ntables: {page_views: 60}\napps: {kiosk: {events: 30}, shop: {sessions: keep}}\n")
    retention = read_retention(file)
    assert retention.days_of("enriched_events") is None and retention.days_of("enriched_events", "kiosk") == 30
    assert (retention.days_of("page_views"), retention.days_of("sessions")) == (60, 800)
    assert retention.apps_of("enriched_events") == {"kiosk": 30}
    assert retention.apps_of("page_views") == {"shop": None} and retention.apps_of("raw_events") == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("raw: 90\nevents: 3\n", r"retention.yaml:2: .*events: .*greater than or equal to 7"),
        ("raw: 90\nsession: 3\n", r"retention.yaml:2: session: there is no such field, did you mean sessions\?"),
        ("tables:\n  page_view: 60\n", r"retention.yaml:2: tables.page_view: .*did you mean page_views\?"),
        ("apps:\n  kiosk:\n    raw: 9\n", r"retention.yaml:3: .*raw: there is no such field.*events, sessions"),
        ("- raw\n", r"retention.yaml: it must be an object with how many days"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "retention.yaml"
    file.write_text(text)
    with pytest.raises(RuleError, match=fault):
        read_retention(file)
