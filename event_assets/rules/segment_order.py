"""In what order segments are made: each after those that it is made of. What a segment is, is in segment.py."""

from __future__ import annotations

from collections.abc import Mapping

from event_assets.rules.rule_files import RuleError
from event_assets.rules.segment import Segment


def in_order(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments, each after those that it is made of. Raises `RuleError` where that cannot be."""
    made, unusable = ordered({segment.name: segment for segment in segments})
    for name, reason in unusable.items():
        raise RuleError(f"segment {name}: {reason}")
    return made


def ordered(segments: Mapping[str, Segment]) -> tuple[tuple[Segment, ...], dict[str, str]]:
    """The segments in an order in which each can be made, and for those that cannot be the reason."""
    made: dict[str, Segment] = {}
    waiting = dict(sorted(segments.items()))
    while ready := [name for name, segment in waiting.items() if made.keys() >= {*segment.segments_named()}]:
        made |= {name: waiting.pop(name) for name in ready}
    return tuple(made.values()), {name: _hindrance(name, waiting, segments) for name in waiting}


def _hindrance(name: str, waiting: Mapping[str, Segment], segments: Mapping[str, Segment]) -> str:
    """Why a segment cannot be made: it is part of a circle, or what it names is not there or cannot be made."""
    way = [name]
    seen = {name: 0}
    while True:
        others = waiting[way[-1]].segments_named()
        missing = [other for other in others if other not in segments]
        if missing and len(way) == 1:
            known = ", ".join(sorted(segments.keys() - {name})) or "none"
            return (
                f"there is no segment {missing[0]!r}, or its file cannot be used; mend the name or that file. "
                f"There are: {known}"
            )
        if missing:
            return f"the segment {way[1]!r} that it is made of cannot be used; mend that one"
        step = next(other for other in others if other in waiting)
        if step in seen:
            circle = [*way[seen[step] :], step]
            if name in circle:
                return f"it is made of itself: {' → '.join(circle)}; take one of these conditions out"
            return f"the segment {way[1]!r} that it is made of cannot be used; mend that one"
        seen[step] = len(way)
        way.append(step)
