"""How long the ingest API takes to say where a model puts somebody: `python -m benchmarks scores [--json]`.

An online table (SQLite) of so many people, each with `--days` days on which they did something, a model of eight
features, and one collector process that another process (`benchmarks.load`) asks for one person after the other, at
`--rate` requests a second. A third of those who are asked for is unknown. What the figures are is told in
`benchmarks.answering`; the goal is a p99 of 10 ms at 300 a second.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from benchmarks.answering import Figures, Question, Server, answering, shown
from benchmarks.collector import UNREACHED_RATE, collector_process
from event_assets.collector import WriteKeys
from event_assets.models.scoring import NumberWeight, ScoreModel, ScoreRule, ScoreSegment
from event_assets.online import MODELS_ID, open_online
from event_assets.settings import load_settings

PEOPLE, DAYS, RATE, SECONDS = 100_000, 12, 300.0, 30.0
_BATCH, _ASKED = 5_000, 20_000
_FEATURES: dict[str, dict[str, object]] = {
    "events_ever": {"count": "anything"},
    "events_7d": {"count": "anything", "last": "7 days"},
    "active_days_30d": {"days": "anything", "last": "30 days"},
    "views_7d": {"count": {"event": "page_view"}, "last": "7 days"},
    "purchases_90d": {"count": {"event": "purchase"}, "last": "90 days"},
    "revenue_90d": {"sum": "revenue", "of": {"event": "purchase"}, "last": "90 days"},
    "days_since_seen": {"days_since": "anything"},
    "days_since_first_seen": {"days_since_first": "anything"},
}
_MODEL = ScoreModel(
    "comes_back",
    "1",
    _FEATURES,
    [NumberWeight(name, 1.0, 2.0, 0.1, -0.1, log=True) for name in _FEATURES],
    -0.5,
    (1.0, 0.0),
    [ScoreSegment("likely", 0.5), ScoreSegment("unlikely", 0.0)],
    ScoreRule("events_ever", 5),
    True,
    "",
    "2026-01-04",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scores", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--people", type=int, default=PEOPLE, help="people in the table")
    parser.add_argument("--days", type=int, default=DAYS, help="days of each")
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="length of each measurement")
    parser.add_argument("--ahead", action="store_true", help="run before all other processes")
    asked = parser.parse_args(argv)
    print(shown(measure(asked.people, asked.days, asked.rate, asked.seconds, asked.ahead), asked.json))
    return 0


def measure(people: int, days: int, rate: float, seconds: float, ahead: bool = False) -> Figures:
    """All figures: milliseconds, microseconds, requests a second."""
    with tempfile.TemporaryDirectory(prefix="event-assets-") as folder, ExitStack() as running:
        home, bodies = Path(folder) / "home", Path(folder) / "bodies"
        url, _, process = running.enter_context(collector_process("null", home))
        bare_url, _, bare = running.enter_context(collector_process("bare", Path(folder) / "bare"))
        _publish(home, people, days)
        key = WriteKeys(home / "keys.json").create("front", "web", events_per_second=UNREACHED_RATE, reads=("*",))
        chosen = random.Random(7)
        bodies.write_bytes(b"\n".join(_body(chosen, people) for _ in range(_ASKED)))
        question = Question("/v1/segment", bodies, key, ("--reads",))
        figures = answering(Server(url, process), Server(bare_url, bare), question, seconds, rate, ahead)
    return {"people": people, "days": days, **figures}


def _body(chosen: random.Random, people: int) -> bytes:
    today = {"page_view": chosen.randint(1, 9), "add_to_cart": chosen.randint(0, 2)}
    return msgspec.json.encode({"anonymous_id": f"a-{chosen.randrange(people * 3 // 2)}", "today": today})


def _publish(home: Path, people: int, days: int) -> None:
    table, now = open_online(load_settings(home=home), "features"), dt.datetime.now(dt.UTC)
    part = {name: 2 for name, feature in _FEATURES.items() if "sum" not in feature} | {"revenue_90d": "12.500000"}
    said = msgspec.json.encode(part).decode()

    def facts() -> Iterator[list[tuple[str, str, str]]]:
        dates = [str(now.date() - dt.timedelta(days=3 * day + 1)) for day in range(days)]
        for first in range(0, people, _BATCH):
            yield [(f"u-{n}", date, said) for n in range(first, min(first + _BATCH, people)) for date in dates]
        yield [(MODELS_ID, _MODEL.name, msgspec.json.encode(_MODEL).decode())]

    def ids() -> Iterator[list[tuple[str, str, str]]]:
        for first in range(0, people, _BATCH):
            yield [("anonymous", f"a-{n}", f"u-{n}") for n in range(first, min(first + _BATCH, people))]
        yield [("model", MODELS_ID, MODELS_ID)]

    try:
        table.replace(facts(), ids(), "1", now)
    finally:
        table.close()
