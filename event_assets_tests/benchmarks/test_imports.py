"""The benchmark of imports: both files are the same events, and a translated one is not dear."""

from __future__ import annotations

from benchmarks.imports import imported


def test_a_file_of_segments_costs_less_than_four_times_what_a_native_one_does() -> None:
    figures = imported(500, 1)
    assert set(figures) == {"cpu_us_native", "cpu_us_segment", "segment_share"}
    assert float(str(figures["segment_share"])) > 0.25
