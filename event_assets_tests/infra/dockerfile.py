"""The Dockerfile, as its targets have it, and what a target installs done in a plain environment, without Docker.

`python -m event_assets_tests.infra.dockerfile collector build/images/collector` makes the environment of a target:
what it copies in `context`, what it installs in `venv`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from event_assets_tests.infra.templates import ROOT

FILE = ROOT / "infra" / "image" / "Dockerfile"


class Instruction(NamedTuple):
    """Such as COPY, and what follows it."""

    kind: str
    rest: str


def targets(text: str) -> dict[str, list[Instruction]]:
    """The instructions of each target, those of the target that it begins with among them."""
    found: dict[str, list[Instruction]] = {}
    made: list[Instruction] = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        kind, _, rest = line.partition(" ")
        if kind == "FROM":
            begins_with, _, name = rest.partition(" AS ")
            made = found[name] = [*found.get(begins_with, ())]
        else:
            made.append(Instruction(kind, rest))
    return found


def of(target: str, kind: str) -> list[str]:
    """What follows each of these in a target."""
    return [each.rest for each in targets(FILE.read_text("utf-8"))[target] if each.kind == kind]


def copied(target: str) -> dict[str, str]:
    """What a target copies of the repository, and where to."""
    found: dict[str, str] = {}
    for line in of(target, "COPY"):
        *sources, place = line.split()
        for source in sources:
            found[source] = f"{place.rstrip('/')}/{Path(source).name}" if place.endswith("/") else place
    return found


def build(target: str, folder: Path, arguments: Mapping[str, str] | None = None) -> None:
    """Copies and installs what a target does, by its own steps. Raises `CalledProcessError`."""
    context, environment = folder / "context", folder / "venv"
    for source, place in copied(target).items():
        to = context / place
        to.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(ROOT / source, to)
    venv.create(environment, with_pip=True)
    defaults = dict(line.split("=", 1) for line in of(target, "ARG"))
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= defaults | dict(arguments or {}) | {"PATH": f"{environment / 'bin'}:{os.environ['PATH']}"}
    for step in of(target, "RUN"):
        if step.startswith("pip "):  # the others make users
            subprocess.run(["sh", "-ec", step], cwd=context, env=variables, check=True)


if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]))
