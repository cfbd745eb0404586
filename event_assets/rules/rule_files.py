"""Folders of small YAML files that users own, one rule a file: one file's fault does not touch the others.

What a rule says is not known here: analyses are in analysis.py, segments in segment.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args, get_type_hints

import msgspec


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Rule = TypeVar("Rule", bound=_Named)


def read_rules(
    directory: Path, variable: str, read: Callable[[Path], Rule], error: type[ValueError]
) -> tuple[dict[str, tuple[Path, Rule]], dict[str, str]]:
    """The rules of a folder by name with their files, and for each file (its stem) that cannot be used the reason.

    `read` raises `error` where a file cannot be used. Where there is no such folder this does, and names the variable.
    """
    if not directory.is_dir():
        raise error(f"{directory}: there is no such folder; {variable}")
    found: dict[str, tuple[Path, Rule]] = {}
    faults: dict[str, str] = {}
    for path in sorted([*directory.glob("*.yaml"), *directory.glob("*.yml")]):
        try:
            rule = read(path)
            if rule.name in found:
                raise error(f"{path}: the name {rule.name!r} is taken by {found[rule.name][0].name}")
            found[rule.name] = (path, rule)
        except error as fault:
            faults[path.stem] = str(fault)
    return found, faults


def explained(words: str, kind: type[msgspec.Struct], title: str, fields: tuple[str, ...] = ()) -> str:
    """A fault in msgspec's words with what is allowed: the fields of the kind, or the values of the field."""
    if re.search(r"unknown field `[^`]*`$", words):
        return f"{words}; {title} has {', '.join([*fields, *kind.__struct_encode_fields__])}"
    found = re.search(r"Invalid enum value .* - at `\$\.(\w+)`$", words)
    if found is not None:
        values: tuple[Any, ...] = get_args(get_type_hints(kind)[found[1]])
        return f"{words}; it must be one of {', '.join(map(str, values))}"
    return words
