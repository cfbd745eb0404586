"""Pictures of figures, as files: .svg or .png. The same figures give the same file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def picture(path: Path, title: str, panels: int = 1, inches: tuple[float, float] = (10, 4)) -> Iterator[list[Any]]:
    """The panels of a picture side by side, as axes of matplotlib's to draw on; it is written in the end."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": path.stem}):
        canvas = Figure(figsize=inches, layout="constrained")
        FigureCanvasAgg(canvas)
        canvas.suptitle(title, x=0.01, ha="left")
        yield list(canvas.subplots(1, panels, squeeze=False)[0])
        canvas.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
