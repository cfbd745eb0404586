"""What is shipped watches errors, quarantine and latency by the minute: each is found when it is planted."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from event_assets.contract.tables.minutes import MINUTE_ANOMALIES, MINUTE_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.anomalies import incident_rows
from event_assets.pipeline.minute_anomalies import minute_anomalies_step
from event_assets.rules.anomalies import read_anomalies
from event_assets.settings import Settings
from event_assets_tests.pipeline.runs import a_run

BEGIN, LENGTH, LASTS = dt.datetime(2026, 11, 28, tzinfo=dt.UTC), 34 * 60, 15
MINUTE = dt.timedelta(minutes=1)
SHARES = {"quarantined": 0.01, "errors": 0.02, "delayed": 0.03, "lagged": 0.005, "slow": 0.1}
PLANTED = {
    "errors_now": (28 * 60, "errors", 6.0),
    "quarantine_now": (29 * 60 + 10, "quarantined", 8.0),
    "delay_now": (30 * 60 + 20, "delayed", 6.0),
    "lag_now": (31 * 60 + 30, "lagged", 20.0),
    "slow_pages_now": (32 * 60 + 40, "slow", 4.0),
}
"""By metric the minute in which something begins, of what, and how many times as much."""
SILENT = range(33 * 60 + 30, 33 * 60 + 45)
"""Minutes in which nobody searches any more."""


def hour_of(table: Any, hour: int, rng: np.random.Generator) -> Any:
    columns: dict[str, list[Any]] = {name: [] for name in MINUTE_EVENTS.column_names}
    for minute in range(60 * hour, 60 * hour + 60):
        told = []
        for count in rng.poisson(40, 2):
            parts = {
                name: int(
                    rng.binomial(
                        count,
                        part * next((t for b, n, t in PLANTED.values() if n == name and b <= minute < b + LASTS), 1),
                    )
                )
                for name, part in SHARES.items()
            }
            told.append({"landed": int(count), "events": int(count), "conversions": 0, "timed": int(count), **parts})
        searches = 0 if minute in SILENT else int(rng.binomial(told[1]["events"], 0.5))
        every = {name: told[0][name] + told[1][name] for name in told[0]}
        for dimension, value, counts in (
            ("all", "(all)", every),
            ("platform", "ios", {**told[0], "quarantined": 0}),
            ("platform", "web", {**told[1], "quarantined": 0}),
            ("app_id", "shop", {**every, "quarantined": 0}),
            ("event", "search", {**dict.fromkeys(every, 0), "landed": searches, "events": searches}),
        ):
            at = BEGIN + minute * MINUTE
            row = {"hour": f"{at:%Y-%m-%dT%H}", "minute": at, "dimension": dimension, "value": value, **counts}
            for name, column in columns.items():
                column.append(row[name])
    rows = pa.table(columns, schema=MINUTE_EVENTS.arrow_schema())
    return table.stage_arrow(rows, uuid.uuid4().hex, {"hour": columns["hour"][0]})


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The incidents of minutes."""
    rules = read_anomalies(Settings(home=tmp_path_factory.mktemp("home")).anomalies)
    lake, rng = Lake(Storage(str(tmp_path_factory.mktemp("lake")))), np.random.default_rng(9)
    table = lake.table(MINUTE_EVENTS.name)
    base = table.snapshot()
    table.commit(base, base.progress, add=[hour_of(table, hour, rng) for hour in range(LENGTH // 60)])
    minute_anomalies_step(a_run(lake, None, anomalies=rules))
    rows: list[dict[str, Any]] = incident_rows(lake.table(MINUTE_ANOMALIES.name).snapshot().arrow(), rules).to_pylist()
    return rows


@pytest.mark.parametrize("metric", PLANTED)
def test_what_is_planted_is_an_incident_of_its_own_metric_while_it_lasts(
    incidents: list[dict[str, Any]], metric: str
) -> None:
    begins = BEGIN + PLANTED[metric][0] * MINUTE
    ends = begins + LASTS * MINUTE
    (found,) = (row for row in incidents if row["metric"] == metric)
    assert begins <= found["begins_at"] < begins + 8 * MINUTE and found["direction"] == "more"
    assert found["ends_at"] <= ends + 5 * MINUTE


def test_beside_it_hardly_anything_is_told(incidents: list[dict[str, Any]]) -> None:
    assert len(incidents) <= len(PLANTED) + 2


def test_an_event_that_comes_no_more_is_told_by_its_name(incidents: list[dict[str, Any]]) -> None:
    (found,) = (row for row in incidents if row["metric"] == "events_now")
    assert (found["dimension"], found["value"], found["direction"]) == ("event", "search", "less")
    assert BEGIN + SILENT.start * MINUTE <= found["begins_at"] < BEGIN + (SILENT.start + 8) * MINUTE
