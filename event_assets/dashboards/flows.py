"""A Sankey diagram of paths, as an SVG picture: light, without a script, the same wherever it is opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

_WIDTH, _HEIGHT, _NODE, _GAP, _LABEL, _LAST_LABEL = 1080, 440, 10, 10, 22, 140
_MOST_NODES = 6
OTHER = "other"
"""What the smaller nodes of a step are together."""

Node = tuple[int, str]
Flows = Mapping[tuple[Node, Node], int]


class _Box(NamedTuple):
    x: float
    y: float
    height: float


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


def sankey_picture(rows: Iterable[Sequence[Any]], text: str) -> str:
    """The diagram as the address of a picture. `text` is the colour of its words."""
    flows = flows_of(rows)
    sizes = _sizes(flows)
    boxes, scale = _boxes(sizes)
    body = "".join([*_ribbons(flows, boxes, scale), *_nodes(sizes, boxes, text)])
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


def _boxes(sizes: Mapping[Node, int]) -> tuple[dict[Node, _Box], float]:
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in sorted(sizes, key=lambda node: (-sizes[node], node)):
        columns[node[0]].append(node)
    most = max((sum(sizes[node] for node in nodes) for nodes in columns.values()), default=1)
    scale, across = _HEIGHT / most, (_WIDTH - _NODE - _LAST_LABEL) / max(len(columns) - 1, 1)
    boxes: dict[Node, _Box] = {}
    for place, step in enumerate(sorted(columns)):
        y = float(_GAP)
        for node in columns[step]:
            boxes[node] = _Box(place * across, y, max(sizes[node] * scale, 1.0))
            y += max(boxes[node].height, _GAP) + _GAP
    return boxes, scale


def _ribbons(flows: Flows, boxes: Mapping[Node, _Box], scale: float) -> Iterator[str]:
    left: dict[Node, float] = defaultdict(float)
    right: dict[Node, float] = defaultdict(float)
    for (one, other), count in sorted(flows.items(), key=lambda flow: (boxes[flow[0][0]].y, boxes[flow[0][1]].y)):
        width = count * scale
        x1, x2 = boxes[one].x + _NODE, boxes[other].x
        y1, y2 = boxes[one].y + left[one] + width / 2, boxes[other].y + right[other] + width / 2
        left[one] += width
        right[other] += width
        middle = (x1 + x2) / 2
        yield (
            f'<path d="M{x1:.1f},{y1:.1f}C{middle:.1f},{y1:.1f} {middle:.1f},{y2:.1f} {x2:.1f},{y2:.1f}" fill="none" '
            f'stroke="#748ffc" stroke-opacity="0.4" stroke-width="{max(width, 0.5):.1f}"/>'
        )


def _nodes(sizes: Mapping[Node, int], boxes: Mapping[Node, _Box], text: str) -> Iterator[str]:
    for node, box in boxes.items():
        name = node[1] if len(node[1]) <= _LABEL else f"{node[1][: _LABEL - 1]}…"
        yield f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{_NODE}" height="{box.height:.1f}" fill="#4263eb"/>'
        yield (
            f'<text x="{box.x + _NODE + 4:.1f}" y="{box.y + min(box.height / 2 + 4, 14):.1f}" fill="{text}">'
            f"{escape(name)} {sizes[node]:,}</text>"
        )
