"""segment_memberships: all segments made again, whole, when what they are made of has changed.

One pass over the events serves all segments, so they are one table and one commit. What they were made of is part of
that commit, so a table that is up to date costs a look at the log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace

from pyspark.sql import DataFrame

from event_assets.contract.tables.events import CONVERSION_IDS, ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import OUTLIER_VISITORS, USER_TRAITS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS
from event_assets.contract.tables.sessions import SESSIONS
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.people import last_date
from event_assets.pipeline.report import StepReport, report_of
from event_assets.pipeline.run import Rules, Run
from event_assets.rules.condition import unknown_events
from event_assets.rules.segment_files import Segments
from event_assets.transforms.affected import is_one_of
from event_assets.transforms.identity.stitching import with_person
from event_assets.transforms.kept import ended
from event_assets.transforms.segments.segment_memberships import members_by_day, segment_memberships
from event_assets.transforms.sessions.sessionise import SessionRules

CODE = "2"
"""Version of the code that makes the table; raise it when the rows it gives change."""
_SHOWN_DAYS, _SHOWN_SEGMENTS = 90, 6
_SOURCES = (ENRICHED_EVENTS, IDENTITIES, USER_TRAITS, SESSIONS, CONVERSION_IDS, OUTLIER_VISITORS)


def memberships_step(run: Run) -> StepReport:
    """Refreshes segment_memberships. Rows of segments that are no more go with it.

    Those of a segment whose file cannot be used stay as they are, so that a slip of the pen empties nothing.
    """
    segments, rules = run.rules.segments, run.rules.sessions

    def whole(work: Work) -> Result:
        rows = memberships(work.rows, segments, last_date(work.upstream[ENRICHED_EVENTS.name]), rules)
        return Result(rows.unionByName(work.existing.where(is_one_of("segment", sorted(segments.unusable)))))

    base = run.lake.table(SEGMENT_MEMBERSHIPS.name).snapshot()
    how = KeyedRefresh(SEGMENT_MEMBERSHIPS, _SOURCES, f"{CODE}-{_version(segments, rules)}", whole, keeps=_kept)
    report = refresh_keys(run, how) if _is_wanted(segments, base) else report_of(base)
    members = _members(run, segments)
    return replace(
        report,
        more={"members": {name: days[max(days)] for name, days in members.items()}},
        lines=dict(list(members.items())[:_SHOWN_SEGMENTS]),
        lines_unit="members of segments",
        warnings=tuple(unknown_events(segments.usable, run.rules.cleaning.plan)),
    )


def _kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    return ended(made, standing, "to_date", work.horizon)


def memberships(
    rows: Callable[[Table], DataFrame], segments: Segments, as_of: dt.date, rules: SessionRules
) -> DataFrame:
    """Who was in which of the usable segments until that day, by the `rows` of the tables that they are made of; in the
    columns of `SEGMENT_MEMBERSHIPS`."""
    events, people, traits, sessions, ids, outliers = map(rows, _SOURCES)
    return segment_memberships(
        with_person(events, people),
        segments.usable,
        as_of,
        traits=traits,
        sessions=with_person(sessions, people),
        conversion_events=rules.conversion_events,
        ids=ids,
        outliers=outliers,
    )


def are_outdated(lake: Lake, segments: Segments, rules: SessionRules) -> bool:
    """Whether the memberships are not of the lake as it is now. Those of a lake without events are not."""
    if not all(lake.table(table.name).exists() for table in (ENRICHED_EVENTS, IDENTITIES)):
        return False
    snapshots, table = [lake.table(each.name).snapshot() for each in _SOURCES], lake.table(SEGMENT_MEMBERSHIPS.name)
    if not snapshots[0].files:
        return False
    if not table.exists():
        return bool(segments.usable)
    base = table.snapshot()
    progress = base.progress.with_code(f"{CODE}-{_version(segments, rules)}", (), ())
    for snapshot in snapshots:
        progress = progress.with_consumed(snapshot.table.spec.name, snapshot.consumed)
    return _is_wanted(segments, base) and base.progress != progress


def _is_wanted(segments: Segments, base: Snapshot) -> bool:
    """Without segments there is nothing to make, but to take the rows of earlier ones away."""
    return bool(segments.usable or base.files)


def membership_rules(rules: Rules) -> str:
    """The version of the rules that segment_memberships goes by."""
    return _version(rules.segments, rules.sessions)


def _version(segments: Segments, rules: SessionRules) -> str:
    return f"{segments.digest}-{'-'.join(rules.conversion_events)}"


def _members(run: Run, segments: Segments) -> dict[str, dict[str, float]]:
    """How many members each segment had at the end of each of the last days, the largest segment first."""
    memberships = run.lake.table(SEGMENT_MEMBERSHIPS.name).snapshot().read(run.spark)
    changes: dict[str, dict[dt.date, int]] = {segment.name: {} for segment in segments.usable}
    for row in members_by_day(memberships).collect():
        changes.setdefault(row["segment"], {})[row["event_date"]] = row["members"]
    last = last_date(run.lake.table(ENRICHED_EVENTS.name).snapshot())
    days = [last - dt.timedelta(days=back) for back in reversed(range(_SHOWN_DAYS))]
    members = {name: members_on(known, days) for name, known in changes.items()}
    return dict(sorted(members.items(), key=lambda each: (-each[1][str(last)], each[0])))


def members_on(known: Mapping[dt.date, int], days: list[dt.date]) -> dict[str, float]:
    """The members at the end of each of some days that follow each other, by what is known of days of change."""
    members: dict[str, float] = {}
    latest = next((known[day] for day in sorted(known, reverse=True) if day <= days[0]), 0)
    for day in days:
        latest = known.get(day, latest)
        members[str(day)] = latest
    return members
