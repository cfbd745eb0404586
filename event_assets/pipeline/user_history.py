"""user_history: whose answers are read again is told in `answers.py`.

Of somebody of whom another trait is known, or who was seen earlier, what they agreed to is told by the rows as they
stand.
"""

from __future__ import annotations

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_HISTORY, USER_TRAITS
from event_assets.pipeline.answers import Answers
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.affected import listed, of_ids
from event_assets.transforms.people.user_history import (
    HISTORY_COLUMNS,
    answers_of,
    history_of,
    that_say_more,
    user_history,
)

USER_HISTORY_CODE = "10"
"""Version of the code that makes this table; raise it when the rows it gives change."""


def user_history_step(run: Run) -> StepReport:
    """Brings user_history up to date."""
    sources = (IDENTITIES, ENRICHED_EVENTS, USER_TRAITS)
    answers = Answers(HISTORY_COLUMNS, answers_of, that_say_more, "valid_from")

    def whole(work: Work) -> Result:
        people, events, traits = (work.rows(table) for table in sources)
        return Result(user_history(people, events, traits, answers.before(work)))

    def affected(work: Work) -> list[str] | None:
        described = listed(work.changed(USER_TRAITS, USER_TRAITS.column_names).select("person_id").distinct())
        if described is None or not answers.found(work):
            return None
        return sorted({*answers.again, *described, *answers.people.seen_earlier, *answers.people.new})

    def part(work: Work, persons: list[str]) -> Result | None:
        told = answers.of(work, persons)
        if told is None:
            return None
        people, traits = of_ids(work.rows(IDENTITIES), persons, "person_id"), work.rows_of(USER_TRAITS, persons)
        return Result(history_of(people, told, traits), {"read_again": len(answers.again)})

    return refresh_keys(run, KeyedRefresh(USER_HISTORY, sources, USER_HISTORY_CODE, whole, affected, part))
