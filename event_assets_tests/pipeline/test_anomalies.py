"""metric_anomalies and metric_incidents are a function of the marts and the file, however often they are refreshed."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.anomalies import METRIC_ANOMALIES, METRIC_INCIDENTS
from event_assets.contract.tables.events import EVENT_LEDGER
from event_assets.contract.tables.metrics import DAILY_EVENTS, DAILY_SESSIONS, HOURLY_EVENTS
from event_assets.contract.tables.minutes import LANDING_LAG
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline import anomalies
from event_assets.pipeline.anomalies import anomalies_step, are_outdated, incident_rows, incidents_step
from event_assets.pipeline.metric_panel import anomaly_rows, found_in, panel_of, weights_of
from event_assets.pipeline.open_incidents import open_incidents
from event_assets.rules.anomalies import Anomalies
from event_assets_tests.pipeline.runs import a_run

FIRST = dt.date(2026, 1, 1)
DAYS, BROKEN, PLATFORMS = 90, range(70, 76), ("web", "ios", "android")
FILE: dict[str, Any] = {
    "budget": 0.001,
    "metrics": {
        "sessions": {"table": "daily_sessions", "sum": "sessions"},
        "conversion": {"table": "daily_sessions", "sum": "converting_sessions", "of": "sessions"},
    },
    "dimensions": ["platform"],
}
RULES = Anomalies.model_validate(FILE)


def rules(**more: Any) -> Anomalies:
    return Anomalies.model_validate({**FILE, **more})


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), dt.UTC)


def sessions(days: range = range(DAYS), broken: range = BROKEN) -> list[dict[str, Any]]:
    """Rows of daily_sessions: on iOS, which has a third of them, nobody converts on the broken days."""
    rng, rows = np.random.default_rng(4), []
    for number in range(DAYS):
        for platform, mean in zip(PLATFORMS, (220, 200, 180), strict=True):
            count, share = int(rng.poisson(mean)), 0.2
            hits = int(rng.binomial(count, share))
            if number in broken and platform == "ios":
                hits = 0
            if number in days:
                rows.append(
                    {"site_date": day(number), "platform": platform, "sessions": count, "converting_sessions": hits}
                )
    return rows


def series(rows: list[dict[str, Any]]) -> pa.Table:
    """The same as series."""
    told: dict[tuple[str, str, str, dt.date], list[float]] = {}
    for row in rows:
        for dimension, value in (("all", "(all)"), ("platform", row["platform"])):
            for metric, amount, whole in (
                ("sessions", row["sessions"], 0.0),
                ("conversion", row["converting_sessions"], row["sessions"]),
            ):
                sums = told.setdefault((metric, dimension, value, row["site_date"]), [0.0, 0.0])
                sums[0] += amount
                sums[1] += whole
    return pa.table(
        {
            **{name: [key[place] for key in told] for place, name in enumerate(("metric", "dimension", "value"))},
            "period": ["day"] * len(told),
            "period_start": pa.array([midnight(key[3]) for key in told], pa.timestamp("us", tz="UTC")),
            "amount": [amount for amount, _ in told.values()],
            "whole": [whole if key[0] == "conversion" else None for key, (_, whole) in told.items()],
        }
    )


def incidents_of(file: Anomalies) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = incident_rows(anomaly_rows(series(sessions()), file), file).to_pylist()
    return rows


def test_a_fault_of_one_platform_is_one_incident_that_names_it() -> None:
    (incident,) = incidents_of(RULES)
    assert (incident["metric"], incident["direction"]) == ("conversion", "less")
    assert (incident["from_date"], incident["ends_at"]) == (day(70), midnight(day(76)))
    assert "ios" in (incident["value"], incident["driver_value"])
    assert incident["incident_id"] == f"{day(70)}/conversion/{incident['dimension']}/{incident['value']}"
    assert incident["excess"] < -150 and not incident["is_open"] and not incident["is_muted"]
    assert "ios" in incident["what"] and f"{incident['worst_at']:%Y-%m-%d}" in incident["what"]
    band = re.search(r"([0-9.]+)% was expected \(from ([0-9.]+)% to ([0-9.]+)%\)", incident["what"])
    assert band is not None and float(band[2]) < float(band[1]) < float(band[3])
    assert json.loads(incident["metrics"]) == ["conversion"]


def test_the_last_day_is_not_judged_and_an_incident_of_the_one_before_is_open() -> None:
    rows = anomaly_rows(series(sessions(range(73))), RULES)
    assert max(row["period_start"] for row in rows.to_pylist()) == midnight(day(71))
    (incident,) = incident_rows(rows, RULES).to_pylist()
    assert incident["is_open"] and incident["ends_at"] == midnight(day(72))


def test_rows_say_everything_that_incidents_are_made_of() -> None:
    days = panel_of(series(sessions()), RULES)
    again = found_in(anomaly_rows(series(sessions()), RULES))
    assert days is not None and again is not None
    back, findings = again
    assert list(back.panel.keys) == list(days.panel.keys) and back.begins == days.begins
    np.testing.assert_array_equal(back.panel.amounts, days.panel.amounts)
    np.testing.assert_array_equal(back.panel.wholes, days.panel.wholes)
    assert findings.is_alert.sum() > 5 and np.isfinite(findings.expected[findings.is_judged]).all()


def test_earlier_days_say_the_same_when_later_ones_came() -> None:
    whole = {row_key(row): row for row in anomaly_rows(series(sessions()), RULES).to_pylist()}
    part = anomaly_rows(series(sessions(range(80))), RULES).to_pylist()
    assert [whole[row_key(row)] for row in part] == part


def row_key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in METRIC_ANOMALIES.key)


def test_known_events_mutes_and_feedback_of_the_file_hold() -> None:
    known = {"name": "release", "from": str(day(70)), "to": str(day(75)), "metrics": ["conversion"]}
    assert incidents_of(rules(known_events=[known])) == []
    (incident,) = incidents_of(RULES)
    (muted,) = incidents_of(rules(mutes=[{"metric": "conversion"}]))
    assert muted["is_muted"] and muted["incident_id"] == incident["incident_id"]
    (other,) = incidents_of(rules(mutes=[{"metric": "sessions"}]))
    assert not other["is_muted"]
    (said,) = incidents_of(rules(feedback=[{"incident": incident["incident_id"], "was": False}]))
    assert said["was_real"] is False, "what was said of it does not take it away"


def test_feedback_moves_the_proof_that_is_asked_of_its_series_from_the_day_after_on() -> None:
    days = panel_of(series(sessions()), RULES)
    assert days is not None
    said = [{"incident": f"{day(number)}/sessions/platform/web", "was": False} for number in range(30, 40)]
    said += [
        {"incident": f"{day(50)}/sessions/platform/ios", "was": True},
        {"incident": f"{day(5)}/gone/all/(all)", "was": True},
    ]
    weights = weights_of(days, rules(feedback=said).feedback)
    web, ios = (
        next(place for place, key in enumerate(days.panel.keys) if key == ("sessions", "platform", name))
        for name in ("web", "ios")
    )
    assert (weights[web, 30], weights[web, 31], weights[web, -1]) == (1, 0.5, 1 / 16)
    assert (weights[ios, 50], weights[ios, 51]) == (1, 1.5)
    assert (np.delete(weights, [web, ios], axis=0) == 1).all()


def test_hours_are_judged_as_days_are_with_the_profile_of_a_week() -> None:
    file = Anomalies.model_validate(
        {"budget": 0.01, "metrics": {"events": {"table": "hourly_events", "sum": "events"}}}
    )
    rng, begins = np.random.default_rng(6), midnight(FIRST)
    hours = [begins + dt.timedelta(hours=number) for number in range(24 * 30)]
    counts = rng.poisson([200 + 150 * np.sin(2 * np.pi * hour.hour / 24) for hour in hours]).astype(float)
    counts[600:603] = 10
    table = pa.table(
        {
            **{
                name: [value] * len(hours)
                for name, value in (("metric", "events"), ("dimension", "all"), ("value", "(all)"))
            },
            "period": ["hour"] * len(hours),
            "period_start": pa.array(hours, pa.timestamp("us", tz="UTC")),
            "amount": counts,
            "whole": pa.nulls(len(hours), pa.float64()),
        }
    )
    incident, *others = incident_rows(anomaly_rows(table, file), file).to_pylist()
    assert len(others) <= 1
    assert (incident["begins_at"], incident["ends_at"]) == (hours[600], hours[603])
    assert incident["incident_id"].startswith(f"{hours[600]:%Y-%m-%dT%H}/events/") and "UTC" in incident["what"]


def test_an_event_that_comes_years_late_makes_no_years_of_rows() -> None:
    rows = sessions(range(80, DAYS))
    late = {"site_date": FIRST - dt.timedelta(days=1_000), "platform": "ios", "sessions": 1, "converting_sessions": 0}
    told = anomaly_rows(series([late, *rows]), RULES)
    days = {row["period_start"] for row in told.to_pylist()}
    assert days <= {midnight(day(number)) for number in range(80, DAYS - 1)} and len(days) > 5
    assert told.num_rows <= len(days) * 2 * (1 + len(PLATFORMS))


def test_small_values_and_those_beyond_the_largest_are_not_watched() -> None:
    watched = panel_of(series(sessions()), rules(values=1, least=190))
    assert watched is not None
    assert {key[1:] for key in watched.panel.keys} == {("all", "(all)"), ("platform", "web")}
    assert panel_of(series(sessions(range(1))), RULES) is None


class Marts:
    """A lake that has the marts of days."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.lake = spark, Lake(Storage(str(folder)))

    def put(self, rows: list[dict[str, Any]]) -> None:
        others = (DAILY_EVENTS, HOURLY_EVENTS, EVENT_LEDGER, LANDING_LAG)
        for table, given in ((DAILY_SESSIONS, rows), *((each, []) for each in others)):
            schema = table.arrow_schema()
            blank = {
                field.name: False if pa.types.is_boolean(field.type) else "-" if pa.types.is_string(field.type) else 0
                for field in schema
            }
            full = [{**blank, **row, "event_date": row["site_date"]} for row in given]
            lake_table = self.lake.table(table.name)
            base = lake_table.snapshot()
            frame = (
                self.spark.createDataFrame(pa.Table.from_pylist(full, schema))
                if full
                else self.spark.createDataFrame([], table.spark_schema())
            )
            lake_table.commit(base, base.progress, add=lake_table.stage(frame, 1, len(full) + 1))

    def refresh(self, file: Anomalies = RULES) -> None:
        run = a_run(self.lake, self.spark, anomalies=file)
        anomalies_step(run)
        incidents_step(run)

    def rows(self, table: str) -> list[dict[str, Any]]:
        rows = self.lake.table(table).snapshot().arrow().to_pylist()
        return sorted(rows, key=lambda row: json.dumps(row, default=str))


@pytest.mark.slow
def test_any_split_of_refreshes_ends_in_the_rows_of_one(spark: SparkSession, tmp_path: Path) -> None:
    whole, split = Marts(spark, tmp_path / "whole"), Marts(spark, tmp_path / "split")
    whole.put(sessions())
    whole.refresh()
    for part in (range(40, 72), range(40), range(72, DAYS)):
        split.put(sessions(part))
        split.refresh()
    for table in (METRIC_ANOMALIES.name, METRIC_INCIDENTS.name):
        assert whole.rows(table) and split.rows(table) == whole.rows(table)


def test_they_are_outdated_when_the_marts_or_the_file_are_others_and_made_once(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marts = Marts(spark, tmp_path)
    given = a_run(marts.lake, spark, anomalies=RULES).rules
    assert not are_outdated(marts.lake, given)
    marts.put(sessions(range(74)))
    assert are_outdated(marts.lake, given)
    marts.refresh()
    assert not are_outdated(marts.lake, given)
    before = marts.lake.table(METRIC_ANOMALIES.name).snapshot().version
    marts.refresh(rules(mutes=[{"metric": "sessions"}]))
    assert marts.lake.table(METRIC_ANOMALIES.name).snapshot().version == before
    (incident,) = open_incidents(marts.lake, given)
    report = incidents_step(a_run(marts.lake, spark, anomalies=rules(mutes=[{"metric": "sessions"}])))
    assert report.more["open"] == 1 and report.lines.keys() == {"observed", "expected", "low", "high"}
    assert report.lines["observed"][str(day(71))] < report.lines["low"][str(day(71))]
    marts.refresh(rules(mutes=[{"metric": incident["metric"]}]))
    muted = a_run(marts.lake, spark, anomalies=rules(mutes=[{"metric": incident["metric"]}])).rules
    assert open_incidents(marts.lake, muted) == []
    monkeypatch.setattr(anomalies, "can_detect", lambda: False)
    blocked = anomalies_step(a_run(marts.lake, spark, anomalies=RULES))
    assert blocked.warnings == (anomalies.NOT_INSTALLED,) and blocked.rows > 0
