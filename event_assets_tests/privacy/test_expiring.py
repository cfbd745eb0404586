"""Days go when their time is over, not before, and with them nothing that is known without them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from event_assets.audit import AuditLog
from event_assets.privacy.expiring import last_run
from event_assets.privacy.needles import Needles, forms_of
from event_assets.privacy.scanning import Scan, scan_folder
from event_assets.rules.retention import Retention
from event_assets_tests.privacy.people import rows_of
from event_assets_tests.privacy.years import FIRST, Years

pytestmark = [pytest.mark.slow, pytest.mark.release]  # minutes; test_holds has the short way

WEEK, DAY = dt.timedelta(days=7), dt.timedelta(days=1)
COMES_BACK = dt.timedelta(days=63)
"""When somebody is there again of whom all events are gone."""
WEEKS, RUNS_EVERY = 105, 10
KEPT = {
    "raw_events": ("arrival_date", 90),
    "clean_events": ("arrival_date", 400),
    "enriched_events": ("event_date", 400),
    "sessions": ("event_date", 500),
    "page_views": ("event_date", 500),
}
"""By table the column of its days, and how many are kept."""
AGGREGATES = ("daily_metrics", "daily_sessions", "daily_events", "daily_pages", "period_people", "attribution")
FOLDS = (
    *("users", "visitors", "identities", "user_traits", "user_history", "consent_receipts", "groups", "group_members"),
    *("conversions", "conversion_ids", "conversion_paths", "channel_performance", "segment_memberships"),
    *("person_features", "trained_models", "metric_anomalies", "metric_incidents", "user_segments", "campaigns"),
)


def lines_of(years: Years) -> list[bytes]:
    """What happens on a day: somebody who is there all the time, somebody who was there once, and somebody
    who comes back on another device."""
    lines = [years.event(n, "steady", "phone", page={"url": "https://x.y/a"}) for n in range(2)]
    if years.today == FIRST:
        agreed = {"analytics": True, "marketing": True, "personalisation": False}
        lines.append(years.event(5, "steady", "phone", "identify", traits={"plan": "basic"}, consent=agreed))
        lines.append(years.event(6, "steady", "phone", "group", group_id="acme", traits={"size": 3, "city": "Bonn"}))
        bought = {"order_id": "o-1", "revenue": 5.0}
        lines.append(years.event(5, "gone", "tablet", "purchase", properties=bought))
        lines.append(years.event(6, "gone", "tablet", "page_view", page={"url": "https://x.y/once"}))
        lines.append(years.event(5, "mover", "old", "identify", traits={"colour": "red"}))
        lines.append(b'{"event_id": "cut off')
    if years.today == FIRST + COMES_BACK:
        lines.append(years.event(5, "mover", "new", "identify", traits={"size": "L"}))
        lines.append(years.event(6, "steady", "phone", "group", group_id="acme", traits={"size": 4}))
        lines.append(years.event(7, "steady", "phone", "purchase", properties={"order_id": "o-1", "revenue": 5.0}))
    return lines


def test_over_two_years_the_books_balance_nothing_goes_early_and_bytes_are_gone_in_time(
    spark: SparkSession, tmp_path: Path
) -> None:
    years, retention, put = Years(spark, tmp_path), Retention(sessions=500), dict[str, int]()
    for week in range(WEEKS):
        for day in (0, 3):
            years.today = FIRST + week * WEEK + day * DAY
            lines = lines_of(years)
            years.arrive(lines)
            put[str(years.today)] = len(lines)
        is_up_to_date = week % RUNS_EVERY == RUNS_EVERY - 1 or week == WEEKS - 1
        if is_up_to_date:
            years.run()
            ledger = years.ledger()
            assert ledger["landed"] == sum(put.values())
            assert (ledger["enriched"], ledger["quarantined"]) == (sum(put.values()) - 1, 1)
        years.retain(retention, audit=AuditLog(years.lake.storage))
        _nothing_is_early_or_late(years, put, is_up_to_date=is_up_to_date)

    _bytes_are_gone(years, tmp_path)
    assert {entry.action for entry in AuditLog(years.lake.storage).entries()} == {"retention_applied"}
    counted = {str(row["event_date"]): row["events"] for row in years.rows("daily_metrics")}
    assert {day: count for day, count in put.items() if day != str(FIRST)}.items() <= counted.items()


def _nothing_is_early_or_late(years: Years, put: Mapping[str, int], *, is_up_to_date: bool) -> None:
    run = last_run(years.lake.storage)
    assert run is not None and run.is_done
    for table, (column, days) in KEPT.items():
        if not years.lake.table(table).exists():
            continue
        there, end = years.by_day(table, column), str(years.today - days * DAY)
        assert not [day for day in there if day < end and run.tables[table].waits == []], table
        if is_up_to_date:
            assert run.tables[table].waits == [], table
            assert there.keys() == {day for day in put if day >= end}, table
            if table == "clean_events":
                assert all(there[day] == put[day] - (day == str(FIRST)) for day in there)


def _bytes_are_gone(years: Years, home: Path) -> None:
    for table, (_, days) in KEPT.items():
        if table in ("sessions", "page_views"):
            continue
        gone = [year for year in _days(years) if year < years.today - days * DAY]
        scan = Scan()
        scan_folder(home / "lake" / table, Needles(forms_of({f"mark-of-{day}" for day in gone})), scan, ())
        assert scan.found == {}, table
        kept = Scan()
        scan_folder(home / "lake" / table, Needles(forms_of({f"mark-of-{years.today - 7 * DAY}"})), kept, ())
        assert kept.found, "the scan finds what is there"


def _days(years: Years) -> list[dt.date]:
    return [FIRST + week * WEEK + day * DAY for week in range(WEEKS) for day in (0, 3)]


@pytest.fixture(scope="module")
def gone(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Years:
    """A platform whose first day is gone, with all that people did on it, and that goes on."""
    years = Years(spark, tmp_path_factory.mktemp("gone"))
    years.arrive(lines_of(years))
    years.run()
    years.today = FIRST + COMES_BACK
    run = years.retain(Retention(raw=7, quarantine=14, events=14, sessions=21))
    assert {name: each.rows for name, each in run.tables.items() if each.rows} == {
        "raw_events": 1,
        "quarantined_events": 1,
        "clean_events": 7,
        "enriched_events": 7,
        "sessions": 3,
        "page_views": 3,
    }
    years.arrive(lines_of(years))
    years.run()
    return years


def test_folds_know_of_days_that_are_gone(gone: Years) -> None:
    users = {row["person_id"]: row for row in gone.rows("users")}
    steady, once, mover = users["phone"], users["tablet"], users["mover"]
    assert (steady["events"], steady["sessions"], steady["consent_marketing"]) == (8, 2, True)
    assert (steady["first_seen_at"].date(), steady["last_seen_at"].date()) == (FIRST, gone.today)
    assert (steady["traits"], steady["conversions"], steady["revenue"]) == ('{"plan":"basic"}', 0, 0.0)
    assert (once["events"], once["sessions"], once["conversions"], once["revenue"]) == (2, 1, 1, 5.0)
    assert mover["anonymous_ids"] == '["new","old"]', "who was one person is one"
    assert (mover["traits"], mover["events"]) == ('{"colour":"red","size":"L"}', 1)
    assert mover["first_seen_at"].date() == FIRST
    visitors = {row["anonymous_id"]: row["events"] for row in gone.rows("visitors")}
    assert visitors == {"phone": 8, "tablet": 2, "old": 1, "new": 1}
    [acme] = gone.rows("groups")
    assert (acme["events"], acme["members"], acme["traits"]) == (2, 1, '{"city":"Bonn","size":4}')
    assert [row["event_id"] for row in gone.rows("conversions")] == [f"{FIRST}-tablet-5"]
    history = [(row["valid_from"].date(), row["is_current"]) for row in gone.rows("user_history")
               if row["person_id"] == "mover"]  # fmt: skip
    assert history == [(FIRST, False), (FIRST + COMES_BACK, True)]
    assert "/once" in {row["page"] for row in gone.rows("pages")}
    assert str(FIRST) in {str(row["event_date"]) for row in gone.rows("daily_metrics")}


def test_nothing_is_made_again_of_what_is_left_and_late_events_of_gone_days_are_counted(gone: Years) -> None:
    before, ledger = rows_of(gone), gone.ledger()
    gone.run(rebuild=True)
    after = rows_of(gone)
    for table in (*AGGREGATES, *FOLDS, *KEPT, "event_ids", "event_ledger", "pages", "dates", "touches"):
        assert after[table] == before[table], table

    late = dt.datetime.combine(FIRST + DAY, dt.time(9), dt.UTC)
    gone.arrive([gone.event(50, "steady", "phone", at=late)])
    gone.run()
    counts, expired = gone.ledger(), sum(row["expired"] or 0 for row in gone.rows("event_ledger"))
    assert (counts["clean"], counts["enriched"]) == (ledger["clean"] + 1, ledger["enriched"])
    assert expired == 1 and gone.pending() == {}
