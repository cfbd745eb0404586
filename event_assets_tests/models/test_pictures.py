"""A picture of a metric shows the band, what was expected and what came."""

from __future__ import annotations

from event_assets.models.pictures import band_picture


def band(*observed: float) -> dict[str, dict[str, float]]:
    times = [f"2026-11-{day:02}" for day in range(1, len(observed) + 1)]
    made = {
        "observed": observed,
        "expected": [10.0] * len(times),
        "low": [7.0] * len(times),
        "high": [13.0] * len(times),
    }
    return {name: dict(zip(times, values, strict=True)) for name, values in made.items()}


def test_the_same_numbers_are_the_same_picture_and_others_are_another() -> None:
    usual, unusual = band(*[10.0] * 20), band(*[10.0] * 19, 40.0)
    assert band_picture("Sessions", usual) == band_picture("Sessions", usual)
    assert band_picture("Sessions", usual) != band_picture("Sessions", unusual)


def test_one_day_and_a_title_like_mathematics_are_drawn() -> None:
    assert band_picture("costs of $a_b$, and more " * 9, band(3.0)).startswith(b"\x89PNG")
