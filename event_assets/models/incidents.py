"""Alerts that belong together: what went wrong, from when to when, and where it lies.

What is unusual is found in anomalies.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from event_assets.models.anomalies import Findings
from event_assets.models.panel import ALL, Numbers, Panel, SeriesKey

_JOINS = 3
"""Steps from the beginning of an incident in which alerts of other metrics join it."""
PAUSE = 2
"""Steps without an alert after which the next one begins another incident."""


class Alert(NamedTuple):
    """A step of a series that is told. `excess`: how much more than expected (less: negative), in what is counted; of
    a rate the hits."""

    step: int
    series: int
    excess: float


class Driver(NamedTuple):
    """The value of a dimension that explains most of an alert, and its share of the excess."""

    dimension: str
    value: str
    share: float


@dataclass
class Incident:
    """Alerts that belong together. `first` is what they began with: the least probable one of the first step."""

    first: Alert
    alerts: list[Alert] = field(default_factory=list)

    @property
    def begins(self) -> int:
        return self.first.step

    @property
    def ends(self) -> int:
        """The last step that was unusual."""
        return max(alert.step for alert in self.alerts)


def excess_of(panel: Panel, findings: Findings) -> Numbers:
    """How much more than expected each series had at each step, in what is counted."""
    is_rate = panel.of_kind("rate")[:, None]
    return panel.amounts - findings.expected * np.where(is_rate, panel.wholes, 1.0)


def alerts_of(panel: Panel, findings: Findings) -> list[Alert]:
    """What is told, by step; within one the least probable first, of equals the series of everything."""
    excess = excess_of(panel, findings)
    where = np.argwhere(findings.is_alert.T)
    keyed = [
        (int(step), float(findings.probability[series, step]), panel.keys[series].dimension != ALL, int(series))
        for step, series in where
    ]
    return [Alert(step, series, float(excess[series, step])) for step, _, _, series in sorted(keyed)]


def incidents_of(panel: Panel, findings: Findings, pause: int = PAUSE) -> list[Incident]:
    """The alerts in incidents, in the order of their beginnings. One is over after `pause` steps without an alert.

    An alert goes on with the incident of the same series; else it joins the latest one of its metric that is not over,
    or one that began some steps before and shares a value of a dimension with it, everything being shared by all; else
    it begins one.
    """
    found: list[Incident] = []
    for alert in alerts_of(panel, findings):
        home = next((each for each in reversed(found) if _is_home(panel.keys, each, alert, pause)), None)
        if home is None:
            found.append(Incident(alert, [alert]))
        else:
            home.alerts.append(alert)
    return found


def _is_home(keys: Sequence[SeriesKey], incident: Incident, alert: Alert, pause: int) -> bool:
    if alert.step - incident.ends > pause:
        return False
    own, theirs = keys[alert.series], {keys[each.series] for each in incident.alerts}
    if any(own.metric == key.metric for key in theirs):
        return True
    is_near = alert.step - incident.begins <= max(_JOINS, pause)
    return is_near and any(ALL in (own.dimension, key.dimension) or own[1:] == key[1:] for key in theirs)


def driver_of(panel: Panel, excess: Numbers, alert: Alert) -> Driver | None:
    """The value of a dimension that explains most of an alert, by the excess of all series; None where none is told by
    values, or none goes the same way."""
    own = panel.keys[alert.series]
    if not alert.excess or own.dimension != ALL:
        return None
    shares = (
        Driver(key.dimension, key.value, float(excess[series, alert.step] / alert.excess))
        for series, key in enumerate(panel.keys)
        if key.metric == own.metric and key.dimension != ALL and np.isfinite(excess[series, alert.step])
    )
    return max((each for each in shares if each.share > 0), key=lambda each: (each.share, each), default=None)
