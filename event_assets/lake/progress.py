"""How far a table is: what of its upstream is in it. It is part of the table's own commit, so it can never disagree
with the rows.

A table that has taken in its upstream up to a version says so by its `watermark`; dates that changed upstream and are
not refreshed yet are `pending`, with the upstream version from which on they are behind. Only these are listed, so the
record stays small. A version says something only of the table that it is of, so the table's id stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Consumed:
    """How far one upstream table is taken in. `watermark` is -1 before the first time; `table` is the id of the Delta
    table, empty in records that were written before it was kept."""

    watermark: int = -1
    pending: Mapping[str, int] = field(default_factory=dict)
    table: str = ""


@dataclass(frozen=True)
class Progress:
    """All that a table remembers: its upstreams, the code that made its dates, and positions on streams.

    `code` is the version of the rules in force; `outdated` are dates that older rules made. `positions` says, for each
    stream and shard, how far it was landed: the fields of a shard position as the stream's reader wants them.
    """

    upstreams: Mapping[str, Consumed] = field(default_factory=dict)
    code: str = ""
    outdated: frozenset[str] = frozenset()
    positions: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def consumed(self, name: str) -> Consumed:
        return self.upstreams.get(name, Consumed())

    def with_consumed(self, name: str, consumed: Consumed) -> Progress:
        return replace(self, upstreams={**self.upstreams, name: consumed})

    def with_code(self, code: str, existing: Iterable[str], rebuilt: Iterable[str]) -> Progress:
        """After dates were made by the rules `code`, among the dates that the table has."""
        outdated = self.outdated | set(existing) if self.code and code != self.code else self.outdated
        return replace(self, code=code, outdated=frozenset(outdated - set(rebuilt)))

    def is_outdated(self, code: str, date: str) -> bool:
        """Whether the date was made by other rules than `code`; never so in a table that nothing was made in yet."""
        return bool(self.code) and (code != self.code or date in self.outdated)

    def to_json(self) -> bytes:
        return json.dumps(
            {
                "sources": {
                    name: {"through": consumed.watermark, "pending": dict(consumed.pending), "table": consumed.table}
                    for name, consumed in self.upstreams.items()
                },
                "code": self.code,
                "outdated": sorted(self.outdated),
                "positions": self.positions,
            },
            separators=(",", ":"),
        ).encode()

    @staticmethod
    def from_json(text: bytes) -> Progress:
        data = json.loads(text)
        return Progress(
            upstreams={k: Consumed(s["through"], s["pending"], s.get("table", "")) for k, s in data["sources"].items()},
            code=data["code"],
            outdated=frozenset(data["outdated"]),
            positions=data["positions"],
        )
