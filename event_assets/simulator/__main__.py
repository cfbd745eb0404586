"""`python -m event_assets.simulator OUT`: writes simulated traffic into a file, without sending it."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from event_assets.simulator.anomalies import AnomalyError, anomalies_of
from event_assets.simulator.files import write_file
from event_assets.simulator.generate import people_for


def main() -> None:
    """Reads the command line and writes the file."""
    parser = argparse.ArgumentParser(prog="python -m event_assets.simulator", description=__doc__)
    parser.add_argument("out", type=Path, help="NDJSON file; .gz and .zst are compressed")
    parser.add_argument("--events", type=int, default=20_000, help="about how many")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--start", type=dt.datetime.fromisoformat, required=True, help="with an offset, RFC 3339")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--anomaly", action="append", default=[], help="KIND[,FROM,TO[,STRENGTH]]; repeatable")
    given = parser.parse_args()
    if given.start.tzinfo is None:
        parser.error("--start needs an offset: 2026-11-20T12:00:00Z")
    try:
        planted = anomalies_of(given.anomaly, given.seed, given.start.timestamp(), given.hours * 3600)
    except AnomalyError as fault:
        parser.error(str(fault))
    people = people_for(given.events, given.seed, given.start, given.hours, anomalies=planted)
    fates = write_file(
        given.out, seed=given.seed, people=people, start=given.start, hours=given.hours, anomalies=planted
    )
    print(f"{fates.total()} events of {people} people: {dict(fates)}")
    for each in planted:
        from_, to = (dt.datetime.fromtimestamp(at, dt.UTC).isoformat() for at in (each.begins, each.ends))
        print(f"{each.kind} from {from_} to {to}: {each.what}; seen in {each.metric}")


if __name__ == "__main__":
    main()
