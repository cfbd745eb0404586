"""A lake that the steps made of simulated traffic, and copies of it in which a value is wrong. No tests here."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from event_assets.collector import WriteKeys
from event_assets.company.loading import load
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.tables.lake import table
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.registry import refresh_all
from event_assets.pipeline.run import GivenRules, Run
from event_assets.rules.analysis import Analyses
from event_assets.rules.company import CompanyData
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings, load_settings
from event_assets.simulator.company import databases
from event_assets.simulator.company.databases import SOURCES, fill
from event_assets.simulator.rates import FaultRates
from event_assets.simulator.run import run_simulation
from event_assets.simulator.truth import TruthLedger
from event_assets.streams import open_stream
from event_assets.transforms.events.clean import CleanRules
from event_assets.transforms.events.enrich import EnrichRules
from event_assets.transforms.sessions.sessionise import SessionRules
from event_assets_tests.collector.serving import serving

Row = dict[str, Any]
MORE_ANALYSES = {
    "strict_funnel": """{kind: funnel, order: strict, window: 20 seconds, include_bots: true, breakdown: page_path,
        breakdown_values: 3, steps: [{event: page_view}, {event: page_ping}, {event: page_ping}]}""",
    "where_funnel": """{kind: funnel, days: 3, breakdown: properties.no_such,
        steps: [{event: page_view, where: {device_type: [mobile, desktop]}}, {event: page_view}]}""",
    "trend": """{kind: trends, series: [{event: page_view}, {event: null, measure: people},
        {event: purchase, measure: sum, of: revenue}], formulas: [{formula: A / B}], breakdown: [device_type, country],
        breakdown_values: 3, days: 3, compare: true, where: {platform: {is_not: ios}}}""",
    "known_funnel": """{kind: funnel, where: {person.channel_group: {is_set: true}, group.plan: {is_not: none}},
        steps: [{any: [{event: page_view}, {event: screen_view}]}, anything]}""",
    "member_lifecycle": "{kind: lifecycle, where: {person.segment: {is_set: true}}}",
    "any_order": """{kind: funnel, order: unordered, breakdown: [device_type, country], breakdown_of: last_touch,
        steps: [{event: page_view}, {event: page_ping}, {event: purchase}]}""",
    "excluded_trend": """{kind: funnel_trend, steps: [{event: page_view}, {event: page_ping}], window: 1 hour,
        exclusions: [{event: identify}]}""",
    "company_funnel": "{kind: funnel, unit: group, steps: [{event: page_view}, anything]}",
    "company_trend": "{kind: trends, unit: group, series: [{event: null, measure: people}], where: {platform: web}}",
    "broken_retention": """{kind: retention, period: day, periods: 4, breakdown: [device_type, country], days: 3,
        breakdown_values: 2, compare: true, first_time: true}""",
    "held_lifecycle": "{kind: lifecycle, period: day, days: 2, compare: true, unit: group}",
    "held_viewers": "{kind: active_users, days: 3, days_ago: 1, compare: true}",
    "pinged": "{kind: time_to_convert, steps: [{event: page_view}, {event: page_ping}], window: 1 hour}",
    "monthly_retention": "{kind: retention, target: {event: page_view}, returning: {event: page_ping}, period: month}",
    "rolling_retention": """{kind: retention, target: {event: page_view}, returning: anything, period: day, periods: 5,
        rolling: true, minimum_occurrences: 2}""",
    "daily_retention": "{kind: retention, period: day, periods: 4}",
    "monday_lifecycle": "{kind: lifecycle, event: {event: page_view}, week_starts: monday}",
    "home_paths": "{kind: paths, events: [page_view], start: /, length: 3, collapse_repeats: false, most: 4}",
    "event_paths": "{kind: paths, by: event, start: page_view, end: page_ping, length: 4}",
    "to_paths": "{kind: paths, by: event, end: identify, length: 3}",
    "viewers": "{kind: active_users, event: {event: page_view}}",
    "hourly_stickiness": "{kind: stickiness, period: hour, days: 2}",
    "much_seen": "{kind: web_vitals, least_views: 5, include_bots: true}",
}
"""Analyses that use what the shipped ones do not."""
ZONE, ZONES = "America/New_York", {"plotto-web": "Asia/Kolkata", "plotto-ios": "Pacific/Kiritimati"}


def simulated_lake(spark: SparkSession, home: Path) -> Settings:
    """Eight days of traffic with faults, of apps in several time zones, brought through every step; the settings of its
    home."""
    shutil.copytree(load_settings(home=home).analytics, home / "analyses")
    for name, text in MORE_ANALYSES.items():
        (home / "analyses" / f"{name}.yaml").write_text(text.replace("{", f"{{name: {name}, ", 1))
    folder = home / "analyses"
    settings = load_settings(home=home, collector_ip_rate=0, analytics_dir=folder, time_zone=ZONE, time_zones=ZONES)
    stream, keys = open_stream(settings), WriteKeys.of(settings)
    key = keys.create("demo", "web")
    faults = FaultRates(duplicate=0.05, conflict=0.02, late_visit=0.1, missing_sent_at=0.03)
    with serving(settings, stream, keys) as client:
        for seed in range(7, 27):
            url = str(client.base_url)
            run_simulation(settings, url, key, stream, seed=seed, events=4_000, hours=200, seconds=0.5, faults=faults)
            if _has_bought(settings):
                break
    analyses = Analyses.load(settings.analytics)
    assert not analyses.faults
    segments = Segments.load(settings.segments)
    cleaning = CleanRules(TrackingPlan.load(settings.plan), settings.first_day)
    company, zones = company_data(settings), settings.site_zones
    by_site = EnrichRules(zones=zones), SessionRules(zones=zones)
    rules = GivenRules(cleaning, *by_site, analyses=analyses, segments=segments, company=company)
    refresh_all(Run.on(stream, Lake(Storage(settings.lake)), spark, rules))
    stream.close()
    return settings


def company_data(settings: Settings) -> CompanyData:
    """The made-up CRM and billing, loaded into the lake, with an address that one of the people has."""
    folder = settings.home / "company"
    folder.mkdir()
    addresses = {name: sa.make_url(f"sqlite:///{settings.home}/{name}.db") for name in SOURCES}
    for name in SOURCES:
        text = (Path(databases.__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")
        wanted = f"url: EVENT_ASSETS_WAREHOUSE_URL\ndatabase: {name}\n"
        assert wanted in text
        (folder / f"{name}.yaml").write_text(text.replace(wanted, f"url: {name.upper()}_URL\n"), encoding="utf-8")
    fill(addresses["crm"], addresses["billing"], 7, dt.datetime.now(dt.UTC))
    company = CompanyData.load(folder)
    assert not company.faults
    environment = {f"{name.upper()}_URL": str(address) for name, address in addresses.items()}
    for source in company.usable:
        load(source, Storage(settings.lake), environment)
    return company


def _has_bought(settings: Settings) -> bool:
    """Whether anybody whom the tables may know has: there is nothing to attribute else."""
    bought = "SELECT 1 FROM submissions WHERE event = 'purchase' AND verdict = 'accepted' AND fate = 'clean'"
    with TruthLedger.of(settings) as truth:
        return bool(truth.query(f"{bought} AND NOT refused LIMIT 1"))


def changed_lake(settings: Settings, folder: Path, name: str, change: Callable[[list[Row]], None]) -> Settings:
    """A copy of the lake in which the rows of one file of a table are as `change` leaves them."""
    shutil.copytree(settings.lake, folder, copy_function=os.link)
    change_rows(folder, name, change)
    return settings.model_copy(update={"lake_url": str(folder)})


def change_rows(lake: Path, name: str, change: Callable[[list[Row]], None]) -> None:
    """Writes the largest file of a table again, with other rows; the lake may be a copy made of links."""
    files = [Path(uri.removeprefix("file://")) for uri in DeltaTable(str(lake / name)).file_uris()]
    file = max(files, key=lambda path: pq.read_metadata(path).num_rows)
    rows = pq.read_table(file, partitioning=None).to_pylist()
    change(rows)
    file.unlink()
    pq.write_table(pa.Table.from_pylist(rows, table(name).arrow_schema()), file)


def with_another(column: str) -> Callable[[list[Row]], None]:
    """Makes the last row that has a value there say another one."""

    def change(rows: list[Row]) -> None:
        row = [row for row in rows if row[column] is not None][-1]
        row[column] = _another(row[column])

    return change


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=1)
    other = "8" if value[1:2] == "7" else "7"
    return value.replace(value[1], other, 1) if value[:1] in ("[", '"') else f"{value}{other}"
