"""Explore: an analysis that somebody writes here, made over the lake as it is and drawn."""

from __future__ import annotations

import threading
from typing import Any

import dash
import dash_mantine_components as dmc
from dash import Input, Output, State, dcc, no_update

from event_assets.dashboards.access.logged import logged
from event_assets.dashboards.analyses import figure_of_rows
from event_assets.dashboards.cards import card
from event_assets.dashboards.charts import CHARTS
from event_assets.dashboards.context import Context, View, current_context
from event_assets.dashboards.figures import Figure
from event_assets.dashboards.formats import csv_of
from event_assets.rules.rule_files import RuleError

_LONGEST = 20_000
_EXAMPLE = """kind: trends
name: views
series:
  - {event: page_view, name: Views}
  - {event: page_view, measure: people, name: People}
formulas: [{formula: A / B, name: Views a person}]
breakdown: device_type
days: 28"""
_TABLES = ("retention", "web_vitals")
_ASKING = threading.Lock()
"""One analysis at a time: the engine has the whole machine."""


def view() -> View:
    """The page."""
    about = "Write an analysis, as in its YAML file, and see what it finds. No asset is made, and nothing is kept."
    return View("explore", "Explore", about, (), lambda context, _: _content(), _is_for)


def _is_for(context: Context) -> bool:
    """Who types SQL and sees all there is: the lake knows neither hidden columns nor rows."""
    return context.role.types_sql and context.role.warehouse == "everything"


def _content() -> Any:
    return [
        dmc.Textarea(
            id="explore-text",
            label="An analysis (YAML)",
            value=_EXAMPLE,
            autosize=True,
            minRows=8,
            maxRows=30,
            styles={"input": {"fontFamily": "ui-monospace, monospace"}},
        ),
        dmc.Group(
            [
                dmc.Button("Run", id="explore-run"),
                dmc.Button("Download CSV", id="explore-csv", variant="default"),
            ],
            mt="md",
            mb="md",
        ),
        dcc.Loading(dmc.Box(id="explore-answer")),
        dcc.Download(id="explore-file"),
    ]


def add_callbacks(app: dash.Dash) -> None:
    """What happens when an analysis is run. Whoever may not see the page runs nothing."""

    @app.callback(
        Output("explore-answer", "children"),
        Input("explore-run", "n_clicks"),
        State("explore-text", "value"),
        prevent_initial_call=True,
    )
    def run(clicks: int | None, text: str | None) -> Any:
        context = current_context()
        found = figure_of(context, text)
        if isinstance(found, str):
            return _refusal(found)
        kind, figure = found
        made = None if figure.is_empty else CHARTS[kind](figure, context.formatter)
        return card(figure, made, context.formatter, has_table=kind not in _TABLES, waits=False)

    @app.callback(
        Output("explore-file", "data"),
        Output("explore-answer", "children", allow_duplicate=True),
        Input("explore-csv", "n_clicks"),
        State("explore-text", "value"),
        prevent_initial_call=True,
    )
    def download(clicks: int | None, text: str | None) -> Any:
        found = figure_of(current_context(), text)
        if isinstance(found, str):
            return no_update, _refusal(found)
        return {"content": csv_of(found[1]), "filename": "analysis.csv", "type": "text/csv"}, no_update


def _refusal(why: str) -> Any:
    return dmc.Alert(why, title="It cannot be made", color="orange", style={"whiteSpace": "pre-wrap"})


def figure_of(context: Context, text: str | None) -> tuple[str, Figure] | str:
    """The kind and the figure of a written analysis, or why there is none."""
    from event_assets.defs.resources.lake import LakeResource  # brings the engine: not before somebody asks
    from event_assets.defs.resources.rules import RulesResource
    from event_assets.defs.resources.spark import spark_resource
    from event_assets.stack.exploring import ExploreError, analysis_of, explore

    if not _is_for(context):
        return "Your role does not explore."
    if not text or not text.strip() or len(text) > _LONGEST:
        return f"Write an analysis of at most {_LONGEST:,} characters."
    settings = context.settings
    try:
        analysis = analysis_of(text)
    except RuleError as fault:
        return str(fault)
    if (unlogged := logged(context, "analysis_explored", analysis.name, kind=analysis.kind)) is not None:
        return unlogged
    if not _ASKING.acquire(blocking=False):
        return "Another analysis is being made; run it again when that is done."
    try:
        rules = RulesResource.of(settings, pii_key="").sessions
        spark = spark_resource(settings).spark_session
        return analysis.kind, figure_of_rows(
            analysis, explore(LakeResource.of(settings).open(), spark, analysis, rules)
        )
    except ExploreError as fault:
        return str(fault)
    finally:
        _ASKING.release()
