"""The environment of each container: the platform's own settings, and what Dagster and PostgreSQL's library read.

A test reads each with the settings' model, so a setting that is renamed cannot stay here under its old name.
"""

from __future__ import annotations

from event_assets.settings import PREFIX
from infra.choices import Choices

HOME = "/tmp/event-assets"
"""The only place that a container may write to. Nothing in it outlives the container, and nothing has to."""
ZONE = "event-assets.internal"
"""Under which the parts find each other."""
DATABASE = "events"
USER = "event_assets"
SPARK_PORT = 15002
COLLECTOR_PORT = 8080
IDLE_SECONDS = 60
"""For how long a load balancer keeps an idle connection; the ingest API keeps it longer."""


def collector_environment(
    choices: Choices, *, region: str, stream: str, lake_url: str, keys_secret: str, proxies: str
) -> dict[str, str]:
    """The ingest API's. It knows the stream, the write keys and where people's requests wait: of the lake it may write
    nothing else, and it does not know the warehouse."""
    return _named(
        stream_kind="kinesis",
        installation=choices.name,
        metrics="stdout",
        home=HOME,
        aws_region=region,
        stream_name=stream,
        lake_url=lake_url,
        keys_secret=keys_secret,
        collector_host="0.0.0.0",
        collector_port=str(COLLECTOR_PORT),
        collector_proxies=proxies,
        collector_keep_alive_seconds=str(IDLE_SECONDS + 15),
    )


def pipeline_environment(
    choices: Choices,
    *,
    region: str,
    stream: str,
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
        "stream_name": stream,
        "lake_url": lake_url,
        "warehouse_kind": choices.warehouse,
        "warehouse_url": f"postgresql://{USER}@{host}:{port}/{DATABASE}?sslmode=require",
        "sensor_interval_seconds": str(choices.size.seconds_between_runs),
        "max_runs_in_flight": str(choices.size.runs_at_once),
    }
    if copy_role:
        settings["warehouse_iam_role"] = copy_role
    if spark_host:
        settings["spark_remote"] = f"sc://{spark_host}:{SPARK_PORT}"
    return _named(**settings)


def dagster_environment(*, region: str, database_host: str) -> dict[str, str]:
    """What `dagster.yaml` of the image reads, and boto3 in Dagster's launcher."""
    return {
        "DAGSTER_PG_HOST": database_host,
        "DAGSTER_PG_USER": USER,
        "DAGSTER_PG_DB": DATABASE,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }


PASSWORDS = ("DAGSTER_PG_PASSWORD", "PGPASSWORD")
"""Variables with secrets: of Dagster's storage, and of the warehouse (PostgreSQL's library reads it by itself)."""


def _named(**settings: str) -> dict[str, str]:
    return {PREFIX + name.upper(): value for name, value in settings.items()}
