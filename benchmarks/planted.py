"""Made-up metrics with faults that are planted: days of a week, growth, days that depend on each other, and scatter
beyond that of chance alone."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from event_assets.models.panel import ALL, Kind, Panel, SeriesKey

FAULTS = ("spike", "outage", "broken_rate", "slow_leak")
Fault = Literal["spike", "outage", "broken_rate", "slow_leak"]
_SPREAD, _MEMORY = 0.12, 0.5


class Planted(NamedTuple):
    """A fault: which series, from which step on until before which."""

    kind: Fault
    series: int
    begins: int
    ends: int


def planted(seed: int, series: int = 30, steps: int = 180, faults: int = 0) -> tuple[Panel, tuple[Planted, ...]]:
    """Series of days, every third a rate, with so many faults in different series on days from the sixtieth on.

    A spike is two days of twice as many, an outage two days of four in ten, a broken rate ten days of half of it, a
    slow leak a loss that grows to half within twenty days, and stays so for ten.
    """
    rng = np.random.default_rng(seed)
    kinds: list[Kind] = ["rate" if number % 3 == 2 else "count" for number in range(series)]
    volume = np.exp(rng.uniform(np.log(30), np.log(2_000), series))
    growth = np.exp(np.outer(rng.uniform(-0.001, 0.004, series), np.arange(steps)))
    week = 1 + np.outer(rng.uniform(0, 0.3, series), np.cos(2 * np.pi * np.arange(steps) / 7))
    expected = volume[:, None] * growth * week * np.exp(_dependent(rng, series, steps))
    share = rng.uniform(0.05, 0.6, series)[:, None] * np.exp(0.4 * _dependent(rng, series, steps))
    told = _faults(rng, kinds, steps, faults)
    for fault in told:
        on = slice(fault.begins, fault.ends)
        if fault.kind == "broken_rate":
            share[fault.series, on] *= 0.5
        else:
            expected[fault.series, on] *= _effect(fault)
    counts = rng.poisson(expected).astype(float)
    is_rate = np.array([kind == "rate" for kind in kinds])[:, None]
    hits = rng.binomial(counts.astype(int), np.clip(share, 0, 1)).astype(float)
    keys = [SeriesKey(f"metric_{number}", ALL, "(all)") for number in range(series)]
    begins = np.zeros(series, dtype=np.int64)
    known = np.zeros(counts.shape, dtype=bool)
    amounts = np.where(is_rate, hits, counts)
    return Panel(keys, kinds, amounts, np.where(is_rate, counts, 0.0), begins, 7, known), told


def _dependent(rng: np.random.Generator, series: int, steps: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Scatter in which a day goes halfway with the one before."""
    noise = rng.normal(0, _SPREAD, (series, steps))
    for step in range(1, steps):
        noise[:, step] = _MEMORY * noise[:, step - 1] + np.sqrt(1 - _MEMORY**2) * noise[:, step]
    return noise


def _faults(rng: np.random.Generator, kinds: list[Kind], steps: int, number: int) -> tuple[Planted, ...]:
    rates = [place for place, kind in enumerate(kinds) if kind == "rate"]
    counts = [place for place, kind in enumerate(kinds) if kind == "count"]
    rng.shuffle(rates), rng.shuffle(counts)
    made = []
    for place in range(number):
        kind = FAULTS[place % len(FAULTS)]
        series = (rates if kind == "broken_rate" else counts).pop()
        days = {"spike": 2, "outage": 2, "broken_rate": 10, "slow_leak": 30}[kind]
        begins = int(rng.integers(60, steps - days - 5))
        made.append(Planted(kind, series, begins, begins + days))  # type: ignore[arg-type]
    return tuple(made)


def _effect(fault: Planted) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    days = fault.ends - fault.begins
    return {
        "spike": np.full(days, 2.0),
        "outage": np.full(days, 0.4),
        "slow_leak": np.maximum(np.linspace(1.0, 0.25, days), 0.5),
    }[fault.kind]
