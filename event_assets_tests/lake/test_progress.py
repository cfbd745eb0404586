"""What a table remembers of itself."""

from __future__ import annotations

from event_assets.lake.progress import Consumed, Progress


def test_progress_survives_its_json() -> None:
    progress = Progress(
        upstreams={"a": Consumed(3, {"2026-01-01": 1}, "an id")},
        code="x",
        outdated=frozenset({"2026-01-02"}),
        positions={"s": {}},
    )
    assert Progress.from_json(progress.to_json()) == progress


def test_progress_from_before_ids_of_tables_were_kept_is_read() -> None:
    text = b'{"sources":{"a":{"through":3,"pending":{}}},"code":"x","outdated":[],"positions":{}}'
    assert Progress.from_json(text) == Progress({"a": Consumed(3, {}, "")}, "x")


def test_nothing_is_outdated_in_a_table_that_nothing_was_made_in() -> None:
    assert not Progress().is_outdated("2", "2026-01-01")


def test_dates_made_by_older_code_stay_outdated_until_they_are_made_again() -> None:
    dates = ["2026-01-01", "2026-01-02"]
    progress = Progress().with_code("1", [], dates).with_code("2", dates, ["2026-01-01"])
    assert not progress.is_outdated("2", "2026-01-01")
    assert progress.is_outdated("2", "2026-01-02")
    assert not progress.with_code("2", dates, ["2026-01-02"]).outdated
