"""Metrics by day or hour as a panel of series, and what was found in it as rows of metric_anomalies, there and back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.anomalies import METRIC_ANOMALIES
from event_assets.models.anomalies import Detection, Findings, detect
from event_assets.models.beginnings import beginning, runs
from event_assets.models.panel import Flags, Kind, Numbers, Panel, Places, SeriesKey
from event_assets.rules.anomalies import Anomalies, Feedback, Of, Period
from event_assets.transforms.metrics.metric_series import EVERYTHING

USUAL, UNUSUAL, KNOWN, TOO_SHORT = "usual", "unusual", "known event", "not enough history"
_KEY = ["metric", "dimension", "value"]
_SEASON: dict[Period, int] = {"day": 7, "hour": 168, "minute": 1}
"""A week: an hour of a Sunday is not like that of a Monday. Minutes have ways of their own (models/minutes.py)."""
_TRUE, _FALSE = 1.5, 0.5
_LEAST_WEIGHT, _MOST_WEIGHT = 1 / 16, 4.0


STEP: dict[Period, dt.timedelta] = {
    "day": dt.timedelta(days=1),
    "hour": dt.timedelta(hours=1),
    "minute": dt.timedelta(minutes=1),
}
_SHOWN: dict[Period, dt.timedelta] = {"day": dt.timedelta(days=400), "hour": dt.timedelta(days=7)}
"""So long back rows are kept in which nothing is unusual."""
_HOURLY = Detection(windows=(1, 3, 6, 24), history=336, remembered=720, recalibrate=24, accepted=72, rate_memory=168.0)


@dataclass(frozen=True)
class Steps:
    """A panel of metrics by day or hour, and when each of its steps begins."""

    panel: Panel
    period: Period
    begins: tuple[dt.datetime, ...]


def anomaly_rows(series: pa.Table, rules: Anomalies) -> pa.Table:
    """What is unusual in series of days and of hours, in the columns of `METRIC_ANOMALIES`: those of the last thirteen
    months and of the last week in which anything came, and what is unusual before."""
    parts = [METRIC_ANOMALIES.arrow_schema().empty_table()]
    hows: dict[Period, Detection] = {"day": Detection(history=rules.history_days), "hour": _HOURLY}
    for period, how in hows.items():
        steps = panel_of(series, rules, period)
        if steps is not None:
            weights = weights_of(steps, rules.feedback)
            rows = rows_of(steps, detect(steps.panel, replace(how, budget=rules.budget_of(period)), weights))
            parts.append(worth_keeping(rows, steps.begins[-1] - _SHOWN[period]))
    return pa.concat_tables(parts)


def worth_keeping(rows: pa.Table, since: dt.datetime) -> pa.Table:
    """The rows from then on of steps in which anything came, and those of every metric and step in which anything is
    unusual: where an incident lies is told by all series of its metric. One event that came years late makes years of
    steps, of which nothing is to be said."""
    begins = rows["period_start"]
    told = pc.binary_join_element_wise(begins.cast(pa.int64()).cast(pa.string()), rows["metric"], " ")
    unusual = pc.unique(told.filter(pc.equal(rows["state"], UNUSUAL)))
    came = pc.or_(pc.greater(rows["amount"], 0), pc.fill_null(pc.greater(rows["whole"], 0), False))
    lately = pc.greater_equal(begins, pa.scalar(since, begins.type))
    is_shown = pc.and_(lately, pc.is_in(begins, pc.unique(begins.filter(came))))
    return rows.filter(pc.or_(is_shown, pc.is_in(told, unusual)))


def panel_of(series: pa.Table, rules: Anomalies, period: Period = "day") -> Steps | None:
    """The series of days, or hours, that are watched, from the first on which something ran to the last but one. None
    without such.

    What came before the first tables ran, such as events that came late, is left out; where none has run for a season
    yet, all is there and nothing has begun.
    """
    frame = series.to_pandas()
    frame = frame[frame["period"] == period]
    first, last = frame["period_start"].min(), frame["period_start"].max()
    if frame.empty or first == last:
        return None
    begins = _from(first.to_pydatetime(), last.to_pydatetime(), period)[:-1]
    amounts, wholes = (_by_step(frame, name, begins) for name in ("amount", "whole"))
    is_rate = np.array([rules.metrics[metric].of is not None for metric, _, _ in amounts.index])
    sizes = pd.DataFrame(np.where(is_rate[:, None], wholes, amounts), index=amounts.index, columns=amounts.columns)
    keys = _watched(sizes, rules)
    amounts, wholes, sizes = amounts.loc[keys], wholes.loc[keys], sizes.loc[keys]
    kinds = [rules.metrics[metric].kind for metric, _, _ in keys]
    since = _since(sizes, rules, _SEASON[period])
    first_step = 0 if since.min() == len(begins) else int(since.min())
    named = [SeriesKey(*key) for key in keys]
    begins = begins[first_step:]
    amounts, wholes = amounts.iloc[:, first_step:], wholes.iloc[:, first_step:]
    known = known_steps(named, begins, rules)
    season = _SEASON[period]
    since = since - first_step
    return Steps(Panel(named, kinds, amounts.to_numpy(), wholes.to_numpy(), since, season, known), period, begins)


def _since(sizes: pd.DataFrame, rules: Anomalies, season: int) -> Places:
    """The first step of each series from which on it may be expected to say something: of everything, and of names of
    events, when their table began, of other values when they ran for the first time after it; after the last step where
    that was not yet."""
    never = sizes.shape[1]
    began = {table: never if at is None else at for table, at in _beginnings(sizes, rules, season).items()}
    of_tables = np.array([began[rules.metrics[metric].table] for metric, _, _ in sizes.index])
    is_late = np.array([dimension not in ("event", EVERYTHING[0]) for _, dimension, _ in sizes.index])
    ran = runs(sizes.to_numpy()) & (np.arange(never) >= of_tables[:, None])
    since: Places = np.where(is_late, np.where(ran.any(axis=1), ran.argmax(axis=1), never), of_tables)
    return since


def _beginnings(sizes: pd.DataFrame, rules: Anomalies, season: int) -> dict[Of, int | None]:
    """When each table began, by the largest of its metrics; amounts of money only where it has no other."""
    everything = sizes.xs(EVERYTHING, level=_KEY[1:])
    of_value = [rules.metrics[metric].kind == "value" for metric in everything.index]
    largest = sorted(zip(of_value, -np.abs(everything.to_numpy()).sum(axis=1), everything.index, strict=True))
    names = {rules.metrics[metric].table: metric for _, _, metric in reversed(largest)}
    return {of: beginning(runs(everything.loc[metric].to_numpy()), season) for of, metric in names.items()}


def _from(first: dt.datetime, last: dt.datetime, period: Period) -> tuple[dt.datetime, ...]:
    step = STEP[period]
    return tuple(first + number * step for number in range((last - first) // step + 1))


def _by_step(frame: pd.DataFrame, name: str, begins: Sequence[dt.datetime]) -> pd.DataFrame:
    wide = frame.pivot(index=_KEY, columns="period_start", values=name)
    return wide.reindex(columns=pd.DatetimeIndex(list(begins))).fillna(0.0).astype(float).sort_index()


def _watched(sizes: pd.DataFrame, rules: Anomalies) -> list[tuple[str, str, str]]:
    """The series of everything, and of each dimension the largest."""
    frame = pd.DataFrame({"total": sizes.sum(axis=1), "most": sizes.max(axis=1)}).reset_index()
    whole = frame["dimension"] == EVERYTHING[0]
    large = frame[~whole & (frame["most"] >= rules.least)].sort_values(["total", *_KEY], ascending=[False, *[True] * 3])
    largest = large.groupby(["metric", "dimension"], sort=False).head(rules.values)
    return sorted(pd.concat([frame[whole], largest])[_KEY].itertuples(index=False, name=None))


def known_steps(keys: Sequence[SeriesKey], begins: Sequence[dt.datetime], rules: Anomalies) -> Flags:
    """Which steps of which series lie in known events."""
    known = np.zeros((len(keys), len(begins)), dtype=bool)
    for event in rules.known_events:
        on = np.array([event.first <= at.date() <= event.last for at in begins])
        of = np.array([not event.metrics or key.metric in event.metrics for key in keys])
        known |= np.outer(of, on)
    return known


def weights_of(steps: Steps, feedback: Sequence[Feedback]) -> Numbers:
    """How much less proof is asked of each series at each step: half as much again after each incident of it that was
    real, half after each that was not, from after its beginning on."""
    weights = np.ones(steps.panel.amounts.shape)
    places = {key: place for place, key in enumerate(steps.panel.keys)}
    for each in feedback:
        place = places.get(SeriesKey(*each.series))
        if place is not None:
            after = np.array([at > each.begins for at in steps.begins])
            weights[place, after] *= _TRUE if each.was else _FALSE
    return np.clip(weights, _LEAST_WEIGHT, _MOST_WEIGHT)


def rows_of(steps: Steps, found: Findings) -> pa.Table:
    """What was found, in the columns of `METRIC_ANOMALIES`."""
    panel = steps.panel
    number, length = panel.amounts.shape
    is_rate = np.repeat(panel.of_kind("rate"), length)
    amounts, wholes = panel.amounts.ravel(), panel.wholes.ravel()
    shares = np.divide(amounts, wholes, out=np.full(len(amounts), np.nan), where=wholes > 0)
    states = np.where(
        found.is_alert, UNUSUAL, np.where(panel.known, KNOWN, np.where(found.is_judged, USUAL, TOO_SHORT))
    )
    columns = {
        "period": pa.array([steps.period] * (number * length)),
        "period_start": pa.array(list(steps.begins) * number, pa.timestamp("us", tz="UTC")),
        **{name: pa.array(np.repeat([key[place] for key in panel.keys], length)) for place, name in enumerate(_KEY)},
        "kind": pa.array(np.repeat(list(panel.kinds), length)),
        "amount": _numbers(amounts),
        "whole": _numbers(np.where(is_rate, wholes, np.nan)),
        "observed": _numbers(np.where(is_rate, shares, amounts)),
        **{name: _numbers(getattr(found, name).ravel()) for name in ("expected", "low", "high", "score")},
        "window_periods": pa.array(found.window.ravel(), pa.int32(), mask=~found.is_judged.ravel()),
        "probability": _numbers(found.probability.ravel()),
        "state": pa.array(states.ravel()),
    }
    schema = METRIC_ANOMALIES.arrow_schema()
    return pa.table([columns[name].cast(schema.field(name).type) for name in schema.names], schema=schema)


def _numbers(values: Numbers) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))


def found_in(rows: pa.Table, period: Period = "day") -> tuple[Steps, Findings] | None:
    """The panel of days, hours or minutes, and what was found in it, of rows of `METRIC_ANOMALIES`. None without such.
    Of steps that were not worth keeping nothing is told."""
    frame = rows.filter(pc.equal(rows["period"], period)).to_pandas()
    if frame.empty:
        return None
    first, last = frame["period_start"].min(), frame["period_start"].max()
    begins = _from(first.to_pydatetime(), last.to_pydatetime(), period)
    heads = frame.drop_duplicates(_KEY).sort_values(_KEY)
    keys = [SeriesKey(*key) for key in heads[_KEY].itertuples(index=False, name=None)]
    kinds: list[Kind] = heads["kind"].tolist()
    place = frame.groupby(_KEY, sort=True).ngroup().to_numpy()
    step = ((frame["period_start"] - first) // STEP[period]).to_numpy()

    def of(name: str) -> Numbers:
        values: Numbers = np.full((len(keys), len(begins)), np.nan)
        values[place, step] = frame[name].to_numpy(dtype=float)
        return values

    states = np.full((len(keys), len(begins)), TOO_SHORT, dtype=object)
    states[place, step] = frame["state"].to_numpy()
    since = np.zeros(len(keys), dtype=np.int64)
    amounts, wholes = np.nan_to_num(of("amount")), np.nan_to_num(of("whole"))
    panel = Panel(keys, kinds, amounts, wholes, since, _SEASON[period], states == KNOWN)
    window = np.nan_to_num(of("window_periods"), nan=1).astype(np.int64)
    is_judged = np.isin(states, [USUAL, UNUSUAL])
    findings = Findings(
        of("expected"),
        of("low"),
        of("high"),
        of("score"),
        window,
        of("probability"),
        states == UNUSUAL,
        is_judged,
    )
    return Steps(panel, period, begins), findings
