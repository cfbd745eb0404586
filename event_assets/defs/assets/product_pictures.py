"""What an analysis found, as a picture: funnel bars, a retention heat map, lifecycle bars, lines of active people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from event_assets.contract.tables.product import (
    ACTIVE_USERS,
    FUNNEL_TRENDS,
    FUNNELS,
    LIFECYCLE,
    PATHS,
    RETENTION,
    STICKINESS,
    TIMES_TO_CONVERT,
    TRENDS,
    WEB_VITALS,
)
from event_assets.contract.tables.schema import Table
from event_assets.defs.assets.pictures import grouped_bars, heat_map, lines, rows_of_bars, stacked_bars
from event_assets.transforms.product.breakdowns import ALL
from event_assets.transforms.product.lifecycle import STATUSES
from event_assets.transforms.product.spans import NOW

Row = Mapping[str, Any]
_MOST = 20
_ON_THE_DAY = 10


def picture(table: Table, rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    """The picture of an analysis' rows, which are in no order; of what they are held against nothing."""
    ordered = sorted(rows, key=lambda row: [str(row[name]).zfill(12) for name in table.key])
    here = [row for row in ordered if row.get("span", NOW) == NOW]
    return _PICTURES[table.name](here)


def _trends(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    """The formulas, else the series, of everybody."""
    here = [row for row in rows if row["breakdown"] == ALL]
    here = [row for row in here if row["measure"] == "formula"] or here
    periods = sorted({row["period_start"] for row in here})
    found = {(row["series_name"], row["period_start"]): row["value"] or 0.0 for row in here}
    series = {
        name: [found.get((name, period), 0.0) for period in periods]
        for name in dict.fromkeys(row["series_name"] for row in here)
    }
    return lines([f"{period:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for period in periods], series, "trends")


def _funnel(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    steps = [row for row in rows if row["breakdown"] == ALL]
    return rows_of_bars([(row["step_name"], row["people"], _step(row)) for row in steps], "funnel")


def breakdown_picture(rows: Sequence[Row]) -> dg.MarkdownMetadataValue | None:
    """The conversion of a funnel's steps by the values of its breakdown; None of a funnel without one."""
    groups: dict[str, dict[str, float]] = {}
    for row in sorted(rows, key=lambda row: int(row["step"])):
        if row["breakdown"] != ALL and row["step"] > 1:
            groups.setdefault(row["breakdown"], {})[row["step_name"]] = 100 * (row["conversion"] or 0)
    return grouped_bars(groups, "% of the first step") if groups else None


def _step(row: Row) -> str:
    words = f"{row['people']:,} · {row['conversion'] or 0:.1%}"
    return words if row["median_seconds"] is None else f"{words} · median {duration(row['median_seconds'])}"


def _funnel_trend(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    series = {
        words: [float(row[name]) for row in rows] for name, words in (("people", "began"), ("converted", "to the end"))
    }
    return lines(
        [f"{row['period_start']:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for row in rows], series, "funnel trend"
    )


def _times(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    shown = [(f"from {duration(row['from_seconds'])}", row["people"], f"{row['people']:,}") for row in rows]
    return rows_of_bars(shown, "time to convert")


def _retention(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    cohorts: dict[Any, list[Row]] = {}
    for row in rows:
        if row["cohort_people"] and row["breakdown"] == ALL:
            cohorts.setdefault(row["cohort_start"], []).append(row)
    last = list(cohorts.items())[-_MOST:]
    widest = max((len(cells) for _, cells in last), default=0)
    shown = [
        (f"{start:%Y-%m-%d %H:%M} ({cells[0]['cohort_people']:,})".replace(" 00:00", ""), _by_period(cells))
        for start, cells in last
    ]
    return heat_map(shown, [str(k) for k in range(widest)], "retention")


def _by_period(cells: Sequence[Row]) -> list[float | None]:
    return [cell["share"] for cell in sorted(cells, key=lambda cell: int(cell["period"]))]


def _lifecycle(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    found = {(row["period_start"], row["status"]): float(row["people"]) for row in rows}
    periods = sorted({period for period, _ in found})
    series = {status: [found.get((period, status), 0.0) for period in periods] for status in STATUSES}
    return stacked_bars([f"{period:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for period in periods], series, "lifecycle")


def _active(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    names = {"dau": "a day", "wau": "7 days", "mau": "30 days"}
    series = {words: [float(row[name]) for row in rows] for name, words in names.items()}
    return lines([str(row["event_date"]) for row in rows], series, "active people")


def _sticking(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    shown = [(str(row["periods"]), row["people"], f"{row['people']:,} · {row['share']:.1%}") for row in rows]
    return rows_of_bars(shown, "stickiness")


def _paths(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    frequent = sorted(rows, key=lambda row: -row["transitions"])[:_MOST]
    shown = [(f"{row['from_node']} → {row['to_node']}", row["transitions"], _transition(row)) for row in frequent]
    return rows_of_bars(shown, "paths")


def _transition(row: Row) -> str:
    return f"{row['transitions']:,} at step {row['step']}"


def _vitals(rows: Sequence[Row]) -> dg.MarkdownMetadataValue:
    frequent = sorted(rows, key=lambda row: -row["views"])[:_MOST]
    shown = [(f"{row['page_path']}, {row['device_type']}", row["lcp_ms"] or 0, _vital(row)) for row in frequent]
    return rows_of_bars(shown, "web vitals")


def _vital(row: Row) -> str:
    measures = (("LCP", "lcp_ms", "{:,.0f} ms"), ("INP", "inp_ms", "{:,.0f} ms"), ("CLS", "cls", "{:.2f}"))
    return " · ".join(f"{title} {form.format(row[name])}" for title, name, form in measures if row[name] is not None)


def duration(seconds: float) -> str:
    """Seconds as people say them, in the largest unit that fits."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.{0 if seconds >= _ON_THE_DAY else 1}f} s"


_PICTURES: dict[str, Callable[[Sequence[Row]], dg.MarkdownMetadataValue]] = {
    TRENDS.name: _trends,
    FUNNELS.name: _funnel,
    FUNNEL_TRENDS.name: _funnel_trend,
    TIMES_TO_CONVERT.name: _times,
    RETENTION.name: _retention,
    LIFECYCLE.name: _lifecycle,
    ACTIVE_USERS.name: _active,
    STICKINESS.name: _sticking,
    PATHS.name: _paths,
    WEB_VITALS.name: _vitals,
}
