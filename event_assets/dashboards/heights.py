"""How many pixels the card of a visual takes, so that a page does not move when it comes."""

from __future__ import annotations

from event_assets.dashboards.cards import CHART_HEIGHT
from event_assets.rules.dashboard import Visual

_HEAD_AND_FOOT = 98
"""Padding, title, and the row with the table and the files."""
_NUMBER, _NARROW_NUMBER, _NARROW = 60, 90, 2
_ROW = {"bars": 41, "table": 36}
_SHOWN, _FLOW = 10, 420


def of(visual: Visual, width: int) -> int:
    """The height of its card, so many columns wide, where there is as much to show as it may."""
    if visual.kind == "number":
        return _HEAD_AND_FOOT + (_NARROW_NUMBER if width <= _NARROW else _NUMBER)
    if visual.kind in ("line", "lifecycle", "active_users", "stickiness", "trends", "funnel_trend", "time_to_convert"):
        return _HEAD_AND_FOOT + CHART_HEIGHT
    if visual.kind == "paths":
        return _HEAD_AND_FOOT + _FLOW
    return _HEAD_AND_FOOT + _ROW.get(visual.kind, _ROW["table"]) * min(visual.most, _SHOWN)


def least(visual: Visual, width: int) -> int | None:
    """What its card takes at least, whatever is in it; None where that is known when it is there."""
    return of(visual, width) if visual.kind in ("number", "line") else None
