"""The pages of a dashboard file: rows of cards, each with its chart, table, CSV and PNG."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from event_assets.dashboards import analyses
from event_assets.dashboards.cards import HALF, WHOLE, card, grid, number_width
from event_assets.dashboards.charts import CHARTS
from event_assets.dashboards.context import Context
from event_assets.dashboards.figures import Figure, figure_of
from event_assets.dashboards.selection import Selection
from event_assets.rules.dashboard import Page, Visual

_OVER_METRICS = ("number", "line", "bars", "table")
_ASKING = ThreadPoolExecutor(4, thread_name_prefix="asking")
"""The questions of a page, several at once; few, so that a page does not take the whole database."""


def page_of(context: Context, page: Page, selection: Selection) -> Any:
    """The cards of a page."""
    places = [(row, column) for row, visuals in enumerate(page.rows) for column in range(len(visuals))]
    made = dict(zip(places, _ASKING.map(lambda at: figures(context, page, at, selection), places), strict=True))
    rows = []
    for row, visuals in enumerate(page.rows):
        cards = []
        for column, visual in enumerate(visuals):
            shown = made[row, column]
            width = _width(visuals)
            for number, figure in enumerate(shown):
                address = f"/{page.id}/{row}/{column}/{number}{selection.address}"
                cards.append(_card(context, visual, figure, number, width, address))
        rows.append(grid(cards))
    return rows


def figures(context: Context, page: Page, at: tuple[int, int], selection: Selection) -> list[Figure]:
    """The figures of one visual of a page."""
    visual = page.rows[at[0]][at[1]]
    if visual.kind in _OVER_METRICS:
        return [figure_of(context.source, visual, selection, page.numbers)]
    return analyses.figures_of(context.source, visual)


def kind_of(visual: Visual, number: int) -> str:
    """The kind of chart of a visual's figure: segments have two tables, then lines."""
    return visual.kind if visual.kind != "segments" else "lines" if number == 2 else "table"


def _card(context: Context, visual: Visual, figure: Figure, number: int, width: int, address: str) -> Any:
    kind = kind_of(visual, number)
    if visual.kind == "segments":
        width = WHOLE if kind == "lines" else HALF
    made = None if figure.is_empty else CHARTS[kind](figure, context.formatter)
    has_table = kind not in ("number", "table", "retention", "web_vitals")
    return card(figure, made, context.formatter, width=width, export=address, has_table=has_table)


def _width(visuals: Sequence[Visual]) -> int:
    if all(visual.kind == "number" for visual in visuals):
        return number_width(len(visuals))
    return WHOLE if len(visuals) == 1 else HALF
