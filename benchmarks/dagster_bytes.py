"""Which bytes Dagster's storage of a home has: files by kind, events by type, what they say by key of metadata.

For benchmarks and tests; SQLite's storage alone.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

INDEX = "index.db"


def total(home: Path) -> int:
    """Bytes of all files."""
    return sum(_sizes(home).values())


def by_kind(home: Path) -> dict[str, int]:
    """Bytes of files: of runs' own events, the index over runs, runs, ticks, and what steps printed."""
    found: Counter[str] = Counter()
    for path, size in _sizes(home).items():
        found[_kind(path)] += size
    return dict(found.most_common())


def by_event(home: Path) -> dict[str, int]:
    """Bytes of the texts of events, by type and by where they stand: in a run's own file, or in the index."""
    found: Counter[str] = Counter()
    for kind, text in _events(home):
        found[kind] += len(text)
    return dict(found.most_common())


def by_metadata(home: Path) -> dict[str, int]:
    """Bytes of metadata in events, by key."""
    found: Counter[str] = Counter()
    for _, text in _events(home):
        found.update(_entries(json.loads(text)))
    return dict(found.most_common())


def runs_since(home: Path, begun: dt.datetime) -> dict[str, int]:
    """How many runs were asked for since then, by job."""
    with closing(_read(home / "history" / "runs.db")) as database:
        query = "SELECT pipeline_name, count(*) FROM runs WHERE create_timestamp >= ? GROUP BY 1 ORDER BY 2 DESC"
        return dict(database.execute(query, (f"{begun.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}",)))


def _kind(path: Path) -> str:
    if path.suffix in {".out", ".err", ".complete"}:
        return "printed by steps"
    name = path.name.removesuffix("-wal").removesuffix("-shm")
    named = {INDEX: "index of events", "runs.db": "runs", "schedules.db": "ticks"}
    return named.get(name, "events of runs" if name.endswith(".db") else "other")


def _sizes(home: Path) -> dict[Path, int]:
    sizes = {}
    for path in home.rglob("*"):
        try:
            if path.is_file():
                sizes[path] = path.stat().st_size
        except FileNotFoundError:  # it went meanwhile
            continue
    return sizes


def _events(home: Path) -> Iterator[tuple[str, str]]:
    """Every event that is kept, in each place where it is: what it is, and its text."""
    for path in sorted((home / "history" / "runs").glob("*.db")):
        where = "index" if path.name == INDEX else "run"
        with closing(_read(path)) as database:
            query = "SELECT coalesce(dagster_event_type, 'LOG'), event FROM event_logs"
            for kind, text in database.execute(query):
                yield f"{kind} ({where})", text
            if where == "index":
                query = "SELECT evaluation_event FROM asset_check_executions"
                yield from (("checks (index)", text) for (text,) in database.execute(query) if text)
                query = "SELECT last_materialization FROM asset_keys"
                yield from (("last materializations (index)", text) for (text,) in database.execute(query) if text)


def _read(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)


def _entries(value: Any) -> Counter[str]:
    """Bytes of entries of metadata by their labels, wherever they stand."""
    found: Counter[str] = Counter()
    if isinstance(value, list):
        for each in value:
            found.update(_entries(each))
    elif isinstance(value, dict):
        for name, each in value.items():
            if name == "metadata_entries":
                for entry in each or ():
                    found[entry["label"]] += len(json.dumps(entry))
            else:
                found.update(_entries(each))
    return found
