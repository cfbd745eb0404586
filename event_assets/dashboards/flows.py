"""A Sankey diagram of paths, as an SVG picture: light, without a script, the same wherever it is opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

_WIDTH, _HEIGHT, _NODE, _GAP, _LABEL, _LAST_LABEL = 1080, 440, 10, 10, 22, 140
_MOST_NODES = 6
OTHER = "other"
"""What the smaller nodes of a step are together."""

Node = tuple[int, str]
Flows = Mapping[tuple[Node, Node], int]


class Box(NamedTuple):
    """Where a node stands, how large it is, and how many go through it."""

    x: float
    y: float
    width: float
    height: float
    size: int


class Ribbon(NamedTuple):
    """A way from one box to another: the upper corners of its ends, and how wide it is."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float


def flows_of(rows: Iterable[Sequence[Any]]) -> Flows:
    """How many go from node to node. `rows` are step, from, to, transitions; a node is a step and a name."""
    links: dict[tuple[Node, Node], int] = defaultdict(int)
    for step, one, other, count, *_ in rows:
        links[(step, one), (step + 1, other)] += count
    sizes = _sizes(links)
    kept: set[Node] = set()
    for step in {step for step, _ in sizes}:
        nodes = [node for node in sizes if node[0] == step]
        kept |= set(sorted(nodes, key=lambda node: (-sizes[node], node))[:_MOST_NODES])
    flows: dict[tuple[Node, Node], int] = defaultdict(int)
    for (one, other), count in links.items():
        first, second = (node if node in kept else (node[0], OTHER) for node in (one, other))
        flows[first, second] += count
    return flows


def sankey_picture(rows: Iterable[Sequence[Any]], text: str, number: Callable[[int], str] = str) -> str:
    """The diagram as the address of a picture. `text` is the colour of its words, `number` writes its numbers."""
    flows = flows_of(rows)
    boxes = boxes_of(flows)
    body = "".join([*map(_ribbon, ribbons_of(flows, boxes)), *_nodes(boxes, text, number)])
    height = max((box.y + box.height for box in boxes.values()), default=0) + 2 * _GAP
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'font-family="system-ui, sans-serif" font-size="12">{body}</svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"


def _sizes(flows: Flows) -> dict[Node, int]:
    """The larger of what goes into a node and what goes out."""
    into: dict[Node, int] = defaultdict(int)
    out: dict[Node, int] = defaultdict(int)
    for (one, other), count in flows.items():
        out[one] += count
        into[other] += count
    return {node: max(into[node], out[node]) for node in {*into, *out}}


def boxes_of(flows: Flows) -> dict[Node, Box]:
    """Where the nodes stand: a column a step, the largest on top."""
    sizes = _sizes(flows)
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in sorted(sizes, key=lambda node: (-sizes[node], node)):
        columns[node[0]].append(node)
    scale, across = _scale(sizes), (_WIDTH - _NODE - _LAST_LABEL) / max(len(columns) - 1, 1)
    boxes: dict[Node, Box] = {}
    for place, step in enumerate(sorted(columns)):
        y = float(_GAP)
        for node in columns[step]:
            boxes[node] = Box(place * across, y, _NODE, max(sizes[node] * scale, 1.0), sizes[node])
            y += max(boxes[node].height, _GAP) + _GAP
    return boxes


def _scale(sizes: Mapping[Node, int]) -> float:
    steps: dict[int, int] = defaultdict(int)
    for node, size in sizes.items():
        steps[node[0]] += size
    return _HEIGHT / max(steps.values(), default=1)


def ribbons_of(flows: Flows, boxes: Mapping[Node, Box]) -> Iterator[Ribbon]:
    """The ways between them, beside each other at either end."""
    scale = _scale({node: box.size for node, box in boxes.items()})
    left: dict[Node, float] = defaultdict(float)
    right: dict[Node, float] = defaultdict(float)
    for (one, other), count in sorted(flows.items(), key=lambda flow: (boxes[flow[0][0]].y, boxes[flow[0][1]].y)):
        start, end = boxes[one], boxes[other]
        yield Ribbon(start.x + start.width, start.y + left[one], end.x, end.y + right[other], count * scale)
        left[one] += count * scale
        right[other] += count * scale


def _ribbon(way: Ribbon) -> str:
    middle, half = (way.x1 + way.x2) / 2, way.width / 2
    y1, y2 = way.y1 + half, way.y2 + half
    return (
        f'<path d="M{way.x1:.1f},{y1:.1f}C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {way.x2:.1f},{y2:.1f}" '
        f'fill="none" stroke="#748ffc" stroke-opacity="0.4" stroke-width="{max(way.width, 0.5):.1f}"/>'
    )


def _nodes(boxes: Mapping[Node, Box], text: str, number: Callable[[int], str]) -> Iterator[str]:
    for node, box in boxes.items():
        name = node[1] if len(node[1]) <= _LABEL else f"{node[1][: _LABEL - 1]}…"
        yield (
            f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.0f}" height="{box.height:.1f}" fill="#4263eb"/>'
        )
        yield (
            f'<text x="{box.x + box.width + 4:.1f}" y="{box.y + min(box.height / 2 + 4, 14):.1f}" fill="{text}">'
            f"{escape(name)} {escape(number(box.size))}</text>"
        )
