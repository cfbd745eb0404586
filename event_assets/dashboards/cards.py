"""Cards: a figure with its title, what it means, its notes, the table behind it, CSV and PNG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from event_assets.dashboards.figures import Figure
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.markup import Markup, Node, drawn, element

_NUMBERS = frozenset({"number", "decimal", "percent", "money", "duration", "milliseconds", "shift", "times"})
_MOST_ROWS = 200
_COLUMNS = 12
CHART_HEIGHT = 260
"""Pixels."""
HALF, WHOLE = 6, 12
"""Columns of a grid, out of twelve, that a card has on a desk."""


def labelled(words: str) -> dict[str, Any]:
    """What a screen reader says of an element."""
    return {"aria-label": words}


def number_width(beside: int) -> int:
    """The columns of a card with one of so many numbers beside each other."""
    return max(2, _COLUMNS // beside)


def grid(cards: Sequence[Any]) -> Any:
    """Cards beside and below each other."""
    return html.Div(cards, className="grid")


def card_node(
    figure: Figure,
    chart: Node | Component | None,
    formatter: Formatter,
    *,
    width: int = WHOLE,
    export: str = "",
    has_table: bool = True,
    waits: bool = True,
    height: int | None = None,
) -> Node:
    """One card of a page's grid, as elements. `export` is the path of its figure below `/csv` and `/png`; `has_table`
    offers the table behind the chart; a chart `waits` until it is in view; `height` is how many pixels it takes at
    least."""
    head = _head(figure)
    foot: list[Node] = [element("p", note, class_="note") for note in figure.notes]
    if not figure.is_empty and (has_table or export):
        foot.append(_foot(figure, export, formatter, has_table))
    shown = _empty(figure.empty) if figure.is_empty or chart is None else chart
    if isinstance(shown, Component):
        place = {"minHeight": f"{CHART_HEIGHT}px"}
        shown = drawn(shown, CHART_HEIGHT) if waits else element("div", drawn(shown), style=place)
    style = {"--columns": f"span {width}"} | ({"minHeight": f"{height}px"} if height else {})
    return element("section", head, shown, *foot, class_=f"card of-{width}", style=style)


def card(figure: Figure, chart: Node | Component | None, formatter: Formatter, **how: Any) -> Any:
    """The same as one component."""
    return Markup(card_node(figure, chart, formatter, **how))


def _head(figure: Figure) -> Node:
    title = element("h2", figure.title)
    if not figure.description:
        return element("header", title)
    told = element("span", figure.description, role="tooltip")
    means = f"What {figure.title} means: {figure.description}"
    return element("header", title, element("button", "?", told, type="button", class_="about", aria_label=means))


def _foot(figure: Figure, export: str, formatter: Formatter, has_table: bool) -> Node:
    links = [_link(figure.title, name, export) for name in (("CSV", "PNG") if export else ())]
    shown = [element("details", element("summary", "Table"), table(figure, formatter))] if has_table else []
    return element("div", *shown, element("span", *links, class_="exports"), class_="foot")


def _link(title: str, name: str, export: str) -> Node:
    href = f"/{name.lower()}{export}"
    return element("a", name, href=href, download="", class_="export", aria_label=f"{title} as {name}")


def waiting(title: str, width: int, height: int) -> Node:
    """What stands in the place of a card until it is there. `height` is how many pixels that one takes."""
    shape = {"--columns": f"span {width}", "minHeight": f"{height}px"}
    head = element("header", element("h2", title))
    return element("section", head, class_=f"card of-{width} waiting", style=shape, aria_busy="true")


def failed(title: str, words: str, width: int) -> Node:
    """A card whose figure could not be made: why, and the way out."""
    told = element("p", words, class_="empty", role="alert")
    head, style = element("header", element("h2", title)), {"--columns": f"span {width}"}
    return element("section", head, told, class_=f"card of-{width} failed", style=style)


def empty(words: str) -> Any:
    """What stands in the place of what has nothing to show: why, and the next step."""
    return Markup(_empty(words))


def _empty(words: str) -> Node:
    return element("p", words or "There is nothing to show yet.", class_="empty")


def table(figure: Figure, formatter: Formatter, most: int = _MOST_ROWS) -> Node:
    """The figure's rows as a table that scrolls sideways where it is wide."""
    looks = ["number" if field.format in _NUMBERS else None for field in figure.fields]
    formats = [field.format for field in figure.fields]
    head = [element("th", field.title, class_=look) for look, field in zip(looks, figure.fields, strict=True)]
    columns = [
        [
            element("td", told, class_=look)
            for told in formatter.column([row[place] for row in figure.rows[:most]], format_)
        ]
        for place, (format_, look) in enumerate(zip(formats, looks, strict=True))
    ]
    rows = zip(*columns, strict=True)
    more = len(figure.rows) - most
    note = f"{formatter.number(more)} more rows are in the CSV." if more > 0 else ""
    return table_of(f"{figure.title}, table", head, rows, note)


def table_of(label: str, head: Iterable[Node], rows: Iterable[Iterable[Node]], note: str = "") -> Node:
    """A table of these cells, with a sentence below it."""
    body = element("tbody", *(element("tr", *row) for row in rows))
    parts = [element("table", element("thead", element("tr", *head)), body)]
    parts += [element("p", note, class_="note")] if note else []
    return element("div", *parts, class_="scroll", tabindex="0", role="region", aria_label=label)
