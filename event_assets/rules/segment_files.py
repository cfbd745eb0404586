"""Segments as their users write them: a folder of YAML files, each read into a segment or told why it cannot be.

What a segment is, and in what order segments are made, is in segment.py and segment_order.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from event_assets.rules.rule_files import fault_key
from event_assets.rules.segment import SEGMENT_FILE, Segment
from event_assets.rules.segment_order import ordered


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

        Raises `RuleError` where there is no such folder.
        """
        found, faults = SEGMENT_FILE.read_folder(directory, "EVENT_ASSETS_SEGMENTS_DIR names the segments")
        unread = faults.keys() - found.keys()
        made, unusable = ordered({name: segment for name, (_, segment) in found.items()})
        for name, reason in unusable.items():
            path = found[name][0]
            faults[fault_key(path, name)] = f"{path}: segment {name}: {reason}"
        return Segments(made, faults, frozenset(unread | unusable.keys()))

    @property
    def digest(self) -> str:
        """Changes when, and only when, who is in which segment changes; words for people and receivers do
        not count."""
        unworded = (segment.model_copy(update={"description": ""}) for segment in self.usable)
        rules = [segment.model_dump(by_alias=True, exclude={"webhooks"}) for segment in unworded]
        what = msgspec.json.encode([rules, sorted(self.unusable)])
        return hashlib.sha256(what).hexdigest()[:12]
