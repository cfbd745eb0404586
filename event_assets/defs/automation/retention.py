"""The job that takes days away whose time is over, once a day."""

import datetime as dt
from pathlib import Path

import dagster as dg

from event_assets.audit import audit_log
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.online import OnlineResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.privacy.alone import alone
from event_assets.privacy.expiring import apply_retention
from event_assets.rules.retention import read_retention
from event_assets.settings import Settings, load_settings


@dg.op(description="Takes days away that are over, once all that follows has taken them in and no legal hold covers.")
def expire_days(
    context: dg.OpExecutionContext,
    lake: LakeResource,
    rules: RulesResource,
    warehouse: WarehouseResource,
    online: OnlineResource,
) -> None:
    """Says of each table what went, and what waits for what."""
    settings = load_settings(home=Path(online.home))
    with alone(settings.home.absolute() / "privacy.lock"):
        run = apply_retention(
            lake.open(),
            read_retention(settings.retention),
            rules.erasure,
            dt.datetime.now(dt.UTC),
            warehouse.open(),
            audit_log(settings),
        )
    for each in run.tables.values():
        context.log.info(f"{each.table}: {each.rows} rows of {each.days} days went, {each.held_rows} are held")
        for sentence in each.waits:
            context.log.warning(f"{each.table} waits: {sentence}")


@dg.job(description="Takes days away whose time is over.", executor_def=dg.in_process_executor)
def expire_old_days() -> None:
    expire_days()


def retention_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Every night, after the erasures. It stands still where no file of the settings says how long what is kept: nobody
    loses a history that was not said to be over."""
    is_wanted = settings.retention_file is not None
    return dg.ScheduleDefinition(
        name="retention",
        job=expire_old_days,
        cron_schedule="37 4 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING if is_wanted else dg.DefaultScheduleStatus.STOPPED,
        description="Takes days away whose time is over; by itself where EVENT_ASSETS_RETENTION_FILE is set.",
    )
