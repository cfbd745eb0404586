"""What the runs of the last minutes say."""

from __future__ import annotations

import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate

from event_assets.stack import health
from event_assets.stack.health import RecentRun, failures_in_a_row


@pytest.mark.parametrize(
    ("statuses", "failures"),
    [
        ([], 0),
        (["STARTED", "FAILURE", "QUEUED", "FAILURE", "SUCCESS", "FAILURE"], 2),
        (["SUCCESS", "FAILURE"], 0),
        (["FAILURE"] * 5, 5),
    ],
)
def test_failures_in_a_row_are_those_since_the_last_run_that_went_well(statuses: list[str], failures: int) -> None:
    runs = [RecentRun(str(number), status, 0) for number, status in enumerate(statuses)]
    assert failures_in_a_row(runs) == failures


def test_every_question_to_the_ui_is_one_that_its_schema_knows() -> None:
    schema = create_schema().graphql_schema
    for question in (health._LOCATIONS, health._LAST_FAILURE, health._RECENT, health._DAEMONS):
        assert validate(schema, parse(question)) == []
