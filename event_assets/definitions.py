"""The platform as Dagster sees it: `defs`, in the order of the data. Assembly only; nothing is computed here."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

import dagster as dg

from event_assets.contract.tables.company import COMPANIES, PERSON_ATTRIBUTES
from event_assets.contract.tables.warehouse import WAREHOUSE_TABLES
from event_assets.defs.assets.company import (
    GROUP,
    NOT_INSTALLED,
    can_load,
    company_asset,
    company_specs,
    described_keys,
)
from event_assets.defs.assets.company import PREFIX as COMPANY_PREFIX
from event_assets.defs.assets.metrics import metrics_by_table
from event_assets.defs.assets.online import online_asset, online_features_asset
from event_assets.defs.assets.product import PREFIX, analysis_asset, assets_by_table, unusable_files
from event_assets.defs.assets.sources import client_apps, event_stream
from event_assets.defs.assets.tables import table_asset
from event_assets.defs.assets.warehouse import warehouse_asset
from event_assets.defs.assets.webhooks import webhooks_assets
from event_assets.defs.automation.alarms import alarm_sensor
from event_assets.defs.automation.analyses import analyses_job, analyses_sensor
from event_assets.defs.automation.company import company_schedule, company_sensor
from event_assets.defs.automation.continuous import continuous_job
from event_assets.defs.automation.digests import digest_schedules, send_digest
from event_assets.defs.automation.erasures import erase_requested, erasure_schedule
from event_assets.defs.automation.incidents import incidents_sensor
from event_assets.defs.automation.maintenance import maintain_lake, prune_runs, schedules
from event_assets.defs.automation.partitions import partitions_of
from event_assets.defs.automation.retention import expire_old_days, retention_schedule
from event_assets.defs.automation.sensors import stream_sensor
from event_assets.defs.automation.simulation import simulation_job
from event_assets.defs.automation.telling import failed_runs
from event_assets.defs.checks.alarms import alarm_checks
from event_assets.defs.checks.anomalies import ANOMALY_CHECKS
from event_assets.defs.checks.attribution import ATTRIBUTION_CHECKS
from event_assets.defs.checks.company import company_checks
from event_assets.defs.checks.events import EVENT_CHECKS
from event_assets.defs.checks.models import MODEL_CHECKS
from event_assets.defs.checks.people import PEOPLE_CHECKS
from event_assets.defs.checks.warehouse import WAREHOUSE_CHECKS
from event_assets.defs.executors import executor_of
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.online import OnlineResource
from event_assets.defs.resources.rules import RulesResource, require_usable_rules
from event_assets.defs.resources.spark import arrivals_spark_resource, spark_resource
from event_assets.defs.resources.stream import StreamResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.defs.resources.webhooks import WebhooksResource
from event_assets.pipeline.registry import STEPS, RefreshStep, step_of
from event_assets.pipeline.spend import SpendError
from event_assets.rules.analysis import Analyses
from event_assets.rules.company import CompanyData
from event_assets.rules.rule_files import RuleError
from event_assets.rules.segment_files import Segments
from event_assets.settings import Settings, load_settings
from event_assets.telemetry.process import tell_to

_LOG = logging.getLogger(__name__)


def build_defs(settings: Settings, of_components: Collection[str] = ()) -> dg.Definitions:
    """Everything that Dagster runs, for these settings, but the assets of the analyses `of_components`, which bring
    their own."""
    partitions = partitions_of(settings)
    analyses, segments = Analyses.load(settings.analytics), Segments.load(settings.segments)
    company = CompanyData.load(settings.company)
    versions = _versions(settings)
    made_of = assets_by_table(analyses)
    beside = dict.fromkeys((PERSON_ATTRIBUTES.name, COMPANIES.name), described_keys(company))
    tables = {
        step.name: table_asset(step, settings, partitions, made_of, versions[step.name], beside) for step in STEPS
    }
    metrics = metrics_by_table(settings)
    loads = {table: warehouse_asset(table, settings, partitions, metrics) for table in WAREHOUSE_TABLES}
    product = {each.name: analysis_asset(each, settings) for each in analyses.usable}
    timely = [
        *(tables[step.name] for step in STEPS if step.pace != "pauses"),
        *(load for table, load in loads.items() if step_of(table.lake).pace != "pauses"),
    ]
    of_others = [product[name] for name in of_components if name in product]
    in_pauses = [
        *product.values(),
        *(tables[step.name] for step in STEPS if step.pace == "pauses"),
        online_asset(settings),
        online_features_asset(settings),
        *webhooks_assets(settings),
        *(load for table, load in loads.items() if step_of(table.lake).pace == "pauses"),
    ]
    of_company, of_quicksight = _of_company(settings, company), _of_quicksight(settings)
    of_alarms = _of_alarms(settings)
    pruning = prune_runs(settings)
    checks = [*EVENT_CHECKS, *ATTRIBUTION_CHECKS, *MODEL_CHECKS, *WAREHOUSE_CHECKS]
    every_check = [*checks, *ANOMALY_CHECKS, *PEOPLE_CHECKS]
    return dg.Definitions(
        assets=[
            client_apps,
            event_stream(settings),
            *of_company.assets,
            *timely,
            *(each for each in in_pauses if each not in of_others),
            *unusable_files(PREFIX, "product", analyses.faults),
            *unusable_files("segments", "segments", segments.faults),
            *of_quicksight.assets,
        ],
        asset_checks=[*every_check, *of_company.checks, *of_alarms.checks],
        jobs=[
            maintain_lake,
            pruning,
            erase_requested,
            expire_old_days,
            send_digest,
            simulation_job(settings),
            *([continuous_job(partitions)] if settings.is_on_cluster else []),
        ],
        schedules=[
            *schedules(settings, partitions, pruning),
            erasure_schedule(),
            retention_schedule(settings),
            *digest_schedules(settings),
            *of_company.schedules,
            *of_quicksight.schedules,
        ],
        sensors=[
            stream_sensor(settings, partitions, checks),
            analyses_sensor(settings, analyses, segments, analyses_job(in_pauses, every_check)),
            *of_company.sensors,
            failed_runs,
            incidents_sensor(settings),
            *of_alarms.sensors,
        ],
        resources={
            "stream": StreamResource.of(settings),
            "lake": LakeResource.of(settings),
            "spark": spark_resource(settings),
            "arrivals_spark": arrivals_spark_resource(settings),
            "warehouse": WarehouseResource.of(settings),
            "rules": RulesResource.of(settings),
            "online": OnlineResource.of(settings),
            "webhooks": WebhooksResource.of(settings),
        },
        executor=executor_of(settings),
    )


class _Parts(NamedTuple):
    """A part of the definitions."""

    assets: Sequence[dg.AssetsDefinition | dg.AssetSpec] = ()
    checks: Sequence[dg.AssetChecksDefinition] = ()
    schedules: Sequence[dg.ScheduleDefinition] = ()
    sensors: Sequence[dg.SensorDefinition] = ()


def _of_alarms(settings: Settings) -> _Parts:
    """What judges the alarms, where CloudWatch does not."""
    if settings.metrics_to != "folder":
        return _Parts()
    return _Parts(checks=alarm_checks(settings), sensors=[alarm_sensor(settings)])


def _of_company(settings: Settings, company: CompanyData) -> _Parts:
    """Company data: a source's tables, whether they can be read, and when they are loaded."""
    unusable = unusable_files(COMPANY_PREFIX, GROUP, company.faults)
    if not company.usable:
        return _Parts(unusable)
    if not can_load():
        specs = [spec for source in company.usable for spec in company_specs(source, settings)]
        stand_ins = [spec.replace_attributes(description=f"{NOT_INSTALLED} {spec.description}") for spec in specs]
        return _Parts([*stand_ins, *unusable])
    return _Parts(
        [*(company_asset(source, settings) for source in company.usable), *unusable],
        [check for source in company.usable for check in company_checks(source)],
        [company_schedule(company)],
        [company_sensor(company)],
    )


def _of_quicksight(settings: Settings) -> _Parts:
    """The copies of an account of QuickSight, where variables name one."""
    if not os.environ.get("QUICKSIGHT_ACCOUNT") or importlib.util.find_spec("boto3") is None:
        return _Parts()
    # Slow to import, and needs the extra aws.
    from event_assets.defs.assets.quicksight import data_sets_asset
    from event_assets.defs.automation.quicksight import ingestion_schedules
    from event_assets.quicksight.installation import Installation
    from event_assets.quicksight.target import QuickSightError

    installation = Installation()
    if not installation.has_ingestions:
        return _Parts()
    try:
        asset = data_sets_asset(installation, settings)
    except (QuickSightError, RuleError, ValueError) as fault:
        _LOG.warning("no data sets of QuickSight: %s", fault)
        return _Parts()
    return _Parts([asset], schedules=ingestion_schedules(installation, asset))


def _versions(settings: Settings) -> dict[str, str]:
    """Each step's code version with that of its rules; of rules that cannot be used the code's alone. The step says
    what is wrong with them when it runs."""
    rules = RulesResource.of(settings, settings.pii_key.get_secret_value() if settings.pii_key else "", privacy_key="")

    def version(step: RefreshStep) -> str:
        try:
            return step.version(rules)
        except (ValueError, OSError, SpendError):
            return step.code

    return {step.name: version(step) for step in STEPS}


@dg.definitions
def defs() -> dg.Definitions:
    """The platform of this process's settings."""
    settings = load_settings()
    require_usable_rules(settings)
    tell_to(settings, "dagster")
    return build_defs(settings)
