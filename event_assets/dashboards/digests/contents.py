"""What a digest says: the figures of its pages, as they are on the pages, in words, in HTML and as a short message.

Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import NamedTuple

from event_assets.dashboards.context import Context
from event_assets.dashboards.figures import Figure
from event_assets.dashboards.formats import change_of, change_parts
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.pages import metrics
from event_assets.dashboards.selection import Selection
from event_assets.rules.digest import Digest

_MOST_ROWS, _MOST_IN_MESSAGE, _WIDEST = 15, 5, 40
_TABLES = ("table", "web_vitals")
"""Kinds that a mail shows as a table; the others it shows as a picture."""
_CELL = 'style="padding:4px 12px 4px 0;text-align:left;border-bottom:1px solid #dee2e6"'


class DigestError(RuntimeError):
    """A digest cannot be made or sent. The message says why, and what to do."""


class Part(NamedTuple):
    """A figure of a page, and the kind of its chart."""

    kind: str
    figure: Figure


class Section(NamedTuple):
    """A page: its title, its address where the pages have one, and what is on it."""

    title: str
    link: str
    parts: tuple[Part, ...]


class Contents(NamedTuple):
    """What a digest says, its subject first."""

    subject: str
    period: str
    sections: tuple[Section, ...]
    formatter: Formatter

    @property
    def drawn(self) -> list[Part]:
        """What a mail shows as pictures, in order."""
        return [part for section in self.sections for part in section.parts if _is_drawn(part)]


def contents_of(context: Context, name: str) -> Contents:
    """What the digest of that name says now. Raises `DigestError` where there is none, `psycopg.Error` where the
    warehouse does not answer."""
    source, dashboard = context.source, context.source.dashboard
    digest = dashboard.digests.get(name)
    if digest is None:
        known = ", ".join(dashboard.digests) or "none: name one under digests in the dashboard's file"
        raise DigestError(f"There is no digest {name!r}; there are {known}")
    selection, sections = _selection(digest), []
    for id_ in digest.pages:
        page = dashboard.page(id_)
        assert page is not None
        places = [(row, column) for row, visuals in enumerate(page.rows) for column in range(len(visuals))]
        parts = tuple(
            Part(metrics.kind_of(page.rows[row][column], number), figure)
            for row, column in places
            for number, figure in enumerate(metrics.figures(context, page, (row, column), selection))
        )
        url = context.settings.dashboard_url
        sections.append(Section(page.title, f"{url}/{id_}{selection.address}" if url else "", parts))
    span = source.span(selection)
    first, last = (context.formatter.text(day, "date") for day in (span.days[0], span.days[-1]))
    period = f"{selection.title}, {first} to {last} {span.until:%H:%M %Z}"
    chosen = "; ".join(f"{name}: {', '.join(values)}" for name, values in selection.values.items() if values)
    title = digest.title or dashboard.title
    return Contents(title, f"{period}; {chosen}" if chosen else period, tuple(sections), context.formatter)


def _selection(digest: Digest) -> Selection:
    return Selection(period=digest.period, values={str(name): values for name, values in digest.filters.items()})


def text_of_contents(contents: Contents) -> str:
    """All of it in plain text."""
    return "\n".join([contents.subject, contents.period, *_lines(contents, _MOST_ROWS)]) + "\n"


def message_of(contents: Contents) -> str:
    """The short form, as a chat takes it: numbers, and the first of each table."""
    lines = [f"*{contents.subject}*", contents.period, *_lines(contents, _MOST_IN_MESSAGE, bold="*")]
    text = "\n".join(lines)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _lines(contents: Contents, most: int, bold: str = "") -> Iterator[str]:
    for section in contents.sections:
        yield ""
        yield f"{bold}{section.title}{bold} {section.link}".rstrip()
        for kind, figure in section.parts:
            if kind == "number" and not figure.is_empty:
                yield f"{figure.title}: {_number(figure, contents.formatter)}"
                continue
            if bold and kind not in (*_TABLES, "bars"):
                continue
            yield ""
            yield figure.title
            yield from _rows(figure, contents.formatter, most)


def _number(figure: Figure, formatter: Formatter) -> str:
    now, before, held = change_parts(figure)
    format_ = figure.fields[0].format
    told = formatter.text(now, format_)
    if before is None:
        return told
    change = change_of(held, before)
    grown = f"{formatter.change(change)}, " if change is not None else ""
    return f"{told} ({grown}{figure.fields[1].title.lower()}: {formatter.text(before, format_)})"


def _cells(figure: Figure, formatter: Formatter, most: int) -> list[list[str]]:
    rows = figure.rows[-most:] if figure.fields and figure.fields[0].format == "date" else figure.rows[:most]
    return [
        [formatter.text(value, field.format) for value, field in zip(row, figure.fields, strict=True)] for row in rows
    ]


def _rows(figure: Figure, formatter: Formatter, most: int) -> Iterator[str]:
    if figure.is_empty:
        yield figure.empty or "There is nothing to show yet."
        return
    cells = [[field.title for field in figure.fields], *_cells(figure, formatter, most)]
    cut = [[" ".join(cell.split())[:_WIDEST] for cell in row] for row in cells]
    widths = [max(len(row[place]) for row in cut) for place in range(len(figure.fields))]
    for row in cut:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def html_of(contents: Contents, pictures: Mapping[int, str]) -> str:
    """All of it in HTML. `pictures` has the address of each picture, by its place among what is drawn."""
    body = [f"<h1>{escape(contents.subject)}</h1><p>{escape(contents.period)}</p>"]
    place = 0
    for section in contents.sections:
        title = escape(section.title)
        body.append(f'<h2><a href="{escape(section.link)}">{title}</a></h2>' if section.link else f"<h2>{title}</h2>")
        for part in section.parts:
            body.append(_block(part, contents.formatter, pictures.get(place, "")))
            place += _is_drawn(part)
    return (
        '<!doctype html><html><head><meta charset="utf-8"></head>'
        '<body style="font-family:system-ui,sans-serif;color:#212529;max-width:960px">'
        + "".join(body)
        + "</body></html>"
    )


def _is_drawn(part: Part) -> bool:
    return part.kind not in ("number", *_TABLES) and not part.figure.is_empty


def _block(part: Part, formatter: Formatter, address: str) -> str:
    figure, notes = part.figure, "".join(f"<br><small>{escape(note)}</small>" for note in part.figure.notes)
    title = escape(figure.title)
    if figure.is_empty:
        return f"<p><b>{title}</b><br>{escape(figure.empty or 'There is nothing to show yet.')}</p>"
    if part.kind == "number":
        return f"<p><b>{title}</b>: {escape(_number(figure, formatter))}{notes}</p>"
    if _is_drawn(part):
        return f'<p><img src="{escape(address)}" alt="{title}" style="max-width:100%"></p>'
    head = "".join(f"<th {_CELL}>{escape(field.title)}</th>" for field in figure.fields)
    rows = "".join(
        "<tr>" + "".join(f"<td {_CELL}>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in _cells(figure, formatter, _MOST_ROWS)
    )
    return f'<p><b>{title}</b>{notes}</p><table style="border-collapse:collapse"><tr>{head}</tr>{rows}</table>'


def picture_of(part: Part, formatter: Formatter) -> bytes:
    """The part as a PNG."""
    from event_assets.dashboards import pictures  # brings matplotlib

    return pictures.picture_of(part.kind, part.figure, formatter)
