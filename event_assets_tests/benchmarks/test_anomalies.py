"""The benchmark of anomalies counts what it says: windows, alerts outside of them, and days."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.anomalies import SHOP_STORIES, Score, main, numenta, shop
from benchmarks.planted_minutes import by_minutes
from benchmarks.simulated_minutes import HOURS, START, WITHIN, planted, simulated_minutes

BEGIN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def hours(path: Path, days: int, peaks: dict[int, float]) -> None:
    """Values of every half hour, with a peak in some hours."""
    rng = np.random.default_rng(len(path.name))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "value"))
        for number in range(48 * days):
            value = 100 + 20 * np.sin(2 * np.pi * number / 48) + rng.normal(0, 3) + peaks.get(number // 2, 0)
            rows.writerow((f"{BEGIN + dt.timedelta(minutes=30 * number):%Y-%m-%d %H:%M:%S}", f"{value:.3f}"))


def window(first: int, last: int) -> tuple[str, str]:
    return str(BEGIN + dt.timedelta(hours=first)), str(BEGIN + dt.timedelta(hours=last))


def test_windows_that_are_hit_and_alerts_outside_of_them_are_counted_by_half(tmp_path: Path) -> None:
    hours(tmp_path / "data/a/found.csv", 12, {200: 400})
    hours(tmp_path / "data/b/false.csv", 12, {150: 400})
    hours(tmp_path / "data/c/nothing.csv", 12, {})
    labels = {"a/found.csv": [window(195, 205)], "b/false.csv": [window(240, 250)], "c/nothing.csv": []}
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/combined_windows.json").write_text(json.dumps(labels))
    scores = numenta(tmp_path)
    assert (scores["first"].found, scores["first"].missed) == (1, 0) and scores["first"].false <= 1
    assert (scores["second"].found, scores["second"].missed, scores["second"].false) == (0, 1, 1)
    assert scores["second"].precision == scores["second"].f1 == 0


def test_scores_are_those_of_the_words() -> None:
    score = Score(3, 1, 2, 20)
    assert (score.precision, score.recall, score.false_a_day) == (0.6, 0.75, 0.1)
    assert score.f1 == pytest.approx(2 / 3)


def test_a_story_counts_only_in_a_series_of_its_own_and_usual_days_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a shop in which only the gateway fails."""
    rng, rows = np.random.default_rng(3), []
    for number in range(181):
        day = dt.date(2024, 1, 1) + dt.timedelta(days=number)
        fails = dt.date(2024, 5, 19) <= day <= dt.date(2024, 6, 7)
        for visit in range(rng.poisson(30)):
            row = [f"u{visit}", f"s{number}-{visit}", "home", f"{day} 10:00:00", "mobile", "organic"]
            rows.append(row)
            if visit < 12:
                rows.append([*row[:2], "payment_details", *row[3:]])
                paid = rng.random() < (0.1 if fails else 0.8)
                rows.append([*row[:2], "purchase" if paid else "payment_error" if fails else "home", *row[3:]])
    file = tmp_path / "shop.csv.gz"
    with gzip.open(file, "wt", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("user_id", "session_id", "event", "timestamp", "platform", "acquisition_channel"))
        writer.writerows(rows)
    told = shop(file)
    assert str(told["payment gateway incident"]).startswith("found: ")
    assert {told[story] for story in SHOP_STORIES if story != "payment gateway incident"} == {"not found"}
    alerting, quiet = str(told["usual days alerting"]).split(" of ")
    assert int(quiet) == 74 and int(alerting) <= 6
    assert main(["--seeds", "0", "--shop", str(file)]) == 0
    assert "usual days alerting" in capsys.readouterr().out


def test_of_faults_of_errors_it_says_how_often_the_best_of_all_tests_tells_them() -> None:
    """Both are at night: of a platform it is likely, of everything next to certain."""
    told = {name: str(words) for name, words in by_minutes([3], days=0).items()}
    of_best = {name: float(words.split("tests: ")[1][:3]) for name, words in told.items() if "tests: " in words}
    assert of_best.keys() == {"five times the errors of a platform", "five times the errors of all"}
    assert 0.5 < of_best["five times the errors of a platform"] < of_best["five times the errors of all"] <= 1
    assert not any("usual days" in name for name in told)


def test_anomalies_of_minutes_are_planted_hours_apart_and_once_a_kind() -> None:
    for seed in range(5):
        found = sorted(planted(seed), key=lambda each: each.begins)
        assert {each.kind for each in found} == set(WITHIN) and found == sorted(planted(seed), key=lambda e: e.begins)
        assert all(later.begins - each.ends > 2 * 3600 for each, later in pairwise(found))
        assert found[-1].ends < START.timestamp() + HOURS * 3600
    assert planted(1) != planted(2)


@pytest.mark.slow
def test_a_simulated_burst_of_errors_is_told_by_what_is_shipped() -> None:
    """Of a site with a dozen events a minute, of which one person sends many at once."""
    told = simulated_minutes([4], people=1_500)
    assert told["error_burst"].startswith("1 of 1 told")
    assert int(told["incidents of nothing that was planted"].split()[0]) <= 1
