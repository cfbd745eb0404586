"""What Dagster's storage holds is told after each forgetting, in SQLite and in PostgreSQL."""

from __future__ import annotations

import json

import pytest

from benchmarks import forgetting


def test_what_a_day_adds_is_told_by_what_each_quarter_does() -> None:
    assert forgetting._slope([1.0, 2.0, 3.0], every=12) == 4.0
    assert forgetting._slope([1.0], every=12) is None


@pytest.mark.slow
@pytest.mark.release
@pytest.mark.parametrize("more", [[], ["--postgres"]])
def test_runs_come_and_are_forgotten(
    more: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "WAREHOUSE_URL", "PRIVACY_KEY"):  # what it sets goes with the test
        monkeypatch.setenv(f"EVENT_ASSETS_{name}", "")
    given = ["--half-hours", "6", "--every", "3", "--kept", "2", "--events", "20", "--json", *more]
    assert forgetting.main(given) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == 6 * 2 + 3 and len(found["kept_mb"]) == len(found["log_mb"]) == 2
    assert found["written_mb_a_day"]["all"] > 0 and found["scratch"] == [0, 0]
    assert ("tables" in found["kept_by_kind"]) is bool(more)
