"""The filters above a page. They live in the address, so that a link shows what its sender saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import dash
import dash_mantine_components as dmc
import psycopg
from dash import ALL, Input, Output, State
from psycopg import sql

from event_assets.dashboards.context import current_context
from event_assets.dashboards.faults import sentence_of
from event_assets.dashboards.markup import Select
from event_assets.dashboards.selection import COMPARISONS, DIMENSIONS, MODELS, PERIODS, ROBOTS, Selection
from event_assets.dashboards.source import Source
from event_assets.dashboards.sql import NONE
from event_assets.rules.dashboard import Filter

_LOOK_BACK = dt.timedelta(days=180)
_MOST = 200
_CHOICES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "period": ("Period", PERIODS),
    "compare": ("Against", COMPARISONS),
    "robots": ("Robots", ROBOTS),
    "model": ("Attribution model", MODELS),
}


def add_options(app: dash.Dash) -> None:
    """What brings the values that can be chosen, once the filters are there."""

    @app.callback(
        Output({"filter": ALL, "of": "values"}, "data"),
        Input({"filter": ALL, "of": "values"}, "id"),
        State({"filter": ALL, "of": "values"}, "value"),
    )
    def options(ids: list[dict[str, str]], values: list[Any]) -> Any:
        source = current_context().source
        try:
            return [
                list(dict.fromkeys((*options_of(source, each["filter"]), *(chosen or ()))))
                for each, chosen in zip(ids, values, strict=True)
            ]
        except psycopg.Error as error:  # the cards of the page say it
            sentence_of(error)
            return [dash.no_update] * len(ids)


def filters_of(names: tuple[Filter, ...], selection: Selection) -> list[Any]:
    """The filters of a page, set as the selection says. Nothing is asked: what else can be chosen comes later."""
    return [_one(name, selection) if name in _CHOICES else _several(name, selection) for name in names]


def options_of(source: Source, name: str) -> list[str]:
    """The values that there are to choose from, the most frequent first. Raises `psycopg.Error`."""
    return _segments(source) if name == "segment" else _values(source, name) if name in DIMENSIONS else []


def _one(name: str, selection: Selection) -> Any:
    title, choices = _CHOICES[name]
    return Select({"filter": name, "of": "choice"}, title, list(choices.items()), getattr(selection, name))


def _several(name: str, selection: Selection) -> Any:
    chosen = selection.segments if name == "segment" else selection.values.get(name, ())
    return dmc.MultiSelect(
        id={"filter": name, "of": "values"},
        label="Segment" if name == "segment" else DIMENSIONS[name],
        data=list(chosen),
        value=list(chosen),
        placeholder="" if chosen else "All",
        searchable=True,
        clearable=True,
        w={"base": 170, "sm": 150},
    )


def _values(source: Source, name: str) -> list[str]:
    query = sql.SQL("SELECT {}, sum(sessions) FROM {} WHERE event_date > %s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {}")
    table = sql.Identifier(source.database.schema, "agg_daily_sessions")
    since = source.now.date() - _LOOK_BACK
    return [
        value or NONE
        for value, _ in source.ask_rows(query.format(sql.Identifier(name), table, sql.Literal(_MOST)), (since,))
    ]


def _segments(source: Source) -> list[str]:
    table = sql.Identifier(source.database.schema, "dim_segment_memberships")
    query = sql.SQL("SELECT DISTINCT segment FROM {} ORDER BY 1").format(table)
    return [name for (name,) in source.ask_rows(query)]
