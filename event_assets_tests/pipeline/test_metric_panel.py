"""What is shipped watches errors, quarantine and latency by the hour: each is found when it is planted."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from event_assets.contract.tables.events import EVENT_LEDGER
from event_assets.contract.tables.metrics import HOURLY_EVENTS
from event_assets.contract.tables.schema import Table
from event_assets.pipeline.anomalies import incident_rows
from event_assets.pipeline.metric_panel import anomaly_rows
from event_assets.rules.anomalies import Of, read_anomalies
from event_assets.settings import Settings
from event_assets.transforms.metrics.metric_series import metric_series
from event_assets_tests.factories import row_of

BEGIN, HOURS, LASTS = dt.datetime(2026, 9, 7, tzinfo=dt.UTC), 24 * 30, 3
PLANTED = {
    "hourly_errors": (560, "errors", 6.0),
    "quarantine": (590, "quarantined", 6.0),
    "hourly_delay": (620, "delayed", 6.0),
    "hourly_lag": (650, "lagged", 10.0),
    "hourly_slow_pages": (680, "slow", 4.0),
}
"""By metric the hour in which something begins, of what, and how many times as much."""
SHARES = {"errors": 0.02, "quarantined": 0.01, "delayed": 0.03, "lagged": 0.005, "slow": 0.1}


@pytest.fixture(scope="module")
def incidents(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The incidents of hours of a month."""
    rules = read_anomalies(Settings(home=tmp_path_factory.mktemp("home")).anomalies)
    rng, events, ledger = np.random.default_rng(8), [], []
    for hour in range(HOURS):
        begins = BEGIN + dt.timedelta(hours=hour)
        counts = {name: int(rng.poisson(1_000 + 600 * np.sin(hour * np.pi / 12))) for name in ("ios", "web")}
        for platform, count in counts.items():
            told = {name: int(rng.binomial(count, min(1, share(name, hour)))) for name in SHARES}
            own = {"event_date": begins.date(), "hour": begins, "app_id": "shop", "platform": platform, "is_bot": False}
            errors = told.pop("errors")
            quiet = dict.fromkeys(("delayed", "lagged", "timed", "slow"), 0)
            of_pages = {"delayed": told["delayed"], "lagged": told["lagged"], "timed": count, "slow": told["slow"]}
            for event, number, more in (("page_view", count - errors, of_pages), ("app_error", errors, quiet)):
                events.append(row_of(HOURLY_EVENTS, **own, event=event, events=number, fresh=number, **more))
        landed = sum(counts.values())
        bad = int(rng.binomial(landed, share("quarantined", hour)))
        of_hour = {"arrival_date": begins.date(), "arrival_hour": begins.hour}
        ledger.append(row_of(EVENT_LEDGER, **of_hour, landed=landed, quarantined=bad))
    given: tuple[tuple[Of, Table, list[dict[str, Any]]], ...]
    given = ("hourly_events", HOURLY_EVENTS, events), ("event_ledger", EVENT_LEDGER, ledger)
    made = [
        metric_series(of, spark.createDataFrame(pa.Table.from_pylist(rows, table.arrow_schema())), rules)
        for of, table, rows in given
    ]
    series = pa.concat_tables([each.toArrow() for each in made if each is not None])
    rows: list[dict[str, Any]] = incident_rows(anomaly_rows(series, rules), rules).to_pylist()
    return rows


def share(of: str, hour: int) -> float:
    times = next(factor for begins, name, factor in PLANTED.values() if name == of)
    begins = next(begins for begins, name, _ in PLANTED.values() if name == of)
    return SHARES[of] * (times if begins <= hour < begins + LASTS else 1)


@pytest.mark.parametrize("metric", PLANTED)
def test_what_is_planted_is_an_incident_of_its_metric_while_it_lasts(
    incidents: list[dict[str, Any]], metric: str
) -> None:
    """Errors are told by their number and by their share in one incident."""
    begins = BEGIN + dt.timedelta(hours=PLANTED[metric][0])
    (found,) = (row for row in incidents if row["begins_at"] <= begins < row["ends_at"])
    assert metric in json.loads(found["metrics"])
    assert (found["begins_at"], found["direction"]) == (begins, "more")
    assert found["ends_at"] <= begins + dt.timedelta(hours=LASTS + 2)


def test_beside_it_hardly_anything_is_told(incidents: list[dict[str, Any]]) -> None:
    planted = [BEGIN + dt.timedelta(hours=hour) for hour, _, _ in PLANTED.values()]
    assert len([row for row in incidents if row["begins_at"] not in planted]) <= 1
