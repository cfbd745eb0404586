"""A stress test as one picture: how the API scales, what each component takes, the events on their way over time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from event_assets.stress.report import Scaling, StressReport, Whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _FAINT = "#23262f", "#9aa0ad"
_COLOURS = ("#4f43dd", "#0d9488", "#d97706", "#db2777", "#0284c7", "#65a30d")
_PLACES = {"acknowledged": "acknowledged", "landing": "landed", "spark": "in sessions", "warehouse": "in the warehouse"}


def draw(report: StressReport, path: Path) -> None:
    """Writes the picture; the suffix says the format: `.png`, `.svg`, `.pdf`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 9), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    places = figure.add_gridspec(2, 2)
    if report.scaling:
        _scaling(figure.add_subplot(places[0, 0]), report.scaling)
    if report.whole:
        _components(figure.add_subplot(places[0, 1]), report.whole)
        _flow(figure.add_subplot(places[1, :]), report.whole)
    figure.suptitle(
        f"Stress test on {os.cpu_count()} cores: {_verdict(report)}", color=_INK, fontsize=13, x=0.02, ha="left"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _verdict(report: StressReport) -> str:
    if report.whole is None or report.whole.bottleneck is None:
        best = max(report.scaling, key=lambda each: each.most)
        return f"the API takes {best.most:,.0f} events/s"
    bottleneck = report.whole.bottleneck
    small = ", in small runs: it had too little time to tell" if report.whole.has_only_small_runs else ""
    return f"the bottleneck is {bottleneck.name}, {bottleneck.throughput:,.0f} events/s{small}"


def _scaling(axes: Axes, scaling: list[Scaling]) -> None:
    for colour, each in zip(_COLOURS, scaling, strict=False):
        offered = [step.offered / 1000 for step in each.steps]
        taken = [step.rate / 1000 for step in each.steps]
        label = f"{each.processes} {'process' if each.processes == 1 else 'processes'}: {each.most:,.0f}"
        axes.plot(offered, taken, color=colour, marker="o", markersize=4, label=label)
        for step in each.steps:
            if step.broken:
                axes.plot(step.offered / 1000, step.rate / 1000, color=colour, marker="x", markersize=11)
    longest = max(step.offered for each in scaling for step in each.steps) / 1000
    axes.plot([0, longest], [0, longest], color=_FAINT, linewidth=0.8, linestyle=":")
    axes.set_xlabel("offered, 1,000 events/s")
    axes.set_ylabel("acknowledged, 1,000 events/s")
    axes.legend(frameon=False, fontsize=9, loc="upper left", title="most acknowledged, events/s")
    _dress(axes, "The API alone (x: gave way)")


def _components(axes: Axes, whole: Whole) -> None:
    rows = [each for each in whole.components if each.throughput][::-1]
    bottleneck = whole.bottleneck
    colours = [_COLOURS[3] if each is bottleneck else _FAINT if each.name[0] == " " else _COLOURS[0] for each in rows]
    axes.barh([each.name.strip() for each in rows], [each.throughput or 0 for each in rows], color=colours, height=0.62)
    for place, each in enumerate(rows):
        axes.text(each.throughput or 0, place, f" {each.throughput:,.0f}", va="center", fontsize=9, color=_INK)
    axes.set_xscale("log")
    axes.set_xlim(right=max(each.throughput or 0 for each in rows) * 4)
    axes.set_xlabel("events/s while at work, logarithmic")
    _dress(axes, "What each component takes (red: the bottleneck)")


def _flow(axes: Axes, whole: Whole) -> None:
    end = max(at for points in whole.curves.values() for at, _ in points)
    for colour, (name, points) in zip(_COLOURS, whole.curves.items(), strict=False):
        times, counts = [at for at, _ in points], [count / 1000 for _, count in points]
        style = "default" if name == "acknowledged" else "steps-post"
        axes.plot([*times, end], [*counts, counts[-1]], color=colour, drawstyle=style, label=_PLACES.get(name, name))
    axes.set_xlabel("seconds")
    axes.set_ylabel("1,000 events")
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    _dress(axes, "All the way: between two lines, the height is the backlog and the width the delay")


def _dress(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.grid(axis="both" if title.startswith(("The API", "All")) else "x", color="#eceef2", linewidth=0.8)
    axes.set_axisbelow(True)
