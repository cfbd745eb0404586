"""`python -m event_assets.cli`: the `event-assets` command."""

from __future__ import annotations

from event_assets.cli import app

app()
