"""Brings tables up to date the ordinary way where they have not taken an erasure in: of tables by days only the days
that are behind, so that no history is set in motion that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from event_assets.contract.tables.events import CLEAN_EVENTS, ENRICHED_EVENTS, EVENT_LEDGER, QUARANTINED_EVENTS
from event_assets.pipeline.pending_days import pending
from event_assets.pipeline.registry import STEPS, refresh_all
from event_assets.pipeline.run import Run
from event_assets.pipeline.window import Window

_ALWAYS = {CLEAN_EVENTS.name, QUARANTINED_EVENTS.name, ENRICHED_EVENTS.name, EVENT_LEDGER.name}
"""Tables without which the ledger does not balance."""


def refresh_behind(run: Run, names: Collection[str]) -> None:
    """Refreshes these tables, all without any names, in the order of the data."""
    wanted = {*names, *_ALWAYS} if names else None
    for step in STEPS:
        if wanted is None or wanted & {table.name for table in step.tables}:
            window = Window.of_days(pending(run.lake, step.edges).days) if step.is_by_day else run.window
            refresh_all(replace(run, window=window), [step])
