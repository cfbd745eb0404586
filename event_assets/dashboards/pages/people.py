"""People: one person, found by an id of theirs. For roles that may see personal data, and nobody else."""

from __future__ import annotations

import logging
from typing import Any

import dash
import dash_mantine_components as dmc
import psycopg
from dash import Input, Output, State, dcc, no_update

from event_assets.dashboards.access.logged import logged
from event_assets.dashboards.cards import HALF, card, empty, grid, table
from event_assets.dashboards.context import Context, View, current_context
from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.formats import csv_of
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.markup import Node
from event_assets.dashboards.person import (
    Person,
    consent_of,
    facts_of,
    outliers_of,
    persons_of,
    segments_of,
    timeline_of,
    traits_of,
)

_LOG = logging.getLogger(__name__)
_LONGEST = 512
_NOBODY = "Nobody has this id. Ids are compared letter by letter; people appear with the run after their first event."
_UNREACHED = "The warehouse does not answer just now, or took too long. Try again."
_MOST_ROWS = 500


def view() -> View:
    """The page."""
    about = "One person: what is known of them, and what they did."
    return View("people", "People", about, (), lambda context, _: _content(), lambda context: context.role.sees_people)


def _content() -> Any:
    # The id is not part of the address: addresses are kept in histories and logs.
    return [
        dmc.Group(
            [
                dmc.TextInput(
                    id="person-id",
                    label="User id or anonymous id",
                    w=340,
                    maw="100%",
                    inputProps={"autoComplete": "off", "spellCheck": "false", "maxLength": _LONGEST},
                ),
                dmc.Button("Find", id="person-find"),
                dmc.Button("Timeline as CSV", id="person-csv", variant="default"),
            ],
            align="end",
            mb="md",
        ),
        dcc.Loading(dmc.Box(empty("Whom do you look for? Every look is noted in the audit log."), id="person")),
        dcc.Download(id="person-file"),
    ]


def add_callbacks(app: dash.Dash) -> None:
    """What happens when somebody is looked for."""

    @app.callback(
        Output("person", "children"),
        Input("person-find", "n_clicks"),
        Input("person-id", "n_submit"),
        State("person-id", "value"),
        prevent_initial_call=True,
    )
    def find(clicks: int | None, submits: int | None, id_: str | None) -> Any:
        context = current_context()
        try:
            found = _found(context, id_)
            if isinstance(found, str):
                return empty(found)
            return [grid(_cards(context, person)) for person in found] or empty(_NOBODY)
        except psycopg.Error:
            _LOG.exception("a person could not be looked for")
            return empty(_UNREACHED)

    @app.callback(
        Output("person-file", "data"),
        Input("person-csv", "n_clicks"),
        State("person-id", "value"),
        prevent_initial_call=True,
    )
    def download(clicks: int | None, id_: str | None) -> Any:
        context = current_context()
        try:
            found = _found(context, id_)
            timelines = [] if isinstance(found, str) else [timeline_of(context.source, person) for person in found]
        except psycopg.Error:
            return no_update
        content = "".join(map(csv_of, timelines))
        return {"content": content, "filename": "timeline.csv", "type": "text/csv"} if timelines else no_update


def _found(context: Context, id_: str | None) -> list[Person] | str:
    """Who has the id, or why nobody is looked for. Nobody is found for who may not see people.

    That somebody looked is in the audit log, and not for whom: who is erased would stay there, be it as a hash.
    """
    wanted = (id_ or "").strip()
    if not context.role.sees_people or not wanted or len(wanted) > _LONGEST or "\0" in wanted:
        return []
    if (unlogged := logged(context, "person_looked_for", "1 person")) is not None:
        return unlogged
    return persons_of(context.source, wanted)


def _cards(context: Context, person: Person) -> list[Any]:
    facts, traits = facts_of(person), traits_of(context.source, person)
    segments, timeline = segments_of(context.source, person), timeline_of(context.source, person)
    consent, outliers = consent_of(context.source, person), outliers_of(context.source, person)
    formatter = context.formatter
    return [
        card(facts, _facts(formatter, facts), formatter, width=HALF, has_table=False),
        card(traits, table(traits, formatter), formatter, width=HALF, has_table=False),
        card(segments, table(segments, formatter), formatter, width=HALF, has_table=False),
        card(consent, table(consent, formatter), formatter, width=HALF, has_table=False),
        *([card(outliers, table(outliers, formatter), formatter, has_table=False)] if outliers.rows else []),
        card(timeline, table(timeline, formatter, most=_MOST_ROWS), formatter, has_table=False),
    ]


def _facts(formatter: Formatter, figure: Figure) -> Node:
    rows = [(title, formatter.text(value, format_)) for title, value, format_ in figure.rows]
    return table(Figure(figure.title, (Field("fact", "What"), Field("value", "Value")), rows), formatter)
