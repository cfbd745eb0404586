"""Statements in the audit log name nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.audit import without_values

SECRET = "ann@shop.example"


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        (
            "SELECT a1 FROM fct_events\n WHERE user_id = 'ann' AND n > 17.5",
            "SELECT a1 FROM fct_events WHERE user_id = ? AND n > ?",
        ),
        ("SELECT 1 -- of ann\n, 2", "SELECT ? , ?"),
        ("SELECT /* ann */ 'it''s' || $$ann$$ || $t$ann$t$", "SELECT ? || ? || ?"),
        ('SELECT "event_date", "ann@shop.example" FROM "fct_events"', 'SELECT "event_date", ? FROM "fct_events"'),
        (r"SELECT E'it\'s ann' || 'more' FROM dim_users", "SELECT E?"),
        ("SELECT 'ann", "SELECT ?"),
    ],
)
def test_what_is_asked_stays_and_values_go(statement: str, kept: str) -> None:
    assert without_values(statement) == kept


@given(
    st.lists(
        st.sampled_from(["SELECT a", "''", "'b'", "\\", "E", '"c"', "$$d$$", " ", "/*'*/", "--'\n", "1"]), max_size=8
    ),
    st.sampled_from(["'{}'", "E'{}'", "$${}$$", "'x''{}'", "'{}", '"{}"']),
)
def test_a_value_is_never_kept_whatever_stands_before_it(before: list[str], quoted: str) -> None:
    assert SECRET not in without_values(f"{' '.join(before)} {quoted.format(SECRET)}")
