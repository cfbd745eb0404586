"""Alerts that belong together are one incident, and it is said where it lies."""

from __future__ import annotations

import numpy as np

from event_assets.models.anomalies import Findings
from event_assets.models.incidents import Driver, Incident, driver_of, excess_of, incidents_of
from event_assets.models.panel import Panel, SeriesKey

ALL_SESSIONS = SeriesKey("sessions", "all", "(all)")
IOS, WEB = SeriesKey("sessions", "platform", "ios"), SeriesKey("sessions", "platform", "web")
ERRORS, ERRORS_ON_IOS = SeriesKey("errors", "all", "(all)"), SeriesKey("errors", "platform", "ios")
KEYS = (ALL_SESSIONS, IOS, WEB, ERRORS, ERRORS_ON_IOS)
STEPS = 40


def told(alerts: dict[SeriesKey, list[int]], amounts: dict[SeriesKey, float] | None = None) -> tuple[Panel, Findings]:
    """Series of which 100 are expected, and what is told of them."""
    shape = (len(KEYS), STEPS)
    is_alert = np.zeros(shape, dtype=bool)
    for key, steps in alerts.items():
        is_alert[KEYS.index(key), steps] = True
    values = np.array([[(amounts or {}).get(key, 50.0)] * STEPS for key in KEYS])
    none = np.zeros(shape)
    begins, ones = np.zeros(len(KEYS), dtype=np.int64), np.ones(shape, dtype=np.int64)
    panel = Panel(KEYS, ["count"] * len(KEYS), values, none, begins, 7, none.astype(bool))
    probability = np.where(is_alert, 1e-4, 0.5) * np.linspace(1, 2, len(KEYS))[:, None]
    return panel, Findings(none + 100, none, none, none - 5, ones, probability, is_alert, ~none.astype(bool))


def spans(incidents: list[Incident]) -> list[tuple[int, int, int]]:
    return [(each.begins, each.ends, len(each.alerts)) for each in incidents]


def test_days_that_follow_each_other_and_values_of_one_metric_are_one_incident() -> None:
    found = incidents_of(*told({ALL_SESSIONS: [10, 11, 13], IOS: [11, 12], WEB: [30]}))
    assert spans(found) == [(10, 13, 5), (30, 30, 1)]
    assert KEYS[found[0].first.series] == ALL_SESSIONS


def test_another_metric_joins_what_began_just_before_where_they_share_a_value() -> None:
    assert spans(incidents_of(*told({IOS: [10, 11], ERRORS_ON_IOS: [11, 12]}))) == [(10, 12, 4)]
    assert spans(incidents_of(*told({IOS: [10], ERRORS: [10]}))) == [(10, 10, 2)]
    assert len(incidents_of(*told({WEB: [10], ERRORS_ON_IOS: [10]}))) == 2
    long = list(range(10, 25))
    assert len(incidents_of(*told({IOS: long, ERRORS_ON_IOS: [20]}))) == 2


def test_the_value_that_explains_most_is_named_with_its_share() -> None:
    panel, findings = told({ALL_SESSIONS: [10]}, {ALL_SESSIONS: 20, IOS: 40, WEB: 90})
    (incident,) = incidents_of(panel, findings)
    excess = excess_of(panel, findings)
    assert incident.first.excess == -80
    assert driver_of(panel, excess, incident.first) == Driver("platform", "ios", 0.75)


def test_nothing_is_named_where_no_value_goes_the_same_way_and_of_a_value_itself() -> None:
    panel, findings = told({ALL_SESSIONS: [10], IOS: [10]}, {ALL_SESSIONS: 20, IOS: 140, WEB: 130})
    (incident,) = incidents_of(panel, findings)
    excess = excess_of(panel, findings)
    assert [driver_of(panel, excess, alert) for alert in incident.alerts] == [None, None]
