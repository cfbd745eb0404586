"""How well a model foretells who comes back, against its rule, on a file of real events: `python -m benchmarks models
FILE [--json]`.

The file is NDJSON, as `python -m benchmarks git_activity` writes it. Features are those of a first day; the model is
tried on later people than it learned from, and held against boosted trees, which are not used anywhere. How long a
score takes is measured beside, from the document and by scikit-learn.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from event_assets.models.features import at_instant, day_of
from event_assets.models.scoring import score
from event_assets.models.training import Examples, split, train
from event_assets.models.trying import compare
from event_assets.rules.condition import Step
from event_assets.rules.feature import Feature
from event_assets.rules.model import Model, Rule, ScoredSegment

_TIMED = 5_000


def main(argv: list[str]) -> int:
    """Prints what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks models", description=__doc__)
    parser.add_argument("file", type=Path, help="events: NDJSON, gzip where its name ends so")
    parser.add_argument("--days", type=int, default=30, help="days in which somebody comes back")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    days, names = _days(arguments.file)
    features = {"events": Feature(count="anything")}
    features |= {name: Feature(count=Step(event=name)) for name in names}
    model = Model(
        name="comes_back",
        target="anything",
        within=f"{arguments.days} days",
        features=[*features],
        rule=Rule(feature="events", at_least=5.0),
        segments=[ScoredSegment(segment="likely", at_least=0.5), ScoredSegment(segment="unlikely")],
        test_share=0.3,
    )
    found = _measured(model, features, _examples(days, features, model.days))
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name}: {value}")
    return 0


def _days(path: Path) -> tuple[dict[str, dict[int, Counter[str]]], list[str]]:
    """By person and day how many events of each name, and all names."""
    people: dict[str, dict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    names: set[str] = set()
    for event in _events(path):
        at = dt.datetime.fromisoformat(event["event_ts"]).astimezone(dt.UTC)
        people[event["user_id"]][day_of(at.date())][event["event_type"]] += 1
        names.add(event["event_type"])
    return people, sorted(names)


def _events(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for line in file:
            yield json.loads(line)


def _examples(people: dict[str, dict[int, Counter[str]]], features: dict[str, Feature], within: int) -> Examples:
    """Everybody at the end of the first day, whose days have passed by the last day of all."""
    last = max(max(days) for days in people.values())
    firsts = sorted((min(days), person) for person, days in people.items() if min(days) + within <= last)
    return Examples(
        [day for day, _ in firsts],
        [at_instant(features, {}, day, people[person][day]) for day, person in firsts],
        [any(day < each <= day + within for each in people[person]) for day, person in firsts],
    )


def _measured(model: Model, features: dict[str, Feature], examples: Examples) -> dict[str, Any]:
    learned, tried = split(examples, model.test_share, model.days)
    trained = train(model, features, examples, "benchmark", "")
    did = np.array(tried.did)
    matrices = [np.array([[values[name] for name in features] for values in each.values]) for each in (learned, tried)]
    trees = HistGradientBoostingClassifier(random_state=1, max_depth=3, learning_rate=0.05).fit(
        matrices[0], learned.did
    )
    used = msgspec.structs.replace(trained.model, promoted=True)
    scores = {
        "rule": np.array([float(values["events"] or 0) for values in tried.values]),
        "model": np.array([score(used, values).score for values in tried.values], dtype=float),
        "boosted trees": trees.predict_proba(matrices[1])[:, 1],
    }
    compared = compare(scores, did)
    values = [tried.values[at % len(tried)] for at in range(_TIMED)]
    began = time.perf_counter()
    for each in values:
        score(used, each)
    own = (time.perf_counter() - began) / len(values)
    began = time.perf_counter()
    for row in matrices[1][:200]:
        trees.predict_proba(row.reshape(1, -1))
    theirs = (time.perf_counter() - began) / min(200, len(tried))
    return {
        "learned from": len(learned),
        "tried on": len(tried),
        "came back": round(float(did.mean()), 3),
        **{f"area of {name}": str(interval) for name, interval in compared.areas.items()},
        **{f"{name} less rule": str(interval) for name, interval in compared.differences.items()},
        "promoted": trained.model.promoted,
        "why": trained.model.why,
        "expected calibration error": round(trained.card.expected_error, 3),
        "Brier score": round(trained.card.brier, 4),
        "Brier score of the rate": round(trained.card.brier_of_rate, 4),
        "microseconds a score": round(own * 1e6, 1),
        "microseconds of one row of boosted trees": round(theirs * 1e6, 1),
    }
