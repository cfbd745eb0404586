"""What the benchmark of freshness sends is what the ingest API takes, and each event is looked for where it belongs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.freshness import Traffic, Watch, draw
from event_assets.collector import WriteKeys
from event_assets.settings import Settings
from event_assets.streams import open_stream
from event_assets_tests.collector.serving import serving


def test_all_that_it_sends_is_taken_and_some_of_it_looked_for(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    stream, keys, watch = open_stream(settings), WriteKeys.of(settings), Watch("nowhere")
    with serving(settings, stream, keys) as client:
        client.headers["Authorization"] = f"Bearer {keys.create('freshness', 'web')}"
        traffic = Traffic(client, watch)
        traffic.send(rate=10_000, seconds=0.01)
    stream.close()
    assert traffic.sent >= 27
    assert len(watch.waiting["fct_events"]) > 1 and len(watch.waiting["dim_users"]) == 1


def test_what_was_acknowledged_before_the_first_row_was_seen_tells_of_the_start_alone() -> None:
    watch = Watch("nowhere")
    watch.took["fct_events"] += [(10.0, 5.0), (12.0, 3.0), (15.5, 1.0)]
    watch.took["dim_users"] += [(11.0, 9.0), (16.0, 4.0)]
    assert (watch.seconds("fct_events"), watch.seconds("dim_users")) == ([1.0], [4.0])


def test_the_same_rows_are_the_same_picture_with_a_colour_a_table(tmp_path: Path) -> None:
    took = {"fct_events": [(10.0 + n / 10, 1.0 + n % 3) for n in range(2000)], "dim_users": [(11.0, 40.0)], "none": []}
    pictures = [tmp_path / folder / "freshness.svg" for folder in ("one", "other")]
    for path in pictures:
        path.parent.mkdir()
        draw(took, 300, path)
    first, second = (path.read_bytes() for path in pictures)
    assert first == second and first.count(b"<use ") > 400
