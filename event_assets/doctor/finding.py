"""What an examination gives: for each part of a home what was read, and what is wrong with it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """One thing that is damaged: where, how, and what to do about it.

    `heal` does it, and gives a sentence on what it did; None where it is for a person to do.
    """

    path: str
    fault: str
    remedy: str
    heal: Callable[[], str] | None = None


class Examined(NamedTuple):
    """A part of a home: how many files and bytes of it were read, what is wrong, and what is only worth knowing."""

    name: str
    files: int
    bytes: int
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """What a person reads: a line for a sound part, three for each thing that is damaged, and the notes."""
        lines = [
            line
            for path, fault, remedy, _ in self.findings
            for line in (f"{self.name}: DAMAGED {path}", f"    what: {fault}", f"    do:   {remedy}")
        ]
        if not lines:
            sound = f"sound, {self.files} files, {self.bytes:,} bytes" if self.files else "none"
            lines = [f"{self.name}: {sound}"]
        return lines + [f"    note: {note}" for note in self.notes]

    def as_dict(self) -> dict[str, Any]:
        """The same for a program."""
        findings = [{"path": path, "fault": fault, "remedy": remedy} for path, fault, remedy, _ in self.findings]
        return {
            "part": self.name,
            "files": self.files,
            "bytes": self.bytes,
            "findings": findings,
            "notes": list(self.notes),
        }


def heal_all(examined: Iterable[Examined]) -> list[str]:
    """Does what can be done about each finding. Gives a sentence on each: what was done, or that a person must."""
    findings = [finding for part in examined for finding in part.findings]
    return [each.heal() if each.heal is not None else f"{each.path} is left: {each.remedy}" for each in findings]


def put_aside(path: Path) -> Path:
    """Moves a file or folder away, so that it is made anew and nothing is lost. Gives where it is now."""
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    os.replace(path, aside)
    return aside


def size_of(path: Path) -> int:
    """The bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0
