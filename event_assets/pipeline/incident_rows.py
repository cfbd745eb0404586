"""The rows of metric_incidents: what of metric_anomalies belongs together, in words and numbers."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from event_assets.models.anomalies import Findings
from event_assets.models.incidents import Alert, Incident, driver_of, excess_of, incidents_of
from event_assets.models.panel import ALL, Numbers, Panel
from event_assets.pipeline.metric_panel import STEP, Steps, found_in
from event_assets.rules.anomalies import Anomalies, Period, incident_id

_PAUSES: dict[Period, int] = {"day": 2, "hour": 2, "minute": 10}
"""Steps without anything unusual after which an incident is over; those in which nothing came at all do not count."""


def incidents(rows: pa.Table, rules: Anomalies) -> list[dict[str, Any]]:
    """The incidents of rows of metric_anomalies and minute_anomalies, by their beginning, as rows of
    metric_incidents."""
    made: list[dict[str, Any]] = []
    for period in STEP:
        found = found_in(rows, period)
        if found is not None:
            steps, findings = found
            excess = excess_of(steps.panel, findings)
            for each in incidents_of(steps.panel, findings, _PAUSES[period]):
                made.append(_row(steps, findings, excess, each, rules))
    return made


def _row(steps: Steps, findings: Findings, excess: Numbers, incident: Incident, rules: Anomalies) -> dict[str, Any]:
    panel, first = steps.panel, incident.first
    key = panel.keys[first.series]
    own = [alert for alert in incident.alerts if alert.series == first.series]
    worst = max(own, key=lambda alert: (abs(findings.score[alert.series, alert.step]), -alert.step))
    begins, ends = steps.begins[incident.begins], steps.begins[incident.ends] + STEP[steps.period]
    metrics = sorted({panel.keys[alert.series].metric for alert in incident.alerts})
    id_ = incident_id(steps.period, begins, *key)
    score = float(findings.score[worst.series, worst.step])
    driver = driver_of(panel, excess, worst)
    row = {
        "incident_id": id_,
        **key._asdict(),
        "period": steps.period,
        "from_date": begins.date(),
        "begins_at": begins,
        "ends_at": ends,
        "is_open": _since(panel, incident) <= _PAUSES[steps.period],
        "direction": "more" if score > 0 else "less",
        "periods": len({alert.step for alert in incident.alerts}),
        "series": len({alert.series for alert in incident.alerts}),
        "metrics": json.dumps(metrics),
        "worst_at": steps.begins[worst.step],
        "observed": _observed(panel, worst),
        "expected": float(findings.expected[worst.series, worst.step]),
        "score": score,
        "excess": sum(alert.excess for alert in own),
        "driver_dimension": driver.dimension if driver else None,
        "driver_value": driver.value if driver else None,
        "driver_share": driver.share if driver else None,
        "is_muted": _is_muted(steps, incident, rules),
        "was_real": next((each.was for each in rules.feedback if each.incident == id_), None),
    }
    low, high = (float(each[worst.series, worst.step]) for each in (findings.low, findings.high))
    return {**row, "what": _sentence(row, panel.kinds[first.series], low, high)}


def _since(panel: Panel, incident: Incident) -> int:
    """In how many steps after it anything came."""
    return int(((panel.amounts + panel.wholes)[:, incident.ends + 1 :] > 0).any(axis=0).sum())


def _observed(panel: Panel, alert: Alert) -> float | None:
    place = (alert.series, alert.step)
    if panel.kinds[alert.series] != "rate":
        return float(panel.amounts[place])
    return float(panel.amounts[place] / panel.wholes[place]) if panel.wholes[place] else None


def _is_muted(steps: Steps, incident: Incident, rules: Anomalies) -> bool:
    """Whether all that it consists of is muted."""
    told = {(alert.series, alert.step) for alert in incident.alerts}
    return all(
        any(mute.holds(*steps.panel.keys[series], steps.begins[step].date()) for mute in rules.mutes)
        for series, step in told
    )


def _sentence(row: dict[str, Any], kind: str, low: float, high: float) -> str:
    where = "" if row["dimension"] == ALL else f" of {row['dimension']} {row['value']}"
    came, expected = (_number(row[name], kind) for name in ("observed", "expected"))
    at = f"on {row['worst_at']:%Y-%m-%d}" if row["period"] == "day" else f"at {row['worst_at']:%Y-%m-%d %H:%M} UTC"
    driver = f", most of it {row['driver_dimension']} {row['driver_value']}" if row["driver_value"] else ""
    others = [name for name in json.loads(row["metrics"]) if name != row["metric"]]
    beside = f"; also {', '.join(others)}" if others else ""
    band = f" (from {_number(low, kind)} to {_number(high, kind)})" if low == low and high == high else ""
    return f"{row['metric']}{where}: {came} {at} where {expected} was expected{band}{driver}{beside}."


def _number(value: float | None, kind: str) -> str:
    if value is None:
        return "nothing"
    return f"{value:.1%}" if kind == "rate" else f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"
