"""What is unusual now, by days, hours and minutes together, each thing once: what people are told of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from event_assets.lake.lake import Lake
from event_assets.models.panel import ALL
from event_assets.pipeline.anomalies import can_detect, incident_rows, incidents_in, open_among
from event_assets.pipeline.incident_sayings import watched
from event_assets.pipeline.minute_anomalies import unusual_minutes
from event_assets.pipeline.run import Rules
from event_assets.rules.anomalies import PERIODS_A_DAY, Anomalies
from event_assets.rules.rule_files import RuleError


def open_incidents(lake: Lake, rules: Rules, silent_until: dt.datetime | None = None) -> list[dict[str, Any]]:
    """The incidents that are open and that somebody is told of, the furthest off first, as rows of metric_incidents.

    Those of minutes are of this moment: metric_incidents follows in the next pause. With `silent_until` it is known
    that nothing came up to then. A file of anomalies that cannot be used leaves those that stand.
    """
    try:
        file = watched(lake, rules)
    except RuleError:
        return open_among(incidents_in(lake))
    return open_among(told_once(all_incidents(lake, file, silent_until), file))


def all_incidents(lake: Lake, file: Anomalies, silent_until: dt.datetime | None = None) -> list[dict[str, Any]]:
    """The rows of metric_incidents, with incidents of minutes as they are at this moment."""
    rows = incidents_in(lake)
    if can_detect() and file.metrics_of("minute"):
        now = incident_rows(unusual_minutes(lake, file, silent_until), file).to_pylist()
        rows = [row for row in rows if row["period"] != "minute"] + now
    return rows


def told_once(rows: Iterable[dict[str, Any]], file: Anomalies) -> list[dict[str, Any]]:
    """Without those of longer periods that only say again what one of shorter ones said: more, or less, of the same
    kind of number at the same time, and not beyond the day or hour in which that ended."""
    every = list(rows)
    return [row for row in every if not any(_says_it(other, row, file) for other in every)]


def _says_it(short: Mapping[str, Any], long: Mapping[str, Any], file: Anomalies) -> bool:
    is_shorter = PERIODS_A_DAY[short["period"]] > PERIODS_A_DAY[long["period"]]
    if not is_shorter or short["is_muted"] or short["direction"] != long["direction"] or not _share(short, long):
        return False
    metrics = [file.metrics.get(each["metric"]) for each in (short, long)]
    if None in metrics or metrics[0].measure != metrics[1].measure:  # type: ignore[union-attr]
        return False
    step = dt.timedelta(days=1) / PERIODS_A_DAY[long["period"]]
    begins = long["begins_at"]
    overlap: bool = short["begins_at"] < long["ends_at"] and begins < short["ends_at"]
    steps = -((begins - short["ends_at"]) // step)  # up to the end of the step in which the short one ended
    return overlap and bool(long["ends_at"] <= begins + steps * step)


def _share(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    places = [(each["dimension"], each["value"]) for each in (one, other)]
    return places[0] == places[1] or any(dimension == ALL for dimension, _ in places)
