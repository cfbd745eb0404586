"""Figures as files take them, and what a number is held against."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from event_assets.dashboards.database import Answer
from event_assets.dashboards.figures import Figure


def change_of(now: float | None, before: float | None) -> float | None:
    """By which share a value grew; None where there is nothing to hold it against."""
    return now / before - 1 if now is not None and before else None


def change_parts(figure: Figure) -> tuple[Any, Any, Any]:
    """Of the figure of a number: the value, what it is held against, and the part of it that is held against that."""
    now, before, held = (*figure.rows[0], None, None)[:3]
    return now, before, held if len(figure.rows[0]) > 2 else now


def csv_of(figure: Figure) -> str:
    """The figure as CSV, with a line of titles. A text that a spreadsheet would take for a formula is no formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([field.title for field in figure.fields])
    writer.writerows([[_cell(value) for value in row] for row in figure.rows])
    return out.getvalue()


def parquet_of(answer: Answer) -> bytes:
    """The rows of a statement as Parquet, typed as the database gave them; what Parquet has no type for is text."""
    seen: Counter[str] = Counter()
    columns: dict[str, pa.Array] = {}
    for place, name in enumerate(answer.columns):
        seen[name] += 1
        columns[name if seen[name] == 1 else f"{name}_{place}"] = _array([row[place] for row in answer.rows])
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    return out.getvalue()


def _array(values: list[Any]) -> pa.Array:
    try:
        made = pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        made = pa.array([None if value is None else str(value) for value in values], pa.string())
    return made.cast(pa.string()) if pa.types.is_null(made.type) else made


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value
