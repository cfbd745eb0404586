"""What Dagster's storage holds while runs come and are forgotten: `python -m benchmarks forgetting [--json]`.

Half hours without the time between them: in each a run of new events, which tells of every table, and one of checks; in
every second one of a day long past. All are the platform's own, on a lake and a warehouse of their own. Now and then,
by default every quarter of a day as the schedule does it, runs from before those that are kept are forgotten, and disk
is given back.
`written_mb_a_day` is what 48 half hours add to the storage, by kind, before anything is forgotten. `kept_mb` is what it
holds after each forgetting (of PostgreSQL all tables, dead rows included), `log_mb` what the database's log takes then,
`kept_mb_a_day` what more is kept after 48 half hours more, as a line through all times says at which as many runs were
kept: what is bounded does not grow. `scratch` are folders that steps have left in the lake, `memory_mb` is this
process's, engine included.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from typing import Any

import dagster as dg
import psutil
import psycopg
import yaml
from dagster._core.storage.tags import SENSOR_NAME_TAG
from sqlalchemy.engine import make_url

from benchmarks.backlog import line
from benchmarks.dagster_bytes import by_kind
from event_assets.contract.records import pack
from event_assets.definitions import build_defs
from event_assets.defs.assets.days import DAYS_TAG
from event_assets.defs.automation import arrivals, late_days, sensors
from event_assets.defs.automation.forgetting import forget, give_back_disk, old_runs
from event_assets.defs.automation.turns import ARRIVAL, CHECKS, PAST, RUN_TAG
from event_assets.embedded.postgres import open_postgres
from event_assets.lake.scratch import SCRATCH
from event_assets.settings import Settings, load_settings
from event_assets.stack.instance import instance_settings
from event_assets.streams import StreamRecord, StreamWriter, open_stream

A_DAY = 48
"""Half hours of a day."""
_STARTING = 2
"""Half hours in which tables are told of for the first time."""
_AT_ONCE = {"ops": {"take_in_events": {"config": {"idle_seconds": 0}}}}


@dataclass
class _Installation:
    """A lake, a warehouse, the definitions, and Dagster's storage in a folder or in a database."""

    settings: Settings
    instance: dg.DagsterInstance
    folder: Path
    database: str | None
    runs: int = 0
    _began: list[dt.datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._definitions = build_defs(self.settings)
        self._stream = open_stream(self.settings)
        self._stream.create(1)

    def half_hour(self, events: int) -> None:
        """The runs of one, with so many events, one of them long past in every second."""
        now, number = dt.datetime.now(dt.UTC), len(self._began)
        self._began.append(now)
        lines = [line(f"{number}-{each}", each, now, now) for each in range(events)]
        past = now - dt.timedelta(days=self.settings.backdate_days + 1 + number) if number % 2 else None
        if past is not None:
            lines.append(line(f"{number}-past", 0, past, now))
        StreamWriter(self._stream).write([StreamRecord("k", data) for data in pack(lines, "zstd")])
        self._run(arrivals.JOB, {RUN_TAG: ARRIVAL}, _AT_ONCE)
        if past is not None:
            self._run(late_days.JOB, {RUN_TAG: PAST, DAYS_TAG: str(past.date())})
        self._run(sensors.CHECKS_JOB, {RUN_TAG: CHECKS})

    def _run(self, job: str, tags: dict[str, str], config: dict[str, Any] | None = None) -> None:
        found = self._definitions.resolve_job_def(job).execute_in_process(
            config, instance=self.instance, tags={SENSOR_NAME_TAG: "event_stream_sensor", **tags}
        )
        assert found.success, job
        self.runs += 1

    def forget(self, kept: int) -> None:
        """Forgets the runs from before the last half hours."""
        before = self._began[-kept] if len(self._began) >= kept else self._began[0]
        forget(self.instance, old_runs(self.instance, before, before, most=100_000))
        give_back_disk(self.instance)

    def kept(self) -> dict[str, float]:
        """MB that the storage holds, by kind."""
        found = by_kind(self.folder)
        if self.database is not None:
            tables = "SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables"
            found["tables"] = self._asked(tables)
        return {kind: round(size / 1e6, 2) for kind, size in found.items()}

    def log(self) -> float:
        """MB of the log that writers go through."""
        if self.database is not None:
            return round(self._asked("SELECT sum(size) FROM pg_ls_waldir()") / 1e6, 2)
        return round(sum(path.stat().st_size for path in self.folder.rglob("*.db-wal")) / 1e6, 2)

    def _asked(self, query: str) -> int:
        assert self.database is not None
        with psycopg.connect(self.database, autocommit=True) as session:
            row = session.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0] or 0)

    @property
    def scratch(self) -> int:
        folder = self.settings.home / "lake" / SCRATCH
        return len([*folder.iterdir()]) if folder.exists() else 0


@contextmanager
def _installation(in_postgres: bool) -> Iterator[_Installation]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="event-assets-forgetting-")))
        url = stack.enter_context(open_postgres(home / "warehouse"))
        os.environ |= {
            "EVENT_ASSETS_HOME": str(home / "home"),
            "EVENT_ASSETS_WAREHOUSE_URL": url,
            "EVENT_ASSETS_PRIVACY_KEY": "k" * 44,
        }
        folder = home / "dagster"
        folder.mkdir()
        config, database = instance_settings(str(folder)), None
        if in_postgres:
            with psycopg.connect(url, autocommit=True) as session:
                session.execute("CREATE DATABASE dagster")
            place = make_url(url).set(database="dagster")
            database = place.set(drivername="postgresql").render_as_string(hide_password=False)
            of_dagster = place.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
            config["storage"] = {"postgres": {"postgres_url": of_dagster}}
        (folder / "dagster.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(folder)))
        yield _Installation(load_settings(), instance, folder, database)


def run(half_hours: int, every: int, kept: int, events: int, in_postgres: bool) -> dict[str, Any]:
    """The figures of so many half hours, of which after `every` so many the runs of the last ones are kept."""
    with _installation(in_postgres) as at:
        written: dict[str, float] = {}
        begun: dict[str, float] = {}
        after, logs, scratch, memory = list[dict[str, float]](), list[float](), list[int](), list[int]()
        for number in range(1, half_hours + 1):
            at.half_hour(events)
            memory.append(psutil.Process().memory_info().rss // 2**20)
            if number == _STARTING:
                begun = at.kept()
            if number == every:
                added = {kind: size - begun.get(kind, 0) for kind, size in at.kept().items()}
                written = {kind: round(size * A_DAY / (every - _STARTING), 1) for kind, size in added.items()}
            if number % every == 0:
                at.forget(kept)
                after.append(at.kept())
                logs.append(at.log())
                scratch.append(at.scratch)
        full = [sum(each.values()) for each in after[-(-kept // every) - 1 :]]
        return {
            "half_hours": half_hours,
            "runs": at.runs,
            "written_mb_a_day": {"all": round(sum(written.values()), 1), **written},
            "kept_mb": [round(sum(each.values()), 1) for each in after],
            "kept_mb_a_day": _slope(full, every),
            "kept_by_kind": after[-1] if after else {},
            "log_mb": logs,
            "scratch": scratch,
            "memory_mb": memory[every - 1 :: every],
            "load_average": round(os.getloadavg()[2], 1),
        }


def _slope(sizes: Sequence[float], every: int) -> float | None:
    """What a day adds, where it is told every so many half hours."""
    if len(sizes) < 2:
        return None
    return round(linear_regression(range(len(sizes)), sizes).slope * A_DAY / every, 2)


def main(argv: list[str]) -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks forgetting", description=__doc__)
    parser.add_argument("--half-hours", type=int, default=2 * A_DAY)
    parser.add_argument("--every", type=int, default=A_DAY // 4, help="half hours from one forgetting to the next")
    parser.add_argument("--kept", type=int, default=A_DAY // 4, help="half hours of which runs are kept")
    parser.add_argument("--events", type=int, default=200, help="events of a half hour")
    parser.add_argument("--postgres", action="store_true", help="the storage is in PostgreSQL, not SQLite")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    if given.every <= _STARTING:
        parser.error(f"--every is more than {_STARTING}: the first half hours do not count for what is written.")
    figures = run(given.half_hours, given.every, given.kept, given.events, given.postgres)
    print(json.dumps(figures) if given.json else json.dumps(figures, indent=2))
    return 0
