"""What happens in a visit: paths through sessions, and how fast pages are. What their rows must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from statistics import mean

from event_assets.rules.analysis import Paths, WebVitals
from event_assets.settings import Settings
from event_assets.verification.history import Event
from event_assets.verification.matching import NONE
from event_assets.verification.report import Key, Values

PATH_COLUMNS = ("step", "from_node", "to_node", "transitions", "mean_seconds")
VITAL_COLUMNS = ("page_path", "device_type", "views", "lcp_ms", "inp_ms", "fid_ms", "cls")
_START, _MIDDLE, _END = "(start)", "(...)", "(end)"
_MINUTE = 60_000_000
_CLIENT_LONGEST = 3 * 24 * 60 * _MINUTE
_QUARTILE = 0.75

_Node = tuple[str, int]
"""Name of the node and when it was there, in microseconds."""


def path_rows(paths: Paths, events: Sequence[Event], settings: Settings) -> dict[Key, Values]:
    """The rows of paths by (step, from, to)."""
    took: dict[Key, list[float | None]] = defaultdict(list)
    for session in _sessions(events, settings):
        members = [event for event in session if not paths.events or event.event in paths.events]
        for edge, seconds in _edges(paths, _nodes(paths, members)):
            took[edge].append(seconds)
    rows: dict[Key, Values] = {}
    steps = sorted(took, key=lambda edge: (edge[0], -len(took[edge]), edge[1:]))
    for _, edges in groupby(steps, lambda edge: edge[0]):
        for edge in list(edges)[: paths.most]:
            known = [seconds for seconds in took[edge] if seconds is not None]
            rows[edge] = (len(took[edge]), mean(known) if known else None)
    return rows


def _sessions(events: Sequence[Event], settings: Settings) -> Iterator[list[Event]]:
    """Events by the client's session up to its cut; the others by gaps."""
    given: dict[str, list[Event]] = defaultdict(list)
    free: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        key = event.anonymous_id or event.user_id
        if event.session_id:
            given[event.session_id].append(event)
        elif key:
            free[key].append(event)
    for members in given.values():
        end = min(members, key=lambda event: event.received).at + _CLIENT_LONGEST
        yield [event for event in members if event.at <= end]
    for members in free.values():
        yield from _by_gaps(members, settings)


def _by_gaps(events: Iterable[Event], settings: Settings) -> Iterator[list[Event]]:
    gap, longest = settings.session_timeout_minutes * _MINUTE, settings.session_max_hours * 60 * _MINUTE
    session: list[Event] = []
    for event in events:
        if session and (event.at - session[-1].at > gap or event.at - session[0].at > longest):
            yield session
            session = []
        session.append(event)
    yield session


def _nodes(paths: Paths, events: Iterable[Event]) -> list[_Node]:
    """The way of a session from its start to its end; where it has both and is too long, half at each end."""
    nodes = [(_named(paths, name), event.at) for event in events if (name := event.text(paths.by)) is not None]
    if paths.collapse_repeats:
        nodes = [[*same][-1] for _, same in groupby(nodes, lambda node: node[0])]
    if paths.start is not None:
        nodes = nodes[_place(nodes, _named(paths, paths.start)) :]
    if paths.end is not None:
        end = _place(nodes, _named(paths, paths.end))
        nodes = nodes[: end + 1] if end < len(nodes) else []
    if paths.start is None or paths.end is None:
        return nodes if paths.end is None else nodes[-paths.length :]
    half = paths.length // 2
    if len(nodes) <= paths.length:
        return nodes[-(half * 2 + 1) :]
    return [*nodes[:half], (_MIDDLE, nodes[half][1]), *(nodes[-half:] if half else [])]


def _place(nodes: list[_Node], name: str) -> int:
    """Of the first node of this name; behind all where there is none."""
    return next((place for place, node in enumerate(nodes) if node[0] == name), len(nodes))


def _named(paths: Paths, name: str) -> str:
    """The slash at the end of a page's path does not count."""
    return name.removesuffix("/") or name if paths.by == "page_path" else name


def _edges(paths: Paths, nodes: list[_Node]) -> Iterator[tuple[Key, float | None]]:
    """A path that goes on after its last node has no end."""
    if not nodes:
        return
    length = paths.length if paths.start is None or paths.end is None else paths.length // 2 * 2 + 1
    yield (0, _START, nodes[0][0]), None
    for step, (one, other) in enumerate(pairwise(nodes[:length]), start=1):
        yield (step, one[0], other[0]), (other[1] - one[1]) / 1e6
    if len(nodes) <= length:
        yield (len(nodes), nodes[-1][0], _END), None


def vital_rows(vitals: WebVitals, events: Sequence[Event]) -> dict[Key, Values]:
    """The rows of web vitals by (page, device type): of each view the largest value that it reported."""
    views: dict[Key, dict[str, list[float | None]]] = defaultdict(dict)
    for event in events:
        if event.event in ("page_view", "web_vitals"):
            page, device = event.text("page_path"), event.text("device_type")
            of_page = views[NONE if page is None else page, NONE if device is None else device]
            known = of_page.setdefault(event.page_view_id or event.event_id, [None] * len(VITAL_COLUMNS[3:]))
            for place, name in enumerate(VITAL_COLUMNS[3:]):
                known[place] = max(
                    (value for value in (known[place], _measure(event, name)) if value is not None), default=None
                )
    rows: dict[Key, Values] = {}
    for key, of_page in views.items():
        measured = [values for values in of_page.values() if any(value is not None for value in values)]
        if len(measured) >= vitals.least_views and measured:
            rows[key] = (len(measured), *(_upper_quartile(values) for values in zip(*measured, strict=True)))
    return rows


def _measure(event: Event, name: str) -> float | None:
    value = event.fields.get(name)
    return value if value is not None and 0 <= value < float("inf") else None


def _upper_quartile(values: Iterable[float | None]) -> float | None:
    """Between two values in proportion."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    place = _QUARTILE * (len(known) - 1)
    below = int(place)
    above = min(below + 1, len(known) - 1)
    return known[below] + (known[above] - known[below]) * (place - below)
