"""Sums of money in SQL are exact where they are written as the documentation writes them."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "sessions.md"


def test_the_sum_that_is_shown_adds_up_a_million_tenths_as_the_platform_does(postgres_url: str) -> None:
    [shown] = re.findall(r"`(sum\(revenue::.+?\))`", PAGE.read_text(encoding="utf-8"))
    amounts = "(SELECT 0.1::float8 AS revenue FROM generate_series(1, 1000000)) AS amounts"
    query = f"SELECT {shown} = 100000, sum(revenue) = 100000 FROM {amounts}"
    with psycopg.connect(postgres_url) as session:
        assert session.execute(query.encode()).fetchall() == [(True, False)]
