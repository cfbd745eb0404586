"""The meter and the traces of this process, as logging has its handlers: what is told before they are in force is told
to nobody."""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterator
from contextlib import contextmanager

from event_assets.settings import Settings
from event_assets.telemetry.emission import open_meter
from event_assets.telemetry.meter import Meter
from event_assets.telemetry.traces import Way, open_traces

_in_force = Meter(lambda at, told, notes: None, time.time)
_traces: Way | None = None
_opened: dict[tuple[object, ...], tuple[Meter, Way | None]] = {}


def meter() -> Meter:
    """The meter in force."""
    return _in_force


def traces() -> Way | None:
    """The traces in force; None where there are none."""
    return _traces


def tell_to(settings: Settings, service: str) -> None:
    """From now on what this process tells goes where the settings say; what is left, when it ends. Said again it
    changes nothing. Raises `SettingsError` where traces need an extra that is not installed."""
    global _in_force, _traces
    key = (
        settings.metrics_to,
        settings.metrics_folder,
        settings.installation,
        settings.otlp_endpoint,
        settings.trace_share,
        service,
    )
    if key not in _opened:
        meter = open_meter(settings, service)
        _opened[key] = meter, open_traces(settings, service)
        atexit.register(meter.flush)  # traces do so by themselves
    _in_force, _traces = _opened[key]


@contextmanager
def tracing(by: Way | None) -> Iterator[None]:
    """Traces by these for as long as the block lasts."""
    global _traces
    before, _traces = _traces, by
    try:
        yield
    finally:
        _traces = before


@contextmanager
def telling(to: Meter) -> Iterator[Meter]:
    """Tells to this meter for as long as the block lasts."""
    global _in_force
    before, _in_force = _in_force, to
    try:
        yield to
    finally:
        _in_force = before
