"""The environment of each container: the platform's own settings, and what Dagster and PostgreSQL's library read.

A test reads each with the settings' model, so a setting that is renamed cannot stay here under its old name.
"""

from __future__ import annotations

from collections.abc import Mapping

from event_assets.settings import PREFIX
from event_assets.settings.values import DYNAMODB
from infra.choices import Choices
from infra.online import online_name

HOME = "/tmp/event-assets"
"""The only place that a container may write to. Nothing in it outlives the container, and nothing has to."""
ZONE = "event-assets.internal"
"""Under which the parts find each other."""
DATABASE = "events"
USER = "event_assets"
SPARK_PORT = 15002
COLLECTOR_PORT = 8080
DASHBOARDS_PORT = 8050
IDLE_SECONDS = 60
"""For how long a load balancer keeps an idle connection; the ingest API keeps it longer."""


def collector_environment(
    choices: Choices,
    *,
    region: str,
    stream: Mapping[str, str],
    lake_url: str,
    keys: Mapping[str, str],
    proxies: str,
    processes: int = 1,
    origin_secret: str | None = None,
) -> dict[str, str]:
    """The ingest API's. It knows the stream, the write keys and where people's requests wait: of the lake it may write
    nothing else, and it does not know the warehouse."""
    settings = {
        **stream,
        "installation": choices.name,
        "metrics": "stdout",
        "home": HOME,
        "aws_region": region,
        "lake_url": lake_url,
        **keys,
        "collector_host": "0.0.0.0",
        "collector_port": str(COLLECTOR_PORT),
        "collector_proxies": proxies,
        "collector_processes": str(processes),
        "collector_keep_alive_seconds": str(IDLE_SECONDS + 15),
    }
    if origin_secret:
        settings["collector_origin_secret"] = origin_secret
    if names_people(choices):
        settings |= _pseudonyms(choices)
    return _named(**settings, **_online(choices))


def pipeline_environment(
    choices: Choices,
    *,
    region: str,
    stream: Mapping[str, str],
    lake_url: str,
    database_host: str,
    warehouse_host: str | None = None,
    copy_role: str | None = None,
    spark_host: str | None = None,
) -> dict[str, str]:
    """Of runs, and of Dagster's processes. Passwords are no part of it: they come as secrets (`passwords`)."""
    host, port = (warehouse_host, 5439) if warehouse_host else (database_host, 5432)
    settings = {
        "profile": "aws",
        "installation": choices.name,
        "home": HOME,
        "aws_region": region,
        **stream,
        "lake_url": lake_url,
        "warehouse_kind": choices.warehouse,
        "warehouse_url": f"postgresql://{USER}@{host}:{port}/{DATABASE}?sslmode=require",
        "sensor_interval_seconds": str(choices.size.seconds_between_runs),
        "max_runs_in_flight": str(choices.size.runs_at_once),
        "landing_runs": str(choices.landing_runs),
        "raw_object_mb": str(choices.size.raw_object_mb),
    }
    settings |= _pseudonyms(choices) | _online(choices)
    if copy_role:
        settings["warehouse_iam_role"] = copy_role
    if spark_host:
        settings["spark_remote"] = f"sc://{spark_host}:{SPARK_PORT}"
    return _named(**settings)


def dashboards_environment(
    pipeline: Mapping[str, str], *, host: str, issuer: str, client: str, groups: str
) -> dict[str, str]:
    """The dashboards': where runs' lake and warehouse are, and who signs in. They make no pseudonyms."""
    theirs = {name: value for name, value in pipeline.items() if not name.startswith(f"{PREFIX}PII_")}
    return theirs | _named(
        dashboard_host="0.0.0.0",
        dashboard_port=str(DASHBOARDS_PORT),
        dashboard_url=f"https://{host}",
        dashboard_sign_in="oidc",
        dashboard_oidc_issuer=issuer,
        dashboard_oidc_client_id=client,
        dashboard_oidc_groups=groups,
    )


def simulator_environment(choices: Choices, *, region: str) -> dict[str, str]:
    """The simulator's: it is a client, and knows no part of the platform but the place that its call names."""
    return _named(installation=choices.name, home=HOME, aws_region=region)


def names_people(choices: Choices) -> bool:
    """Whether the ingest API makes pseudonyms, and so has their key: it puts them into events, or is asked for people
    by ids that tables have not."""
    ids = {"user_id", "anonymous_id"} & set(choices.pii_fields)
    return choices.pii_at == "collector" or bool(ids and choices.online == "on")


def _online(choices: Choices) -> dict[str, str]:
    return {"segments_online_url": f"{DYNAMODB}{online_name(choices)}"} if choices.online == "on" else {}


def _pseudonyms(choices: Choices) -> dict[str, str]:
    """Their key is no part of it, either."""
    return {"pii_fields": ",".join(choices.pii_fields), "pii_at": choices.pii_at} if choices.pii_fields else {}


_RUNS_BESIDE = 3
"""Runs that may go on while the sensors have as many as they may: backfills, upkeep, what somebody starts."""


def dagster_environment(choices: Choices, *, region: str, database_host: str) -> dict[str, str]:
    """What `dagster.yaml` of the image reads, and boto3 in Dagster's launcher."""
    return {
        "DAGSTER_MAX_RUNS": str(choices.size.runs_at_once + choices.landing_runs - 1 + _RUNS_BESIDE),
        "DAGSTER_PG_HOST": database_host,
        "DAGSTER_PG_USER": USER,
        "DAGSTER_PG_DB": DATABASE,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


PASSWORDS = ("DAGSTER_PG_PASSWORD", "PGPASSWORD")
"""Variables with secrets: of Dagster's storage, and of the warehouse (PostgreSQL's library reads it by itself)."""


SIGN_IN_SECRET = f"{PREFIX}DASHBOARD_OIDC_CLIENT_SECRET"
PII_KEY, PRIVACY_KEY = f"{PREFIX}PII_KEY", f"{PREFIX}PRIVACY_KEY"
"""The platform's own secrets. A function gets their names instead, and fetches them: `…_SECRET`."""


def _named(**settings: str) -> dict[str, str]:
    return {PREFIX + name.upper(): value for name, value in settings.items()}
