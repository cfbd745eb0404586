"""When sums are the same."""

from __future__ import annotations

import math

import pytest

from event_assets.warehouse.loads import LoadExpectation, LoadMismatch, PartitionDate, Standing, Totals, differences
from event_assets_tests.warehouse.lake import TABLES

SEGMENTS = TABLES["dim_user_segments"]


def faults(expected: float | None, found: float, magnitude: float) -> list[str]:
    wanted: LoadExpectation = {None: Totals(2, {"frequency": 3, "monetary": expected})}  # type: ignore[dict-item]
    standing: dict[PartitionDate, Standing] = {
        None: Standing(Totals(2, {"frequency": 3, "monetary": found}), {"monetary": magnitude})
    }
    return list(differences(SEGMENTS, wanted, standing))


@pytest.mark.parametrize(
    ("expected", "found", "magnitude"),
    [
        (0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.6),
        (100.0, 0.0, 2e18),
        (math.nan, math.nan, math.nan),
        (math.inf, math.inf, math.inf),
        (None, 0.0, 0.0),
        (0.0, -0.0, 0.0),
    ],
)
def test_sums_that_differ_by_the_order_of_adding_alone_are_the_same(
    expected: float | None, found: float, magnitude: float
) -> None:
    assert faults(expected, found, magnitude) == []


@pytest.mark.parametrize(
    ("expected", "found", "magnitude"),
    [(1.0, 1.01, 1.0), (math.nan, 1.0, 1.0), (1.0, math.nan, math.nan), (1.0, -1.0, 1.0), (math.inf, 1.0, 1.0)],
)
def test_other_sums_are_not(expected: float, found: float, magnitude: float) -> None:
    assert faults(expected, found, magnitude) == [f"sum of monetary is {found} instead of {expected}"]


def test_a_mismatch_names_the_first_faults_and_counts_the_rest() -> None:
    error = LoadMismatch("dim_users", [f"fault {n}" for n in range(8)])
    assert str(error).endswith("fault 3; fault 4; and 3 more")
    assert len(error.faults) == 8
