"""A metric as a picture: what came, what was expected, and between which bounds."""

from __future__ import annotations

import io
from collections.abc import Mapping

Band = Mapping[str, Mapping[str, float]]
"""By `observed`, `expected`, `low` and `high` the values by time, the oldest first; all of the same times."""
_MOST_TIMES = 8
"""Times that are written below."""


def band_picture(title: str, band: Band) -> bytes:
    """The band and what came, as a PNG of a few tens of kilobytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    times = list(band["observed"])
    places = range(len(times))
    low, high = ([*band[name].values()] for name in ("low", "high"))
    with rc_context({"text.parse_math": False, "font.size": 9}):
        canvas = Figure(figsize=(8, 3), layout="constrained")
        FigureCanvasAgg(canvas)
        canvas.suptitle(title, x=0.01, ha="left", fontsize=9, wrap=True)
        axes = canvas.add_subplot()
        axes.fill_between(places, low, high, color="#e4e2f9", label="usual")
        axes.plot(places, [*band["expected"].values()], color="#8a8f98", linestyle="--", label="expected")
        axes.plot(places, [*band["observed"].values()], color="#4f43dd", marker=".", label="came")
        step = max(1, -(-len(times) // _MOST_TIMES))
        axes.set_xticks(places[::step], times[::step])
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
        out = io.BytesIO()
        canvas.savefig(out, format="png", dpi=110)
    return out.getvalue()
