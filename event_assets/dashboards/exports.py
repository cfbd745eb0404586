"""The way out of the pages: every figure as CSV and as PNG, for who may see its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import flask

from event_assets.dashboards.context import Context, View, current_context
from event_assets.dashboards.figures import Figure
from event_assets.dashboards.formats import csv_of
from event_assets.dashboards.pages import metrics
from event_assets.dashboards.selection import Selection

Kinds = Sequence[tuple[str, Figure]]
"""Figures of a page that no file describes, each with the kind of its chart."""


def add_exports(
    server: flask.Flask, views: Mapping[str, View], rooms: Mapping[str, Callable[[Context], Kinds]]
) -> None:
    """The paths `/csv/…` and `/png/…`, where a card's links lead. `rooms` are pages that no file describes."""

    @server.get("/<any(csv, png):format_>/<id_>/<int:row>/<int:column>/<int:number>")
    def export(format_: str, id_: str, row: int, column: int, number: int) -> flask.Response:
        context = current_context()
        view, page = views.get(id_), context.source.dashboard.page(id_)
        if view is None or not view.is_for(context):
            flask.abort(404)
        selection = Selection.of(flask.request.query_string.decode("utf-8", "replace"))
        try:
            if page is not None:
                kind = metrics.kind_of(page.rows[row][column], number)
                figure = metrics.figures(context, page, (row, column), selection)[number]
            else:
                kind, figure = rooms[id_](context)[number]
        except (KeyError, IndexError):
            flask.abort(404)
        name = f"{id_}-{row}-{column}-{number}.{format_}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        if format_ == "csv":
            return flask.Response(csv_of(figure), mimetype="text/csv", headers=headers)
        from event_assets.dashboards.pictures import picture_of  # brings matplotlib: not before somebody wants one

        return flask.Response(picture_of(kind, figure, context.formatter), mimetype="image/png", headers=headers)
