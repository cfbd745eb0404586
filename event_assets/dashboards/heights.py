"""How many pixels the card of a visual takes, so that a page does not move when it comes."""

from __future__ import annotations

from event_assets.dashboards.cards import CHART_HEIGHT
from event_assets.rules.dashboard import Visual

_HEAD_AND_FOOT = 98
"""Padding, title, and the row with the table and the files."""
_NUMBER, _NARROW_NUMBER, _NARROW = 60, 90, 2
_CHART = CHART_HEIGHT + 1
_NOTE = 25
_BAR, _TABLE_ROW = 41.5, 37.5
_SHOWN, _FLOW = 10, 420


def of(visual: Visual, width: int) -> int:
    """The height of its card, so many columns wide, where there is as much to show as it may."""
    return _HEAD_AND_FOOT + round(_inside(visual, width))


def _inside(visual: Visual, width: int) -> float:
    match visual.kind:
        case "number":
            return _NARROW_NUMBER if width <= _NARROW else _NUMBER
        case "line" | "trends" | "funnel_trend" | "time_to_convert":
            return _CHART
        case "lifecycle" | "active_users" | "stickiness":
            return _CHART + _NOTE
        case "paths":
            return _FLOW
        case "bars":
            return _BAR * min(visual.most, _SHOWN)
        case _:
            return _TABLE_ROW * (1 + min(visual.most, _SHOWN))


def least(visual: Visual, width: int) -> int | None:
    """What its card takes at least, whatever is in it; None where that is known when it is there."""
    return None if is_open(visual) else of(visual, width)


def is_open(visual: Visual) -> bool:
    """Whether its card is as high as what comes, which may be few rows, or a sentence."""
    return visual.kind not in ("number", "line")
