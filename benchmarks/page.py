"""Runs the benchmarks in a short form and writes what they said as a page: `python -m benchmarks page`.

Each runs in a process of its own, one after another. Machines differ and others may be at work on them, so compare the
ratios, which are of one run, and not the rates. How long each would measure by default is in its own help.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import psutil

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_LIBRARIES = ("pysail", "pyspark", "duckdb", "pyarrow", "deltalake", "msgspec", "uvicorn", "uvloop", "dagster")


class Run(NamedTuple):
    """One benchmark of the page: its heading, its module, and the arguments that make it short."""

    title: str
    name: str
    arguments: tuple[str, ...]
    picture: str = ""
    """The file beside the page that the benchmark draws."""


RUNS = (
    Run("Raw events to sessions, beside hand-written SQL", "pipeline", ("--events", "2000000"), "pipeline.svg"),
    Run("One process of the collector", "collector", ("--seconds", "4", "--memory-seconds", "20")),
    Run("Rows into the warehouse", "warehouse", ("--rows", "100000")),
    Run("From acknowledgement to warehouse row", "freshness", ("--rate", "300", "--seconds", "120"), "freshness.svg"),
    Run("Pages of the dashboards on 10 M events", "dashboards", ()),
    Run(
        "What a micro-batch costs after more history",
        "growth",
        ("--sizes", "0.2,10", "--made", "0.2", "--event-days", "3"),
        "growth.svg",
    ),
    Run("A streaming query on Apache Spark", "streaming", ("--events", "20000", "--rate", "50", "--seconds", "20")),
)


def figures_of(run: Run, folder: Path) -> dict[str, Any]:
    """What a benchmark prints; its picture is drawn to the folder. Raises `RuntimeError` with its last words where it
    fails."""
    command = [sys.executable, "-m", "benchmarks", run.name, "--json", *run.arguments]
    command += ["--picture", str(folder / run.picture)] if run.picture else []
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise RuntimeError(f"{' '.join(command[1:])}: {done.stderr.strip()[-2000:]}") from None
    return figures


def page(found: Sequence[tuple[Run, Mapping[str, Any]]], on: dt.date) -> str:
    """The page's text."""
    parts = [
        "# Benchmarks",
        "Made by `make bench`; nothing here is written by hand. Rates depend on the machine and on who else works on "
        "it: compare ratios, which are of one run, and run the commands yourself.",
        _table(("machine", ""), _machine(on)),
    ]
    parts += [_part(run, figures) for run, figures in found]
    return "\n\n".join(parts) + "\n"


def replaced(text: str, parts: Sequence[str]) -> str:
    """The page with these of its parts in the place of those of the same headings."""
    standing = text.rstrip("\n").split("\n\n## ")
    new = {part.splitlines()[0]: part.removeprefix("## ") for part in parts}
    return "\n\n## ".join(new.get(f"## {part.splitlines()[0]}", part) for part in standing) + "\n"


def _part(run: Run, figures: Mapping[str, Any]) -> str:
    """What a benchmark said, below its heading."""
    said = (importlib.import_module(f"benchmarks.{run.name}").__doc__ or "").strip().split("\n\n", 1)
    parts = [
        f"## {run.title}",
        _paragraph(said[-1]),
        f"`python -m benchmarks {' '.join((run.name, *run.arguments))}`",
        *([f"![{run.title}]({run.picture})"] if run.picture else []),
        _table(("figure", "value"), _flat({name: each for name, each in figures.items() if not _is_of_many(each)})),
        *(_of_many(name, each) for name, each in figures.items() if _is_of_many(each)),
    ]
    return "\n\n".join(parts)


def _is_of_many(value: Any) -> bool:
    """Whether it is the same figures of several things, which stand in a table of their own."""
    return isinstance(value, Mapping) and bool(value) and all(isinstance(each, Mapping) for each in value.values())


def _of_many(name: str, values: Mapping[str, Mapping[str, Any]]) -> str:
    names = dict.fromkeys(figure for each in values.values() for figure in each)
    head = (name.replace("_", " "), *(figure.replace("_", " ") for figure in names))
    rows = [(thing, *(_shown(each.get(figure, "")) for figure in names)) for thing, each in values.items()]
    return _table(head, rows)


def _machine(on: dt.date) -> Iterator[tuple[str, str]]:
    yield "date", str(on)
    yield "processors", f"{os.cpu_count()}, {platform.machine()}"
    yield "memory", f"{psutil.virtual_memory().total / 2**30:.0f} GiB"
    yield "system", f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}"
    yield (
        "load of the machine, of the last 1 and 15 minutes",
        " and ".join(f"{psutil.getloadavg()[n]:.1f}" for n in (0, 2)),
    )
    yield "libraries", ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)


def _flat(figures: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name} ")
        else:
            yield f"{before}{name}".replace("_", " "), _shown(value)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "none" if value is None else str(value)
    return f"{value:,}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("\n", " ") for cells in lines)


def _paragraph(text: str) -> str:
    return " ".join(text.split()) if "\n\n" not in text else "\n\n".join(map(_paragraph, text.split("\n\n")))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status: 1 where a benchmark failed, and then the page stays as it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks page", description=__doc__)
    parser.add_argument("--out", type=Path, default=PAGE, help="the page")
    names = [run.name for run in RUNS]
    parser.add_argument("--only", choices=names, help="makes this part of the page anew, and leaves the others")
    asked = parser.parse_args(argv)
    chosen = [run for run in RUNS if asked.only in (None, run.name)]
    return write(chosen, asked.out, asked.only is not None)


def write(runs: Sequence[Run], out: Path, only_these: bool = False) -> int:
    """Runs benchmarks and writes their page, or only their parts of it; gives the exit status of `main`."""
    found = []
    for run in runs:
        print(f"{run.name} …", file=sys.stderr, flush=True)
        try:
            found.append((run, figures_of(run, out.parent)))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 1
    if only_these:
        text = replaced(out.read_text(encoding="utf-8"), [_part(run, figures) for run, figures in found])
    else:
        text = page(found, dt.datetime.now(dt.UTC).date())
    out.write_text(text, encoding="utf-8")
    print(f"written: {out}", file=sys.stderr)
    return 0
