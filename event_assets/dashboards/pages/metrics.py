"""The pages of a dashboard file: rows of cards, each with its chart, table, CSV and PNG.

A page comes as a frame of places, which asks nothing. What comes there is sent place by place, in the order in which
the warehouse answers, so that a card is there when its own question is answered, and one that fails does so alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import groupby
from typing import Any

import flask

from event_assets.dashboards import analyses, heights
from event_assets.dashboards.cards import HALF, WHOLE, card_node, failed, number_width, waiting
from event_assets.dashboards.charts import CHARTS
from event_assets.dashboards.context import Context, current_context
from event_assets.dashboards.faults import sentence_of
from event_assets.dashboards.figures import Figure, figure_of, title_of
from event_assets.dashboards.markup import Node, Places, text_of
from event_assets.dashboards.selection import Selection
from event_assets.rules.dashboard import Dashboard, Page, Visual

_OVER_METRICS = ("number", "line", "bars", "table")
_ASKING = ThreadPoolExecutor(16, thread_name_prefix="asking")
"""Who asks for places, several at once; how much the warehouse is asked at once is the database's to say."""
_PATH = "/places"
LINES = "application/x-ndjson"


def add_places(server: flask.Flask) -> None:
    """The path from which a page's places are filled: a line of JSON each, its name and its cards, as they are made."""

    @server.get(f"{_PATH}/<id_>")
    def places(id_: str) -> flask.Response:
        context = current_context()
        page = context.source.dashboard.page(id_)
        if page is None:
            flask.abort(404)
        selection = Selection.of(flask.request.query_string.decode("utf-8", "replace"))
        lines, headers = _filled(context, page, selection), {"Cache-Control": "no-store"}
        if flask.request.accept_encodings.quality("gzip") > 0:
            lines, headers["Content-Encoding"] = _packed(lines), "gzip"
        return flask.Response(lines, mimetype=LINES, headers=headers)


def _packed(lines: Iterator[bytes]) -> Iterator[bytes]:
    """In gzip, each line so that it can be read when it is there."""
    packer = zlib.compressobj(wbits=31)
    for line in lines:
        yield packer.compress(line) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()


def _filled(context: Context, page: Page, selection: Selection) -> Iterator[bytes]:
    """Who leaves takes back what is not begun."""
    asked = {
        _ASKING.submit(cards_of, context, page, at, selection): name
        for name, at in _places(context.source.dashboard, page)
    }
    try:
        for each in as_completed(asked):
            yield text_of([asked[each], each.result()]).encode() + b"\n"
    finally:
        for each in asked:
            each.cancel()


def frame_of(context: Context, page: Page) -> Any:
    """The page before anything is known: a place for what is asked together, as large as what comes there."""
    dashboard = context.source.dashboard
    rows = [
        [
            (
                f"{row}/{columns[0]}",
                [_waiting(dashboard, visuals, visuals[column]) for column in columns],
                any(heights.is_open(visuals[column]) for column in columns),
            )
            for columns in _together(dashboard, visuals)
        ]
        for row, visuals in enumerate(page.rows)
    ]
    return Places({"page": page.id}, f"{_PATH}/{page.id}", rows)


def _places(dashboard: Dashboard, page: Page) -> Iterator[tuple[str, tuple[int, int]]]:
    """The places of a page by name, each with the row and the column where it begins."""
    for row, visuals in enumerate(page.rows):
        for columns in _together(dashboard, visuals):
            yield f"{row}/{columns[0]}", (row, columns[0])


def cards_of(context: Context, page: Page, at: tuple[int, int], selection: Selection) -> list[Node]:
    """The cards of the place that begins with the visual in this row and column. One that cannot be made says why."""
    row, first = at
    visuals = page.rows[row]
    columns = next(columns for columns in _together(context.source.dashboard, visuals) if first in columns)
    cards: list[Node] = []
    for column in columns:
        visual, width = visuals[column], _width(visuals)
        try:
            for number, figure in enumerate(figures(context, page, (row, column), selection)):
                address = f"/{page.id}/{row}/{column}/{number}{selection.address}"
                cards.append(_card(context, visual, figure, number, width, address))
        except Exception as error:  # whatever it is, the others of the page are shown
            cards.append(failed(_title(context.source.dashboard, visual), sentence_of(error), width))
    return cards


def figures(context: Context, page: Page, at: tuple[int, int], selection: Selection) -> list[Figure]:
    """The figures of one visual of a page."""
    visual = page.rows[at[0]][at[1]]
    if visual.kind in _OVER_METRICS:
        return [figure_of(context.source, visual, selection, page)]
    return analyses.figures_of(context.source, visual)


def kind_of(visual: Visual, number: int) -> str:
    """The kind of chart of a visual's figure: segments have two tables, then lines."""
    return visual.kind if visual.kind != "segments" else "lines" if number == 2 else "table"


def _together(dashboard: Dashboard, visuals: Sequence[Visual]) -> Iterator[list[int]]:
    """The columns of a row by what is asked together: numbers over one table, beside each other, are one question."""

    def asked(column: int) -> tuple[str, str | int]:
        visual = visuals[column]
        return ("number", dashboard.metrics[visual.named[0]].table) if visual.kind == "number" else ("", column)

    for _, columns in groupby(range(len(visuals)), key=asked):
        yield list(columns)


def _waiting(dashboard: Dashboard, visuals: Sequence[Visual], visual: Visual) -> Node:
    width = _width(visuals)
    return waiting(_title(dashboard, visual), width, heights.of(visual, width))


def _title(dashboard: Dashboard, visual: Visual) -> str:
    return title_of(dashboard, visual) if visual.kind in _OVER_METRICS else analyses.title_of(visual)


def _card(context: Context, visual: Visual, figure: Figure, number: int, width: int, address: str) -> Node:
    kind = kind_of(visual, number)
    if visual.kind == "segments":
        width = WHOLE if kind == "lines" else HALF
    made = None if figure.is_empty else CHARTS[kind](figure, context.formatter)
    has_table = kind not in ("number", "table", "retention", "web_vitals")
    least = heights.least(visual, width)
    return card_node(figure, made, context.formatter, width=width, export=address, has_table=has_table, height=least)


def _width(visuals: Sequence[Visual]) -> int:
    if all(visual.kind == "number" for visual in visuals):
        return number_width(len(visuals))
    return WHOLE if len(visuals) == 1 else HALF
