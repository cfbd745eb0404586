"""What the runs of the last minutes say."""

from __future__ import annotations

import pytest

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
