"""One simulated hour for all tests that only look."""

from __future__ import annotations

import datetime as dt

import pytest

from event_assets.simulator.generate import TimedEvent, generate

START = dt.datetime(2026, 11, 20, 14, 3, 11, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def hour() -> list[TimedEvent]:
    """Everything that 6,000 people send in an hour, faults among them."""
    return list(generate(7, 6_000, START, 1.0))
