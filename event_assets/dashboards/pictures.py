"""A figure as a PNG picture, for documents and mails: the same rows as on the page. Nothing is asked here."""

from __future__ import annotations

import datetime as dt
import io
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from event_assets.dashboards.figures import Field, Figure
from event_assets.dashboards.flows import boxes_of, flows_of, ribbons_of
from event_assets.dashboards.formats import change_of, change_parts
from event_assets.dashboards.formatter import Formatter
from event_assets.dashboards.period_figures import BEFORE, first_period

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INDIGO, _GRAY = "#4263eb", "#868e96"
_COLORS = (_INDIGO, "#0ca678", "#f76707", "#ae3ec9", "#0c8599", "#e03131", "#66a80f", "#c2255c")
_WIDTH, _HEIGHT, _ROW = 10.0, 3.6, 0.28
_MOST_ROWS, _LONGEST = 40, 44
_DEFAULT = Formatter()
_DRAWING = threading.Lock()
"""matplotlib's settings are of the whole process."""
Draw = Callable[["Axes", Figure, Formatter], None]


def picture_of(kind: str, figure: Figure, formatter: Formatter = _DEFAULT, format_: str = "png") -> bytes:
    """The figure of a visual of this kind as a PNG (or `svg`), with its title and notes."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    draw = _empty if figure.is_empty else _DRAWN.get(kind, _table)
    rows = min(len(figure.rows), _MOST_ROWS)
    height = max(1.2, 0.9 + _ROW * (rows + 1)) if draw in (_table, _bars, _heatmap, _funnel) else _HEIGHT
    with _DRAWING, matplotlib.rc_context({"text.parse_math": False, "font.size": 9, "axes.spines.top": False}):
        canvas = Canvas(figsize=(_WIDTH, height if draw is not _number else 1.6), layout="constrained")
        FigureCanvasAgg(canvas)
        canvas.suptitle(figure.title, x=0.01, ha="left", fontweight="bold")
        axes = canvas.add_subplot()
        axes.spines["right"].set_visible(False)
        draw(axes, figure, formatter)
        if figure.notes:
            canvas.supxlabel("\n".join(figure.notes), x=0.01, ha="left", fontsize=7, color=_GRAY)
        out = io.BytesIO()
        canvas.savefig(out, format=format_, dpi=120)
    return out.getvalue()


def _empty(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, figure.empty or "There is nothing to show yet.", ha="center", va="center", wrap=True)


def _number(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    axes.set_axis_off()
    now, before, held = change_parts(figure)
    format_ = figure.fields[0].format
    axes.text(0, 0.6, formatter.text(now, format_), fontsize=26, fontweight="bold", va="center")
    if before is not None:
        change = change_of(held, before)
        grown = f"{formatter.change(change)}   " if change is not None else ""
        told = f"{figure.fields[1].title}: {formatter.text(before, format_)}"
        axes.text(0, 0.1, f"{grown}{told}", color=_GRAY, va="center")


def _line(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    days = [row[0] for row in figure.rows]
    for place, field in enumerate(figure.fields[1:], start=1):
        values = [float("nan") if row[place] is None else row[place] for row in figure.rows]
        is_before = field.name == "before"
        axes.plot(
            days,
            values,
            color=_GRAY if is_before else _COLORS[(place - 1) % len(_COLORS)],
            linestyle="--" if is_before else "-",
            marker="o" if len(days) < 3 else "",
            label=field.title,
        )
    _by_day(axes, days, formatter)
    _scale(axes, figure.fields[1], formatter)
    if len(figure.fields) > 2:
        axes.legend(frameon=False, loc="best", fontsize=8)


def _by_day(axes: Axes, days: Sequence[dt.date], formatter: Formatter) -> None:
    shown = days[:: max(1, len(days) // 10)]
    axes.set_xticks(shown, [formatter.text(day, "day") for day in shown])  # type: ignore[arg-type]
    axes.grid(axis="y", alpha=0.3)


def _scale(axes: Axes, field: Field, formatter: Formatter) -> None:
    axes.yaxis.set_major_formatter(lambda value, _: formatter.text(value, field.format))


def _lines(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    places = [0, *(place for place, field in enumerate(figure.fields) if field.format == "number")]
    rows = [tuple(row[place] for place in places) for row in figure.rows]
    _line(axes, Figure(figure.title, tuple(figure.fields[place] for place in places), rows), formatter)


def _bars(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    rows = figure.rows[:_MOST_ROWS]
    _across(
        axes,
        [_cut(str(row[0])) for row in rows],
        [float(row[1] or 0) for row in rows],
        [formatter.text(row[1], figure.fields[1].format) for row in rows],
    )


def _across(axes: Axes, names: Sequence[str], values: Sequence[float], words: Sequence[str]) -> None:
    """A bar for each name, the first on top, with its words at its end."""
    places = range(len(names))
    made = axes.barh(places, values, color=_INDIGO, height=0.6)
    axes.bar_label(made, labels=list(words), padding=4)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.margins(x=0.25)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])


def _columns(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    """Columns that stand on each other: what is counted below nothing hangs."""
    counted = [(place, field) for place, field in enumerate(figure.fields) if place and field.format == "number"]
    at = range(len(figure.rows))
    above, below = [0.0] * len(figure.rows), [0.0] * len(figure.rows)
    for number, (place, field) in enumerate(counted):
        values = [float(row[place] or 0) for row in figure.rows]
        bottoms = [above[n] if value >= 0 else below[n] for n, value in enumerate(values)]
        axes.bar(at, values, bottom=bottoms, color=_COLORS[number % len(_COLORS)], label=field.title)
        for n, value in enumerate(values):
            above[n], below[n] = above[n] + max(value, 0), below[n] + min(value, 0)
    shown = list(at)[:: -(-len(figure.rows) // 10)]
    axes.set_xticks(shown, [_tick(figure.rows[n][0], formatter) for n in shown])
    axes.grid(axis="y", alpha=0.3)
    if len(counted) > 1:
        axes.legend(frameon=False, fontsize=8)


def _tick(value: Any, formatter: Formatter) -> str:
    if isinstance(value, dt.datetime):
        return f"{formatter.text(value, 'day')} {value:%H:%M}"
    return formatter.text(value, "day") if isinstance(value, dt.date) else str(value)


def _lifecycle(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    """What is now; the table on the page says what it is held against."""
    places = [place for place, field in enumerate(figure.fields) if not field.name.endswith(BEFORE)]
    rows = [tuple(row[place] for place in places) for row in figure.rows]
    _columns(axes, Figure(figure.title, tuple(figure.fields[place] for place in places), rows), formatter)


def _stickiness(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    rows = [row[:2] for row in figure.rows]
    _columns(axes, Figure(figure.title, figure.fields[:2], rows), formatter)


def _ledger(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    """What became of the events of each hour; the other counts are sums of these."""
    names = ("hour", "enriched", "duplicates", "quarantined", "pending")
    places = [place for name in names for place, field in enumerate(figure.fields) if field.name == name]
    rows = [tuple(row[place] for place in places) for row in figure.rows]
    _columns(axes, Figure(figure.title, tuple(figure.fields[place] for place in places), rows), formatter)


def _heatmap(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    first, rows = first_period(figure), figure.rows[-_MOST_ROWS:]
    shares = [[float("nan") if value is None else float(value) for value in row[first:]] for row in rows]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, row in enumerate(rows):
        for x, share in enumerate(row[first:]):
            if share is not None:
                axes.text(
                    x,
                    y,
                    formatter.percent(share, 0),
                    ha="center",
                    va="center",
                    color="white" if share > 0.6 else "black",
                )
    leading = list(enumerate(figure.fields))[:first]
    axes.set_yticks(
        range(len(rows)), ["   ".join(_cut(formatter.text(row[n], f.format)) for n, f in leading) for row in rows]
    )
    axes.set_xticks(range(len(figure.fields) - first), [field.title for field in figure.fields[first:]])


def _funnel(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    steps = [row for row in figure.rows if row[0] == "(all)"]
    _across(
        axes,
        [_cut(f"{row[1]}. {row[2]}") for row in steps],
        [float(row[3]) for row in steps],
        [f"{formatter.number(row[3])}  {formatter.text(row[4], 'percent')}" for row in steps],
    )


def _table(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    axes.set_axis_off()
    rows = figure.rows[:_MOST_ROWS]
    words = [
        [_cut(formatter.text(value, field.format)) for value, field in zip(row, figure.fields, strict=True)]
        for row in rows
    ]
    titles = [_cut(field.title) for field in figure.fields]
    made = axes.table(words, colLabels=titles, loc="upper center", cellLoc="left", edges="horizontal")
    made.auto_set_font_size(False)
    made.auto_set_column_width(list(range(len(titles))))
    for (row, _), cell in made.get_celld().items():
        cell.set_edgecolor("#dee2e6")
        cell.get_text().set_fontweight("bold" if row == 0 else "normal")


def _flow(axes: Axes, figure: Figure, formatter: Formatter) -> None:
    from matplotlib.patches import PathPatch, Rectangle
    from matplotlib.path import Path

    flows = flows_of(figure.rows)
    boxes = boxes_of(flows)
    for way in ribbons_of(flows, boxes):
        middle = (way.x1 + way.x2) / 2
        lower = [(way.x1, way.y1), (middle, way.y1), (middle, way.y2), (way.x2, way.y2)]
        upper = [(x, y + way.width) for x, y in reversed(lower)]
        codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
        axes.add_patch(PathPatch(Path([*lower, *upper], codes), color="#748ffc", alpha=0.4, linewidth=0))
    for (_, name), box in boxes.items():
        axes.add_patch(Rectangle((box.x, box.y), box.width, box.height, color=_INDIGO))
        axes.text(
            box.x + box.width + 4,
            box.y + box.height / 2,
            f"{_cut(name, 22)} {formatter.number(box.size)}",
            va="center",
            fontsize=7,
        )
    axes.set_axis_off()
    axes.set_xlim(0, max(box.x for box in boxes.values()) + 160)
    axes.set_ylim(max(box.y + box.height for box in boxes.values()) + 10, 0)


def _cut(words: str, longest: int = _LONGEST) -> str:
    line = " ".join(words.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


_DRAWN: dict[str, Draw] = {
    "number": _number,
    "line": _line,
    "bars": _bars,
    "lines": _lines,
    "trends": _lines,
    "funnel_trend": _lines,
    "columns": _columns,
    "lifecycle": _lifecycle,
    "active_users": _lines,
    "stickiness": _stickiness,
    "ledger": _ledger,
    "retention": _heatmap,
    "funnel": _funnel,
    "paths": _flow,
}
"""By kind of visual; what is none of these is a table."""
