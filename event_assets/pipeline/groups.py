"""groups and group_members: tables about groups of people, which have no days.

Only the rows of those groups are made again that a change upstream names, or whose members it makes one person.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.groups import GROUP_MEMBERS, GROUPS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import of_ids
from event_assets.transforms.identity.stitching import PERSON_COLUMNS
from event_assets.transforms.kept import groups_kept, groups_said, members_kept
from event_assets.transforms.people.groups import (
    GROUP_COLUMNS,
    MEMBER_COLUMNS,
    group_members,
    groups,
    groups_of,
    groups_of_people,
    of_a_group,
    of_members,
)

GROUPS_CODE = "1"
"""Version of the code that makes these tables; raise it when the rows it gives change."""


def group_members_step(run: Run) -> StepReport:
    """Brings group_members up to date."""

    def whole(work: Work) -> Result:
        return Result(group_members(work.rows(IDENTITIES), work.rows(ENRICHED_EVENTS)))

    def affected(work: Work) -> list[str] | None:
        known = work.changed(IDENTITIES, PERSON_COLUMNS)
        return _together(
            groups_of(work.changed(ENRICHED_EVENTS, MEMBER_COLUMNS)),
            groups_of_people(known, lambda: work.rows(ENRICHED_EVENTS)),
        )

    def part(work: Work, ids: list[str]) -> Result:
        events = of_ids(of_a_group(work.rows(ENRICHED_EVENTS)), ids, "group_id")
        return Result(group_members(work.rows(IDENTITIES), events))

    how = KeyedRefresh(GROUP_MEMBERS, (IDENTITIES, ENRICHED_EVENTS), GROUPS_CODE, whole, affected, part, _members_kept)
    return refresh_keys(run, how)


def _members_kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    came = _came(work, MEMBER_COLUMNS)
    came = None if came is None else of_members(came)
    return members_kept(made, standing, work.rows(IDENTITIES), came, work.horizon)


def groups_step(run: Run) -> StepReport:
    """Brings groups up to date."""

    def whole(work: Work) -> Result:
        return Result(groups(work.rows(GROUP_MEMBERS), _named(work, work.rows(ENRICHED_EVENTS))))

    def affected(work: Work) -> list[str] | None:
        return _together(
            groups_of(work.changed(ENRICHED_EVENTS, GROUP_COLUMNS)),
            groups_of(work.changed(GROUP_MEMBERS, GROUP_MEMBERS.column_names)),
        )

    def part(work: Work, ids: list[str]) -> Result:
        events = of_ids(of_a_group(work.rows(ENRICHED_EVENTS)), ids, "group_id")
        return Result(groups(work.rows_of(GROUP_MEMBERS, ids), _named(work, events, ids)))

    how = KeyedRefresh(GROUPS, (GROUP_MEMBERS, ENRICHED_EVENTS), GROUPS_CODE, whole, affected, part, _groups_kept)
    return refresh_keys(run, how)


def _groups_kept(work: Work, made: DataFrame, standing: DataFrame) -> DataFrame:
    return groups_kept(made, standing, _came(work, GROUP_COLUMNS), work.horizon)


def _came(work: Work, columns: Sequence[str]) -> DataFrame | None:
    """The events that name a group and came or went since the table was made, once each; None where that is not
    known."""
    if work.before[ENRICHED_EVENTS.name] is None:
        return None
    return work.checkpoint(of_a_group(work.signed(ENRICHED_EVENTS, columns)))


def _named(work: Work, events: DataFrame, ids: list[str] | None = None) -> DataFrame:
    """The events that name a group, with what was said of them on days that are gone, as the table has it."""
    named, known = of_a_group(events).select(*GROUP_COLUMNS), work.known_of(ids)
    return named if known is None else named.unionByName(groups_said(known, work.horizon).select(*GROUP_COLUMNS))


def _together(*keys: list[str] | None) -> list[str] | None:
    """All of these; None where some of them are too many to be listed."""
    if any(each is None for each in keys):
        return None
    return sorted({key for each in keys for key in each or ()})
