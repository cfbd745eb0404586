"""visitors, identities, users and user_segments: tables about people, which have no days.

Each is brought up to date when one of its upstream tables changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame, SparkSession

from event_assets.contract.tables import (
    ENRICHED_EVENTS,
    IDENTITIES,
    SESSIONS,
    USER_SEGMENTS,
    USERS,
    VISITORS,
    Table,
)
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Source
from event_assets.lake.table import Snapshot, retry_on_conflict
from event_assets.steps.report import StepReport
from event_assets.transforms.identities import identities
from event_assets.transforms.segments import user_segments
from event_assets.transforms.sessionise import SessionRules
from event_assets.transforms.users import users
from event_assets.transforms.visitors import visitors

CODE = "1"
"""Version of the code that makes these tables; raise it when the rows it gives change."""

Upstream = Mapping[str, Snapshot]


def visitors_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings visitors up to date."""

    def rows(upstream: Upstream) -> tuple[DataFrame, dict[str, int]]:
        return visitors(upstream[ENRICHED_EVENTS.name].read(spark), upstream[SESSIONS.name].read(spark)), {}

    return _bring_up_to_date(lake, VISITORS, (ENRICHED_EVENTS, SESSIONS), CODE, rows, rebuild)


def identities_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings identities up to date."""
    with lake.scratch() as checkpoint:

        def rows(upstream: Upstream) -> tuple[DataFrame, dict[str, int]]:
            found = identities(upstream[ENRICHED_EVENTS.name].read(spark), checkpoint)
            return found.rows, {"rounds": found.rounds}

        return _bring_up_to_date(lake, IDENTITIES, (ENRICHED_EVENTS,), CODE, rows, rebuild)


def users_step(lake: Lake, spark: SparkSession, rules: SessionRules, *, rebuild: bool = False) -> StepReport:
    """Brings users up to date."""

    def rows(upstream: Upstream) -> tuple[DataFrame, dict[str, int]]:
        people, events, sessions = (upstream[t.name].read(spark) for t in (IDENTITIES, ENRICHED_EVENTS, SESSIONS))
        return users(people, events, sessions, rules), {}

    code = f"{CODE}-{rules}"
    return _bring_up_to_date(lake, USERS, (IDENTITIES, ENRICHED_EVENTS, SESSIONS), code, rows, rebuild)


def segments_step(lake: Lake, spark: SparkSession, *, rebuild: bool = False) -> StepReport:
    """Brings user_segments up to date, as of the last day that the lake has events of."""
    dates = lake.table(ENRICHED_EVENTS.name).snapshot().dates()
    as_of = dt.date.fromisoformat(max(dates)) if dates else dt.date.min

    def rows(upstream: Upstream) -> tuple[DataFrame, dict[str, int]]:
        return user_segments(upstream[USERS.name].read(spark), as_of), {}

    return _bring_up_to_date(lake, USER_SEGMENTS, (USERS,), f"{CODE}-{as_of}", rows, rebuild)


def _bring_up_to_date(
    lake: Lake,
    table: Table,
    sources: tuple[Table, ...],
    code: str,
    rows_of: Callable[[Upstream], tuple[DataFrame, dict[str, int]]],
    rebuild: bool,
) -> StepReport:
    return retry_on_conflict(lambda: _make(lake, table, sources, code, rows_of, rebuild))


def _make(
    lake: Lake,
    table: Table,
    sources: tuple[Table, ...],
    code: str,
    rows_of: Callable[[Upstream], tuple[DataFrame, dict[str, int]]],
    rebuild: bool,
) -> StepReport:
    base = lake.table(table.name).snapshot()
    upstream = {source.name: lake.table(source.name).snapshot() for source in sources}
    progress = base.progress
    for name, snapshot in upstream.items():
        progress = progress.with_source(name, Source(snapshot.version))
    progress = progress.with_code(code, (), ())
    if progress == base.progress and not rebuild:
        return StepReport(table.name, base.version, base.rows, base.bytes)
    made, more = rows_of(upstream)
    staged = base.table.stage(made, 1, base.rows + 1)
    version = base.table.commit(base, progress, add=staged, remove=base.files)
    after = base.table.at(version)
    return StepReport(table.name, version, after.rows, after.bytes, after.rows, more=more)
