"""The job that works off people's requests for erasure, each day, and what it reaches."""

import datetime as dt
import os
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, closing
from pathlib import Path

import dagster as dg
from dagster_pyspark import LazyPySparkResource
from pyspark.sql import SparkSession

from event_assets.audit import anchor_of
from event_assets.defs.resources.lake import LakeResource
from event_assets.defs.resources.online import OnlineResource
from event_assets.defs.resources.rules import RulesResource
from event_assets.defs.resources.stream import StreamResource
from event_assets.defs.resources.warehouse import WarehouseResource
from event_assets.lake.lake import Lake
from event_assets.online import open_online
from event_assets.pipeline.online_features import publish_features
from event_assets.pipeline.run import Rules, Run
from event_assets.privacy.asked import take_asked, waiting
from event_assets.privacy.refreshing import refresh_behind
from event_assets.privacy.requests import requests
from event_assets.privacy.run import Surroundings, run_erasures
from event_assets.settings import Settings, load_settings
from event_assets.settings.privacy import privacy_key_file
from event_assets.streams import EventStream
from event_assets.warehouse.warehouse import Warehouse


def surroundings(
    settings: Settings,
    lake: Lake,
    rules: Rules,
    warehouse: Warehouse | None,
    warehouse_url: str | None,
    open_stream: Callable[[], AbstractContextManager[EventStream]],
    open_spark: Callable[[], SparkSession],
    dagster_home: Path | None,
    instance: dg.DagsterInstance | None = None,
) -> Surroundings:
    """Everything that an erasure reaches, by these settings."""

    def refresh(names: Collection[str]) -> None:
        refresh_behind(Run(lake, rules, open_stream, open_spark), names)

    def features() -> int:
        with closing(open_online(settings, "features")) as table:
            now = dt.datetime.now(dt.UTC)
            return (
                publish_features(lake, table, rules.features, rules.models, now, anew=True).ids
                if table.version()
                else 0
            )

    home = settings.home.absolute()
    return Surroundings(
        lake=lake,
        rules=rules.erasure,
        warehouse=warehouse,
        warehouse_url=warehouse_url,
        online=open_online(settings),
        publish_features=features,
        log=home / "stream.db" if settings.stream == "embedded" else None,
        refresh=refresh,
        folders=(home, *([dagster_home] if dagster_home and not dagster_home.is_relative_to(home) else [])),
        lock=home / "privacy.lock",
        anchor=anchor_of(settings),
        # Of the embedded PostgreSQL every table is read; its files are a server's own.
        unread=(home / "postgres", privacy_key_file(home)),
        databases=_databases(settings, instance, warehouse_url),
    )


def _databases(settings: Settings, instance: dg.DagsterInstance | None, warehouse_url: str | None) -> dict[str, str]:
    """The databases of PostgreSQL beside the warehouse's: Dagster's own, and that of the online tables."""
    online = settings.segments_online_url.get_secret_value() if settings.segments_online_url else ""
    urls = {
        "dagster": getattr(instance.event_log_storage, "postgres_url", "") if instance is not None else "",
        "online": online if online.startswith("postgres") else "",
    }
    return {named: url for named, url in urls.items() if url and url != warehouse_url}


def dagster_home() -> Path | None:
    """Where Dagster's own storage is, if it is on this machine."""
    named = os.environ.get("DAGSTER_HOME")
    return Path(named) if named else None


@dg.op(description="Erases the people of all open requests everywhere, scans for what is left, and signs a receipt.")
def erase_people(
    context: dg.OpExecutionContext,
    lake: LakeResource,
    rules: RulesResource,
    warehouse: WarehouseResource,
    online: OnlineResource,
    stream: StreamResource,
    spark: LazyPySparkResource,
) -> None:
    """Fails where a scan still finds somebody, so that it is seen."""
    settings = load_settings(home=Path(online.home))
    take_asked(lake.open(), settings)
    opened = warehouse.open()
    around = surroundings(
        settings,
        lake.open(),
        rules,
        opened,
        opened.url,
        stream.open,
        lambda: spark.spark_session,
        dagster_home(),
        context.instance,
    )
    outcome = run_erasures(around)
    context.log.info(f"{outcome.requests} requests: {outcome.state}. {outcome.note}")
    if outcome.state == "incomplete":
        raise dg.Failure(f"{outcome.requests} requests are incomplete: {outcome.note}", allow_retries=False)


@dg.job(description="Works off people's requests for erasure.", executor_def=dg.in_process_executor)
def erase_requested() -> None:
    erase_people()


def erasure_schedule() -> dg.ScheduleDefinition:
    """Every night, after the runs that are quiet then."""

    @dg.schedule(
        name="erasures",
        job=erase_requested,
        cron_schedule="7 2 * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Works off people's requests for erasure, where there are any.",
    )
    def erasures(context: dg.ScheduleEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
        now = dt.datetime.now(dt.UTC)
        opened = lake.open()
        due = [request.deadline for request in requests(opened.storage) if request.is_open]
        due += [asked.due for asked in waiting(opened) if asked.kind == "erasure" or not asked.is_logged]
        if not due:
            return dg.SkipReason("Nobody asked to be erased.")
        left = (min(due) - now).days
        return dg.RunRequest(tags={"event_assets/requests": str(len(due)), "event_assets/days_left": str(left)})

    return erasures
