"""The page of the benchmarks is what they say, and the committed one has them all."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from benchmarks.page import PAGE, RUNS, Run, page, replaced, write


@pytest.mark.slow
@pytest.mark.representative
def test_a_benchmark_is_run_and_its_figures_are_on_the_page(tmp_path: Path) -> None:
    out = tmp_path / "benchmarks.md"
    assert write([Run("Rows", "warehouse", ("--rows", "2000"))], out) == 0
    text = out.read_text(encoding="utf-8")
    assert "## Rows" in text and "python -m benchmarks warehouse --rows 2000" in text
    assert "| rows | 2,000 |" in text and "| ratio append |" in text


def test_where_a_benchmark_fails_the_page_stays_and_its_words_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "benchmarks.md"
    out.write_text("as it was", encoding="utf-8")
    assert write([Run("None", "warehouse", ("--rows", "none"))], out) == 1
    assert out.read_text(encoding="utf-8") == "as it was"
    assert "invalid int value" in capsys.readouterr().err


def test_one_part_of_the_page_is_made_anew_and_the_others_stay() -> None:
    first, second = (Run(title, "warehouse", ()) for title in ("One", "Other"))
    text = page([(first, {"a": 1}), (second, {"b": 2})], dt.date(2026, 1, 2))
    new = text.replace("| b | 2 |", "| b | 3 |")
    assert replaced(text, [f"## Other{new.split('## Other')[1]}".rstrip()]) == new


def test_figures_of_figures_have_a_row_each() -> None:
    run = Run("Any", "warehouse", ())
    text = page([(run, {"a_b": {"p50": 1234, "same": True}, "costs": [0.5, 2], "of": None})], dt.date(2026, 1, 2))
    for row in (
        "| a b p50 | 1,234 |",
        "| a b same | True |",
        "| costs | 0.5, 2 |",
        "| of | none |",
        "| date | 2026-01-02 |",
    ):
        assert row in text


def test_the_same_figures_of_several_things_stand_in_a_table() -> None:
    figures = {"seconds": {"fct_events": {"p50": 1.2, "rows": 1000}, "dim_users": {"p50": 3}}, "sent": 5}
    text = page([(Run("Any", "warehouse", ()), figures)], dt.date(2026, 1, 2))
    assert "| seconds | p50 | rows |\n| --- | --- | --- |\n| fct_events | 1.2 | 1,000 |\n| dim_users | 3 |  |" in text
    assert "| sent | 5 |" in text


def test_the_committed_page_has_every_benchmark_as_it_is_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for run in RUNS:
        assert f"## {run.title}\n" in text
        assert f"`python -m benchmarks {' '.join((run.name, *run.arguments))}`" in text
