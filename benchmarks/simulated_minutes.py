"""Simulated traffic by the minute, with the anomalies that pass within minutes, judged by what is shipped."""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from event_assets.contract.tables.minutes import LANDING_LAG, MINUTE_ANOMALIES, MINUTE_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.storage import Storage
from event_assets.pipeline.anomalies import incident_rows
from event_assets.pipeline.minute_events import counted_by_minute
from event_assets.pipeline.minute_panel import HOUR, MinuteCounts, judged_hour
from event_assets.rules.anomalies import Anomalies, read_anomalies
from event_assets.settings import Settings
from event_assets.simulator.anomalies import KINDS, Anomaly
from event_assets.simulator.generate import TimedEvent, generate
from event_assets.simulator.rates import FaultRates

START = dt.datetime(2026, 9, 8, tzinfo=dt.UTC)
HOURS, FIRST_HOUR, APART = 48, 30, 6
"""Of traffic; the first that is judged; between the beginnings of two anomalies at least half as many."""
WITHIN = {name: kind for name, kind in KINDS.items() if kind.lasts is not None}
"""The kinds that pass within minutes."""
_PAUSE = dt.timedelta(minutes=10)


def planted(seed: int) -> tuple[Anomaly, ...]:
    """One anomaly of each kind, in an order and at times that the seed gives, hours after one another."""
    rng, begin = np.random.default_rng((seed, 7)), START.timestamp()
    found = []
    for place, name in enumerate(rng.permutation(sorted(WITHIN))):
        kind = WITHIN[str(name)]
        at = begin + 3600 * (FIRST_HOUR + APART * place + float(rng.uniform(1, APART / 2)))
        found.append(Anomaly(str(name), at, at + (kind.lasts or 0), kind.strength))
    return tuple(found)


def simulated_minutes(seeds: Iterable[int], people: int = 5_000) -> dict[str, str]:
    """Of each kind in how many of the seeds it is told while it lasts, and after how many minutes; and how many
    incidents begin when nothing was planted, in how many hours."""
    found: dict[str, list[float | None]] = {name: [] for name in WITHIN}
    false, hours = 0, 0
    for seed in seeds:
        anomalies = planted(seed)
        events = generate(seed, people, START, HOURS, FaultRates.none(), anomalies)
        incidents, judged = incidents_of(events)
        begins = [row["begins_at"].timestamp() for row in incidents]
        for each in anomalies:
            own = [at for at in begins if each.begins - 60 < at < each.ends]
            found[each.kind].append((min(own) + 60 - each.begins) / 60 if own else None)
        after = _PAUSE.total_seconds()
        false += sum(not any(each.begins - 60 < at < each.ends + after for each in anomalies) for at in begins)
        hours += judged
    told = {name: [after for after in late if after is not None] for name, late in found.items()}
    words = {
        name: f"{len(late)} of {len(found[name])} told"
        + (f", in the median after {np.median(late):.0f} minutes" if late else "")
        for name, late in told.items()
    }
    return {**words, "incidents of nothing that was planted": f"{false} in {hours} hours"}


def incidents_of(events: Iterable[TimedEvent]) -> tuple[list[dict[str, Any]], int]:
    """The incidents of minutes from `FIRST_HOUR` on, by the file that is shipped, and how many hours were judged."""
    with tempfile.TemporaryDirectory() as folder:
        rules = read_anomalies(Settings(home=Path(folder)).anomalies)
        lake = Lake(Storage(folder))
        counts = MinuteCounts(_counted(lake, events), lake.table(LANDING_LAG.name).snapshot())
        parts, hour = [MINUTE_ANOMALIES.arrow_schema().empty_table()], START + FIRST_HOUR * HOUR
        while hour < START + HOURS * HOUR:
            parts.append(judged_hour(counts, hour, hour + HOUR, rules))
            hour += HOUR
        rows = _incidents(pa.concat_tables(parts), rules)
    return rows, HOURS - FIRST_HOUR


def _incidents(rows: pa.Table, rules: Anomalies) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = incident_rows(rows, rules).to_pylist()
    return told


def _counted(lake: Lake, events: Iterable[TimedEvent]) -> Snapshot:
    """minute_events of what was sent, as if the stream had it at once."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("arrived_at", "received_at", "derived_at", "event", "platform", "app_id", "properties")
    }
    for event in events:
        body = msgspec.json.decode(event.body)
        sent, happened = (dt.datetime.fromtimestamp(at, dt.UTC) for at in (event.send_at, event.occurred_at))
        properties = msgspec.json.encode(body.get("properties", {})).decode()
        row = (sent, sent, happened, event.event, event.platform, body.get("app", {}).get("id"), properties)
        for column, cell in zip(columns.values(), row, strict=True):
            column.append(cell)
    at = pa.timestamp("us", tz="UTC")
    rows = pa.table({name: pa.array(cells, at if name.endswith("_at") else None) for name, cells in columns.items()})
    counted = counted_by_minute(rows, ("purchase",), are_clean=True).sort_by("hour")
    hours = counted["hour"].to_pylist()
    starts = [place for place in range(len(hours)) if place == 0 or hours[place] != hours[place - 1]]
    table = lake.table(MINUTE_EVENTS.name)
    base = table.snapshot()
    staged = [
        table.stage_arrow(counted.slice(begin, end - begin), uuid.uuid4().hex, {"hour": hours[begin]})
        for begin, end in pairwise([*starts, len(hours)])
    ]
    table.commit(base, base.progress, add=staged)
    return table.snapshot()
