"""What of its sources a table has taken in, where one of them is made of another: whether it is ahead of that."""

from __future__ import annotations

from event_assets.contract.tables.schema import Table
from event_assets.lake.integrity import LakeDamaged
from event_assets.lake.progress import Consumed
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.keyed_refresh import Work

_MOST_COMMITS = 200
"""Versions of the log that are looked through: beyond, asking takes longer than not to know."""


def are_made_of(work: Work, derived: Table, source: Table) -> bool:
    """Whether the rows of `derived`, as they are taken in, come of no other rows of `source` than of those that are
    taken in: it was not ahead, and of what it had not seen yet nothing went."""
    rows, made_of = work.before[derived.name], work.before[source.name]
    assert rows is not None and made_of is not None, (derived.name, source.name)
    return not rows.files or rows_only_came(made_of, seen_by(rows, made_of))


def seen_by(derived: Snapshot, source: Snapshot) -> int:
    """The version of `source` that `derived` has seen all of; -1 where that is not known."""
    consumed = _consumed(derived, source)
    return max(-1, min([consumed.watermark, *consumed.pending.values()])) if consumed else -1


def reached_by(derived: Snapshot, source: Snapshot) -> int | None:
    """The version of `source` that `derived` has seen at the most; None where that is not known."""
    consumed = _consumed(derived, source)
    return consumed.watermark if consumed else None


def _consumed(derived: Snapshot, source: Snapshot) -> Consumed | None:
    try:
        consumed = derived.progress.consumed(source.table.spec.name)
    except LakeDamaged:  # the record of so long ago is cleared away
        return None
    return consumed if consumed.table == source.id else None


def rows_only_came(source: Snapshot, since: int) -> bool:
    """Whether the table reached this version, a while ago at the most, and has lost no row since."""
    if not max(0, source.version - _MOST_COMMITS) <= since <= source.version:
        return False
    changes = source.changes_since(since)
    return changes.known and not any(commit.replaced for commit in changes.commits)
