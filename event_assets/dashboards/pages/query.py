"""SQL: what somebody types, run by a role that can only read, with limits to time and rows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import dash
import dash_mantine_components as dmc
import flask
import psycopg
from dash import Input, Output, State, ctx, dcc, no_update

from event_assets.audit import without_values
from event_assets.dashboards.access.logged import logged
from event_assets.dashboards.cards import labelled, table
from event_assets.dashboards.context import Context, View, current_context
from event_assets.dashboards.database import Answer
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formats import csv_of, parquet_of
from event_assets.dashboards.markup import Markup

_SHOWN, _IN_FILE, _LONGEST, _KEPT = 200, 100_000, 20_000, 50
_EXAMPLE = """SELECT event_date, channel_group, count(*) AS sessions, sum(revenue) AS revenue
FROM fct_sessions
WHERE NOT is_bot
GROUP BY 1, 2
ORDER BY 1 DESC, 3 DESC"""
_OFF = (
    "SQL can be typed where the pages read the warehouse as your role: name its address in "
    "EVENT_ASSETS_DASHBOARD_ROLE_URLS."
)


def view() -> View:
    """The page."""
    about = "Ask the warehouse. Tables and columns are in the dictionary; nothing can be changed from here."
    return View("sql", "SQL", about, (), lambda context, _: _content(context), lambda context: context.role.types_sql)


def _content(context: Context) -> Any:
    if not context.lets_type:
        return dmc.Alert(_OFF, title="It is off here", color="blue")
    in_file = context.formatter.number(_IN_FILE)
    return [
        dmc.Textarea(
            id="sql-text",
            label="One statement that reads",
            value=_EXAMPLE,
            autosize=True,
            minRows=6,
            maxRows=24,
            styles={"input": {"fontFamily": "ui-monospace, monospace"}},
        ),
        dmc.Group(
            [
                dmc.Button("Run", id="sql-run"),
                dmc.Button("Download CSV", id="sql-csv", variant="default"),
                dmc.Button("Download Parquet", id="sql-parquet", variant="default"),
                dmc.Select(
                    id="sql-chosen",
                    placeholder="History",
                    searchable=True,
                    clearable=True,
                    w=260,
                    maw="100%",
                    **labelled("History: statements that ran, in this browser"),
                ),
            ],
            mt="md",
            mb="xs",
        ),
        dmc.Text(
            f"At most {_SHOWN} rows here, {in_file} in a file, 30 seconds.",
            size="sm",
            c="dimmed",
            mb="md",
        ),
        dcc.Store(id="sql-history", storage_type="local"),
        dcc.Loading(dmc.Box(id="sql-answer")),
        dcc.Download(id="sql-file"),
    ]


def add_callbacks(app: dash.Dash) -> None:
    """What happens when a statement is run. Without a reader's role nothing is run, whoever asks."""

    @app.callback(
        Output("sql-answer", "children"),
        Output("sql-history", "data"),
        Input("sql-run", "n_clicks"),
        State("sql-text", "value"),
        State("sql-history", "data"),
        prevent_initial_call=True,
    )
    def run(clicks: int | None, text: str | None, history: Any) -> Any:
        answer = _run(text, _SHOWN)
        if isinstance(answer, str):
            return _refusal(answer), no_update
        figure = figure_of(answer)
        formatter = current_context().formatter
        rows = f"{formatter.number(len(answer.rows))} row{'' if len(answer.rows) == 1 else 's'}"
        said = f"The first {rows}; there are more." if answer.is_cut else f"{rows}."
        shown = [dmc.Text(said, size="sm", c="dimmed", mb="xs"), Markup(table(figure, formatter))]
        return shown, {"of": _who(), "statements": with_statement(_statements(history), text or "")}

    @app.callback(
        Output("sql-file", "data"),
        Output("sql-answer", "children", allow_duplicate=True),
        Input("sql-csv", "n_clicks"),
        Input("sql-parquet", "n_clicks"),
        State("sql-text", "value"),
        prevent_initial_call=True,
    )
    def download(csv: int | None, parquet: int | None, text: str | None) -> Any:
        answer = _run(text, _IN_FILE)
        if isinstance(answer, str):
            return no_update, _refusal(answer)
        if ctx.triggered_id == "sql-csv":
            return {"content": csv_of(figure_of(answer)), "filename": "query.csv", "type": "text/csv"}, no_update
        content = base64.b64encode(parquet_of(answer)).decode()
        return {"content": content, "filename": "query.parquet", "base64": True}, no_update

    @app.callback(Output("sql-chosen", "data"), Input("sql-history", "data"))
    def offer(history: Any) -> Any:
        return [{"value": text, "label": " ".join(text.split())[:120]} for text in _statements(history)]

    @app.callback(Output("sql-text", "value"), Input("sql-chosen", "value"), prevent_initial_call=True)
    def choose(text: str | None) -> Any:
        return text or no_update


def _refusal(why: str) -> Any:
    return dmc.Alert(why, title="The warehouse refuses it", color="orange")


def _who() -> str:
    name: str = flask.g.visitor.name
    return name


def _statements(history: Any) -> list[str]:
    """What this visitor ran before: another one's statements, who used the same browser, are not shown."""
    if not isinstance(history, dict) or history.get("of") != _who() or not isinstance(history.get("statements"), list):
        return []
    return [text for text in history["statements"] if isinstance(text, str)]


def with_statement(statements: Sequence[str], text: str) -> list[str]:
    """The history with one more statement, the latest first and each once."""
    return [text.strip(), *(each for each in statements if each != text.strip())][:_KEPT]


def _run(text: str | None, most: int) -> Answer | str:
    """The answer, or why there is none."""
    context = current_context()
    if not context.lets_type:
        return _OFF
    if not text or not text.strip():
        return "There is nothing to run: type a statement."
    if len(text) > _LONGEST or "\0" in text:
        return f"A statement has at most {_LONGEST:,} characters, and no NUL."
    if (unlogged := logged(context, "sql_run", without_values(text), most=most)) is not None:
        return unlogged
    try:
        return context.source.database.run(text, most)
    except psycopg.errors.QueryCanceled:
        return "It took longer than 30 seconds. Narrow it down, by event_date for example."
    except psycopg.Error as error:
        return str(error).strip() or type(error).__name__


def figure_of(answer: Answer) -> Figure:
    """The answer as a table."""
    fields = tuple(
        Field(f"c{place}", name, "decimal" if _is_fraction(answer, place) else "text")
        for place, name in enumerate(answer.columns)
    )
    return Figure("Answer", fields, answer.rows)


def _is_fraction(answer: Answer, place: int) -> bool:
    return any(isinstance(row[place], float) for row in answer.rows[:20])
