"""When company data is loaded: a source at a time, so long after the last load as its file says; and when its sources
are asked whether they answer.

Nothing is remembered: when a source was loaded last is told by Dagster's runs. One that does not answer is not loaded:
its check says what is wrong, and no run fails of it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import dagster as dg

from event_assets.contract.tables.company import COMPANIES, PERSON_ATTRIBUTES
from event_assets.defs.assets.company import company_key
from event_assets.defs.automation.turns import UNFINISHED
from event_assets.defs.checks.company import ANSWERS
from event_assets.defs.resources.lake import LakeResource
from event_assets.rules.company import CompanyData, CompanySource

SOURCE_TAG = "event_assets/company"
"""Marks the runs that the sensor asks for, by their source."""
_LOOK_SECONDS = 30
_RETRY = dt.timedelta(minutes=5)
"""After a load that failed, at the latest."""


def company_sensor(company: CompanyData) -> dg.SensorDefinition:
    """The sensor that asks for the loads that are due, each with what is made of it up to the warehouse."""
    made_of_it = [
        dg.AssetKey(path)
        for table in (PERSON_ATTRIBUTES, COMPANIES)
        for path in ([table.name], *([["warehouse", table.warehouse.name]] if table.warehouse else []))
    ]
    keys = {source.name: [*_keys(source), *made_of_it] for source in company.usable}

    @dg.sensor(
        name="company_data_sensor",
        description="Asks for a load of each source of company data when it is due and the source answers.",
        target=dg.AssetSelection.assets(*sorted({key for each in keys.values() for key in each})),
        minimum_interval_seconds=_LOOK_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def company_data_sensor(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SensorResult:
        requests, waiting = [], []
        for source in company.usable:
            reason = _not_due(context.instance, source) or _silent(source, lake)
            if reason:
                waiting.append(f"{source.name}: {reason}.")
            else:
                tags = {SOURCE_TAG: source.name}
                requests.append(dg.RunRequest(asset_selection=keys[source.name], tags=tags))
        return dg.SensorResult(requests, skip_reason=None if requests else " ".join(waiting))

    return company_data_sensor


def company_schedule(company: CompanyData) -> dg.ScheduleDefinition:
    """Each hour all sources are asked whether they answer."""
    checks = [dg.AssetCheckKey(key, ANSWERS) for source in company.usable for key in _keys(source)]
    job = dg.define_asset_job(
        "company_checks",
        selection=dg.AssetSelection.checks(*checks),
        description="Asks every source of company data whether it answers and is fresh.",
    )
    return dg.ScheduleDefinition(
        name="company_checks_hourly",
        job=job,
        cron_schedule="52 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _keys(source: CompanySource) -> Sequence[dg.AssetKey]:
    return [company_key(source, table) for table in source.tables]


def _not_due(instance: dg.DagsterInstance, source: CompanySource) -> str:
    """Why a source is not loaded now; empty where it is due."""
    tags: Mapping[str, str] = {SOURCE_TAG: source.name}
    last = instance.get_run_records(dg.RunsFilter(tags=tags), limit=1)
    if not last:
        return ""
    status = last[0].dagster_run.status
    if status in UNFINISHED:
        return "a load is under way"
    failed = status != dg.DagsterRunStatus.SUCCESS
    left = last[0].create_timestamp + (min(source.interval, _RETRY) if failed else source.interval) - _now()
    return f"the next load is in {left.total_seconds():.0f} s" if left > dt.timedelta() else ""


def _silent(source: CompanySource, lake: LakeResource) -> str:
    """What is wrong with a source of which nothing can be read; empty where it answers."""
    from event_assets.company.checking import check_source

    found = check_source(source, lake.open().storage)
    return "" if any(each.reachable for each in found) else f"it does not answer ({found[0].fault})"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
