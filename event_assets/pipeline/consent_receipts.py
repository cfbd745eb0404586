"""consent_receipts: whose answers are read again is told in `answers.py`."""

from __future__ import annotations

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import CONSENT_RECEIPTS
from event_assets.pipeline.answers import Answers
from event_assets.pipeline.keyed_refresh import KeyedRefresh, Result, Work, refresh_keys
from event_assets.pipeline.report import StepReport
from event_assets.pipeline.run import Run
from event_assets.transforms.people.consent_receipts import (
    RECEIPT_COLUMNS,
    answers_of_receipts,
    consent_receipts,
    receipts_of,
    that_change_receipts,
)

CONSENT_RECEIPTS_CODE = "1"
"""Version of the code that makes this table; raise it when the rows it gives change."""


def consent_receipts_step(run: Run) -> StepReport:
    """Brings consent_receipts up to date."""
    sources = (IDENTITIES, ENRICHED_EVENTS)
    answers = Answers(RECEIPT_COLUMNS, answers_of_receipts, that_change_receipts, "answered_at")

    def whole(work: Work) -> Result:
        people, events = (work.rows(table) for table in sources)
        return Result(consent_receipts(people, events, answers.before(work)))

    def affected(work: Work) -> list[str] | None:
        return sorted({*answers.again, *answers.people.ids_of_new}) if answers.found(work) else None

    def part(work: Work, persons: list[str]) -> Result | None:
        told = answers.of(work, persons)
        return None if told is None else Result(receipts_of(told), {"read_again": len(answers.again)})

    return refresh_keys(run, KeyedRefresh(CONSENT_RECEIPTS, sources, CONSENT_RECEIPTS_CODE, whole, affected, part))
