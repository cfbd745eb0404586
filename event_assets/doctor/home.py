"""All parts of a home, one after the other. What each holds is known in its own module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from event_assets.collector.keys import KeyFileError, WriteKeys
from event_assets.contract.plan import PlanError, TrackingPlan
from event_assets.contract.tables.lake import EVERY_TABLE
from event_assets.doctor.finding import Examined, Finding, put_aside, size_of
from event_assets.doctor.lake import examine_tables
from event_assets.doctor.sqlite import examine_dagster, examine_stream
from event_assets.embedded.postgres import PostgresCluster
from event_assets.embedded.service import StackError
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.rules.analysis import Analyses
from event_assets.rules.company import CompanyData
from event_assets.rules.model import Models
from event_assets.rules.rule_files import RuleError, rule_paths
from event_assets.rules.segment_files import Segments
from event_assets.settings import PREFIX, Settings
from event_assets.streams import open_stream
from event_assets.warehouse.dialect import Session
from event_assets.warehouse.warehouse import Warehouse


def examine(settings: Settings, warehouse_url: Callable[[], str | None]) -> Iterator[Examined]:
    """Everything that the settings' home keeps: stream, keys, rules, Dagster's storage, the lake, the warehouse.

    `warehouse_url` gives the warehouse's address, starting the embedded one where it must; None where there is none
    yet. Nothing is changed.
    """
    home = settings.home.absolute()
    if settings.stream == "embedded":
        yield examine_stream(home / "stream.db", settings.stream_name)
    yield _keys(settings)
    yield _rules(settings)
    yield examine_dagster(home / "dagster")
    lake = Lake(Storage(settings.lake, settings.aws_region, settings.s3_endpoint_url))
    stream = open_stream(settings)
    try:
        yield from examine_tables(lake, [table.name for table in EVERY_TABLE], stream)
        yield _warehouse(settings, warehouse_url)
    finally:
        stream.close()


def _keys(settings: Settings) -> Examined:
    path = settings.home.absolute() / "keys.json"
    findings: tuple[Finding, ...] = ()
    try:
        WriteKeys.of(settings).sources()
    except KeyFileError as error:
        remedy = "collectors that run go on with the keys from before; do what the fault says before one starts again."
        findings = (Finding(str(path), str(error), remedy),)
    return Examined("keys", int(path.exists()), size_of(path), findings)


def _rules(settings: Settings) -> Examined:
    """The tracking plan, the analyses, the segments and the sources of company data."""
    remedy = "mend the file as the fault says, or put it back from a backup."
    findings: list[Finding] = []
    loads: list[tuple[Path, Callable[[Path], list[str]]]] = [
        (settings.plan, _plan),
        (settings.analytics, lambda folder: list(Analyses.load(folder).faults.values())),
        (settings.segments, lambda folder: list(Segments.load(folder).faults.values())),
        (settings.models, _models),
    ]
    if settings.company is not None:
        loads.append((settings.company, lambda folder: list(CompanyData.load(folder).faults.values())))
    for folder, load in loads:
        try:
            findings += [Finding(str(folder), fault, remedy) for fault in load(folder)]
        except (PlanError, RuleError) as error:
            findings.append(Finding(str(folder), str(error), remedy))
    files = [path for folder, _ in loads for path in rule_paths(folder)]
    return Examined("plan, analyses, segments", len(files), sum(map(size_of, files)), tuple(findings))


def _models(folder: Path) -> list[str]:
    return list(Models.load(folder).faults.values())


def _plan(folder: Path) -> list[str]:
    TrackingPlan.load(folder)
    return []


def _warehouse(settings: Settings, warehouse_url: Callable[[], str | None]) -> Examined:
    """Whether the warehouse answers; of the embedded one, whether every row of its tables can be read."""
    is_own = settings.warehouse_url is None
    try:
        url = warehouse_url()
        if url is None:
            return Examined("warehouse", 0, 0)
        warehouse = Warehouse.from_settings(settings, url)
        with warehouse.connect() as session:
            session.execute(sql.SQL("SELECT 1")).fetchall()
            for name in _tables_of(session, warehouse.schema) if is_own else ():
                rows = sql.SQL("SELECT count(t.*) FROM {} AS t").format(sql.Identifier(warehouse.schema, name))
                session.execute(rows).fetchall()
        return Examined("warehouse", int(is_own), 0)
    except (psycopg.Error, StackError) as error:
        return Examined("warehouse", int(is_own), 0, (_of_warehouse(settings, is_own, " ".join(str(error).split())),))


def _tables_of(session: Session, schema: str) -> list[str]:
    tables = sql.SQL("SELECT tablename FROM pg_tables WHERE schemaname = {} ORDER BY 1").format(sql.Literal(schema))
    return [row[0] for row in session.execute(tables).fetchall()]


def _of_warehouse(settings: Settings, is_own: bool, fault: str) -> Finding:
    if not is_own:
        remedy = f"see that the server runs and that {PREFIX}WAREHOUSE_URL is right; the lake has all that it holds."
        return Finding("the warehouse", fault, remedy)
    folder = PostgresCluster(settings.home).data
    remedy = (
        "stop the stack, then `event-assets doctor --heal` puts the folder aside: a new one is made, and materialising "
        "the `warehouse/…` assets loads it from the lake."
    )
    return Finding(str(folder), fault, remedy, (lambda: _aside(folder)) if folder.exists() else None)


def _aside(folder: Path) -> str:
    return f"{folder} was moved to {put_aside(folder)}: a new one is made, and loaded from the lake."
