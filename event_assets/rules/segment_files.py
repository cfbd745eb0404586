"""Segments as their users write them: a folder of YAML files, each read into a segment or told why it cannot be.

What a segment is, and in what order segments are made, is in segment.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from event_assets.contract.plan import PlanError, read_yaml
from event_assets.rules.analysis import Step
from event_assets.rules.rule_files import explained, read_rules
from event_assets.rules.segment import (
    All,
    AnyOf,
    Condition,
    Did,
    DidNot,
    InSegment,
    Leaf,
    Next,
    Not,
    Segment,
    SegmentError,
    SegmentName,
    Sequence,
    Trait,
    User,
    ordered,
)

_MOST_CONDITIONS, _DEEPEST = 200, 20
_LEAVES: dict[str, type[Leaf]] = {
    "did": Did,
    "did_not": DidNot,
    "sequence": Sequence,
    "trait": Trait,
    "user": User,
    "segment": InSegment,
}
_KINDS = ("all", "any", "not", *_LEAVES)


@dataclass(frozen=True)
class Segments:
    """The segments of a folder, each after those that it is made of, and for each file that cannot be used the reason.

    `unusable` are the names of these files' segments: the file's, where its own cannot be read.
    """

    usable: tuple[Segment, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    unusable: frozenset[str] = frozenset()

    @staticmethod
    def load(directory: Path) -> Segments:
        """Reads a folder. One file's fault does not touch the others, but for those that are made of its segment.

        Raises `SegmentError` where there is no such folder.
        """
        found, faults = read_rules(directory, "EVENT_ASSETS_SEGMENTS_DIR names the segments", _load, SegmentError)
        unread = faults.keys() - found.keys()
        made, unusable = ordered({name: segment for name, (_, segment) in found.items()})
        for name, reason in unusable.items():
            path = found[name][0]
            faults[path.stem] = f"{path}: segment {name}: {reason}"
        return Segments(made, faults, frozenset(unread | unusable.keys()))

    @property
    def digest(self) -> str:
        """Changes when, and only when, who is in which segment changes; words for people do not count."""
        rules = [msgspec.structs.replace(segment, description="") for segment in self.usable]
        what = msgspec.json.encode([rules, sorted(self.unusable)], order="deterministic")
        return hashlib.sha256(what).hexdigest()[:12]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment's file, its tree as it was written."""

    name: SegmentName
    who: dict[str, Any]
    description: str = ""
    include_bots: bool = False


def _load(path: Path) -> Segment:
    try:
        document = read_yaml(path)
    except PlanError as error:
        raise SegmentError(str(error)) from None
    if not isinstance(document, dict):
        raise SegmentError(f"{path}: it must be an object with the fields name and who")
    try:
        file = msgspec.convert(document, _File)
    except msgspec.ValidationError as error:
        raise SegmentError(f"{path}: {explained(str(error), _File, 'a segment')}") from None
    try:
        who = _Reader().condition(file.who, "who", 1)
    except SegmentError as error:
        raise SegmentError(f"{path}: segment {file.name}: {error}") from None
    return Segment(name=file.name, who=who, description=file.description, include_bots=file.include_bots)


class _Reader:
    """Reads a tree of conditions as YAML gives it. Raises `SegmentError`, whose message begins with the place."""

    def __init__(self) -> None:
        self._count = 0

    def condition(self, document: Any, place: str, depth: int) -> Condition:
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST_CONDITIONS:
            raise SegmentError(
                f"{place}: a segment has at most {_MOST_CONDITIONS} conditions, {_DEEPEST} inside each other; "
                "make a part of them a segment of its own"
            )
        kinds = [kind for kind in _KINDS if isinstance(document, dict) and kind in document]
        if len(kinds) != 1:
            said = f"it has {' and '.join(kinds)}" if kinds else f"it is {_shown(document)}"
            raise SegmentError(f"{place}: {said}; a condition has one of {', '.join(_KINDS)}")
        [kind] = kinds
        if kind in _LEAVES:
            return _leaf(document, _LEAVES[kind], place)
        if len(document) > 1:
            raise SegmentError(f"{place}: beside {kind} there is nothing else; put it into a condition of its own")
        if kind == "not":
            return Not(self.condition(document["not"], f"{place}.not", depth + 1))
        inside = self._several(document[kind], f"{place}.{kind}", depth + 1)
        return All(inside) if kind == "all" else AnyOf(inside)

    def _several(self, documents: Any, place: str, depth: int) -> tuple[Condition, ...]:
        if not isinstance(documents, list) or not documents:
            raise SegmentError(f"{place}: it must be a list of conditions, one at least")
        return tuple(self.condition(each, f"{place}[{k}]", depth) for k, each in enumerate(documents))


def _leaf(document: dict[str, Any], kind: type[Leaf], place: str) -> Condition:
    try:
        leaf = msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        title = next(name for name, other in _LEAVES.items() if other is kind)
        words = explained(str(error), kind, title).replace("`$", f"`{place}")
        if re.search(r"unknown field .* - at ", words):
            words += f"; a step has {', '.join((Next if kind is Sequence else Step).__struct_fields__)}"
        raise SegmentError(f"{place}: {words}") from None
    if isinstance(leaf, DidNot):
        leaf = Did(leaf.did_not, exactly=0, last=leaf.last)
    for fault in leaf.faults():
        raise SegmentError(f"{place}: {fault}")
    assert isinstance(leaf, Did | Sequence | Trait | User | InSegment)
    return leaf


def _shown(document: Any) -> str:
    if isinstance(document, dict):
        return f"an object with {', '.join(map(str, document)) or 'nothing'}"
    return "not there" if document is None else f"{str(document)[:60]!r}"
