"""Metrics as the platform tells them, gathered as lines of the embedded metric format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from event_assets.telemetry.emission import line_of
from event_assets.telemetry.meter import Meter, Told


class Lines:
    """What was told, in lines, by a clock that stands until it is set."""

    def __init__(self, now: float = 1_000_000.0, installation: str = "shop") -> None:
        self.now = now
        self.installation = installation
        self.lines: list[dict[str, Any]] = []
        self.meter = Meter(self._emit, lambda: self.now)

    def _emit(self, at: float, told: Told, notes: Mapping[str, Mapping[str, float]]) -> None:
        self.lines.append(json.loads(line_of(at, told, notes, self.installation, "test")))
