"""How many robots that do not say so are found by how they behave, and how many people are taken for robots:
`python -m benchmarks outliers [--git FILE] [--log FILE]`.

Simulated traffic always, of seeds that no test uses: scrapers, click fraud and credential stuffing are planted, and the
crawlers that are always there have their user agents hidden. The distance of the platform is held against an isolation
forest and a robust Mahalanobis distance, each at the limit at which one in a hundred people is told. Of real data what
is named: `--git` a file of `python -m benchmarks git_activity`, all of whose people are taken for people, by periods of
28 days; `--log` a web server's log in the combined format, gzip or not, whose robots are known by the user agents that
are hidden.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from event_assets.contract.tables.people import OUTLIER_VISITORS
from event_assets.enrichment.bots import bot_reason
from event_assets.models.outliers import Numbers
from event_assets.pipeline.outlier_visitors import DAYS, habit_values, outlier_rows, usual_habits
from event_assets.simulator.anomalies import HIDDEN, Anomaly
from event_assets.simulator.generate import TimedEvent, generate, has_hidden_robot
from event_assets.simulator.people import make_hidden_robot, make_person
from event_assets.simulator.rates import FaultRates
from event_assets.transforms.people.habits import habits
from event_assets_tests.engines import sail

FIRST_SEED = 91_000
PEOPLE, CRAWLERS = "people", "crawlers, agent hidden"
_PERIODS = 52
_START = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
_EVENTS = pa.schema(
    [
        ("anonymous_id", pa.string()),
        ("user_id", pa.string()),
        ("event", pa.string()),
        ("event_id", pa.string()),
        ("derived_at", pa.timestamp("us", "UTC")),
        ("page_url", pa.string()),
        ("is_bot", pa.bool_()),
    ]
)
_LINE = re.compile(r'^(\S+) \S+ \S+ \[([^]]+)\] "(?:GET|HEAD|POST) (\S+)[^"]*" \d+ \S+ "[^"]*" "([^"]*)"')
_NO_PAGE = re.compile(r"\.(?:css|js|png|jpe?g|gif|ico|svg|woff2?|ttf|map)(?:\?|$)", re.IGNORECASE)


class Judged(NamedTuple):
    """Visitors: their habits, what was said of them, and of what kind each is."""

    measured: pa.Table
    said: pa.Table
    kinds: list[str]

    def shares(self) -> dict[str, str]:
        """Of each kind how many were told as outliers."""
        flags = self.said["is_outlier"].to_pylist() or [False] * len(self.kinds)
        all_, told = Counter(self.kinds), Counter(kind for kind, flag in zip(self.kinds, flags, strict=True) if flag)
        return {kind: f"{told[kind]} of {all_[kind]}" for kind in sorted(all_)}


def main(argv: list[str]) -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks outliers", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="seeds of simulated traffic")
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--strength", type=float, default=2.0, help="hidden robots of each kind for a hundred people")
    parser.add_argument("--git", type=Path, help="file of python -m benchmarks git_activity")
    parser.add_argument("--log", type=Path, help="log of a web server, combined format")
    parser.add_argument("--json", action="store_true", help="as JSON")
    given = parser.parse_args(argv)
    told: dict[str, Any] = {}
    with sail() as spark:
        for seed in range(FIRST_SEED, FIRST_SEED + given.seeds):
            judged = simulated(spark, seed, given.people, given.days, given.strength)
            told[f"simulated, seed {seed}"] = judged.shares() | {"at one in a hundred people": compared(judged)}
        if given.git:
            told["developers"] = developers(spark, given.git)
        if given.log:
            told["log"] = logged(spark, given.log).shares()
    print(json.dumps(told, indent=None if given.json else 2))
    return 0


def simulated(spark: SparkSession, seed: int, people: int, days: int, strength: float = 2.0) -> Judged:
    """What is said of the visitors of simulated traffic in which every kind of hidden robot is planted."""
    begin = _START.timestamp()
    planted = tuple(Anomaly(kind, begin, begin + days * 86_400, strength) for kind in HIDDEN)
    events = list(generate(seed, people, _START, 24 * days, FaultRates.none(), planted))
    kinds = {
        device.anonymous_id: CRAWLERS
        for number in range(people)
        if (person := make_person(seed, number)).persona.name == "robot"
        for device in person.devices
    }
    for each in planted:
        for number in range(people):
            if has_hidden_robot(seed, each, number):
                kinds[make_hidden_robot(seed, each.kind, number).devices[0].anonymous_id] = each.kind
    return judged(spark, pa.Table.from_pylist(list(_rows(events)), _EVENTS), kinds)


def judged(spark: SparkSession, events: pa.Table, kinds: Mapping[str | None, str]) -> Judged:
    """What is said of visitors by their events; those that `kinds` does not name are people."""
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(events, f"{folder}/events.parquet")
        rows = spark.read.parquet(f"{folder}/events.parquet")
        measured = habits(rows, ("purchase",)).toArrow().sort_by("anonymous_id")
    measured = measured.append_column("person_id", measured["anonymous_id"])
    usual = usual_habits(measured)
    said = outlier_rows(measured, usual) if usual else OUTLIER_VISITORS.arrow_schema().empty_table()
    return Judged(measured, said, [kinds.get(id_, PEOPLE) for id_ in measured["anonymous_id"].to_pylist()])


def compared(of: Judged) -> dict[str, str]:
    """Of all robots how many are told where one in a hundred people is, by each way."""
    from sklearn.covariance import MinCovDet
    from sklearn.ensemble import IsolationForest

    values = habit_values(of.measured)
    known = np.where(np.isfinite(values), values, np.nanmedian(values, axis=0))
    spread = known.std(axis=0)
    moving = known[:, spread > 0] / spread[spread > 0]
    ways = {
        "distance": np.array(of.said["score"].to_pylist()),
        "isolation forest": -IsolationForest(n_estimators=300, random_state=0).fit(moving).score_samples(moving),
        "robust Mahalanobis": MinCovDet(random_state=0).fit(moving).mahalanobis(moving),
    }
    return {name: _told_at(scores, of.kinds) for name, scores in ways.items()}


def _told_at(scores: Numbers, kinds: list[str]) -> str:
    are_people = np.array([kind == PEOPLE for kind in kinds])
    limit = np.quantile(scores[are_people], 0.99)
    return f"{int((scores[~are_people] > limit).sum())} of {int((~are_people).sum())} robots"


def _rows(events: Iterable[TimedEvent]) -> Iterator[dict[str, Any]]:
    for event in events:
        said = msgspec.json.decode(event.body, type=dict[str, Any])
        yield {
            "anonymous_id": event.anonymous_id,
            "user_id": event.user_id,
            "event": event.event,
            "event_id": event.event_id,
            "derived_at": dt.datetime.fromtimestamp(event.occurred_at, dt.UTC),
            "page_url": said.get("page", {}).get("url"),
            "is_bot": False,
        }


def developers(spark: SparkSession, file: Path) -> str:
    """Of the developers of public repositories who did enough in a period of 28 days how many are told, in all of the
    last four years' periods in which they are enough to be judged."""
    rows: dict[int, list[dict[str, Any]]] = {}
    for line in _lines(file):
        said = json.loads(line)
        at = dt.datetime.fromisoformat(said["event_ts"]).astimezone(dt.UTC)
        rows.setdefault(at.toordinal() // DAYS, []).append(
            {
                "anonymous_id": said["user_id"],
                "event": said["event_type"],
                "event_id": said["event_id"],
                "derived_at": at,
                "is_bot": False,
            }
        )
    told, people, periods = 0, 0, 0
    for period in sorted(rows)[-_PERIODS - 1 : -1]:
        said = judged(spark, pa.Table.from_pylist(rows[period], _EVENTS), {}).said
        told += sum(said["is_outlier"].to_pylist())
        people += said.num_rows
        periods += said.num_rows > 0
    return f"{told} of {people:,} in {periods} periods"


def logged(spark: SparkSession, file: Path) -> Judged:
    """What is said of the visitors of a web server, an address with a user agent each, by the pages that they asked
    for; those whose user agent says so are robots."""
    kinds: dict[str | None, str] = {}
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(_lines(file)):
        found = _LINE.match(line)
        if found is None or _NO_PAGE.search(found[3]):
            continue
        address, moment, path, agent = found.groups()
        visitor = hashlib.sha256(f"{address} {agent}".encode()).hexdigest()
        if bot_reason(agent):
            kinds[visitor] = "robots, agent hidden"
        at = dt.datetime.strptime(moment, "%d/%b/%Y:%H:%M:%S %z").astimezone(dt.UTC)
        rows.append(
            {
                "anonymous_id": visitor,
                "event": "page_view",
                "event_id": f"{number:09}",
                "derived_at": at,
                "page_url": path,
                "is_bot": False,
            }
        )
    return judged(spark, pa.Table.from_pylist(rows, _EVENTS), kinds)


def _lines(file: Path) -> Iterator[str]:
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open(encoding="utf-8", errors="replace") as lines:
        yield from lines
