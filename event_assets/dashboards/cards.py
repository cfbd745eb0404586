"""Cards: a figure with its title, what it means, its notes, the table behind it, CSV and PNG."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from event_assets.dashboards.figures import Figure
from event_assets.dashboards.formats import text_of


def labelled(words: str) -> dict[str, Any]:
    """What a screen reader says of an element."""
    return {"aria-label": words}


_NUMBERS = frozenset({"number", "decimal", "percent", "money", "duration", "milliseconds", "shift", "times"})
_MOST_ROWS = 200
HALF = {"base": 12, "md": 6}
WHOLE = {"base": 12}


def card(
    figure: Figure,
    chart: Any,
    *,
    span: dict[str, int] | None = None,
    export: str = "",
    currency: str | None = None,
    has_table: bool = True,
) -> Any:
    """One card of a page's grid. `export` is the path of its figure below `/csv` and `/png`; `has_table` offers the
    table behind the chart."""
    body = empty(figure.empty) if figure.is_empty else chart
    parts = [_head(figure), body, *(dmc.Text(note, size="xs", c="dimmed", mt="xs") for note in figure.notes)]
    if not figure.is_empty and (has_table or export):
        parts.append(_foot(figure, export, currency, has_table))
    return dmc.GridCol(dmc.Paper(parts, withBorder=True, p="md", radius="md", h="100%"), span=span or WHOLE)


def _head(figure: Figure) -> Any:
    title = dmc.Title(figure.title, order=2, size="sm", fw=600)
    if not figure.description:
        return dmc.Box(title, mb="sm")
    about = dmc.Tooltip(
        dmc.ActionIcon("?", size="sm", radius="xl", variant="default", **labelled(f"What {figure.title} means")),
        label=figure.description,
        multiline=True,
        w=300,
        events={"hover": True, "focus": True, "touch": True},
    )
    return dmc.Group([title, about], justify="space-between", wrap="nowrap", align="start", mb="sm")


def _foot(figure: Figure, export: str, currency: str | None, has_table: bool) -> Any:
    links = [_link(figure.title, name, export) for name in (("CSV", "PNG") if export else ())]
    shown = [html.Details([html.Summary("Table"), table(figure, currency)])] if has_table else []
    return html.Div([*shown, html.Span(links, className="exports")], className="foot")


def _link(title: str, name: str, export: str) -> Any:
    href = f"/{name.lower()}{export}"
    return html.A(name, href=href, download="", className="export", **labelled(f"{title} as {name}"))


def empty(words: str) -> Any:
    """What stands in the place of a chart that has nothing to show: why, and the next step."""
    return dmc.Text(words or "There is nothing to show yet.", c="dimmed", size="sm", py="xl", ta="center")


def table(figure: Figure, currency: str | None = None, most: int = _MOST_ROWS) -> Any:
    """The figure's rows as a table that scrolls sideways where it is wide."""
    head = [dmc.TableTh(field.title, ta=_side(field.format)) for field in figure.fields]
    rows = [
        dmc.TableTr(
            [
                dmc.TableTd(text_of(value, field.format, currency), ta=_side(field.format), className="cell")
                for field, value in zip(figure.fields, row, strict=True)
            ]
        )
        for row in figure.rows[:most]
    ]
    more = len(figure.rows) - most
    parts = [dmc.Table([dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(rows)], fz="sm", highlightOnHover=True)]
    if more > 0:
        parts.append(dmc.Text(f"{more:,} more rows are in the CSV.", size="xs", c="dimmed"))
    return html.Div(parts, className="scroll", tabIndex="0", role="region", **labelled(f"{figure.title}, table"))


def _side(format_: str) -> str:
    return "right" if format_ in _NUMBERS else "left"
