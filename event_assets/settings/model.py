"""Every setting of the platform, typed, and the only place that reads the environment.

A profile only chooses endpoints: `local` needs nothing but this package, `aws` names a stream, a bucket, a Spark
Connect server and a Redshift. No client is made here and nothing is connected to.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from event_assets.contract.site_zones import SiteZones
from event_assets.settings.anomalies import AnomalySettings
from event_assets.settings.aws import AwsSettings
from event_assets.settings.dashboards import DashboardSettings
from event_assets.settings.digests import DigestSettings
from event_assets.settings.kafka import KafkaSettings
from event_assets.settings.models import ModelSettings
from event_assets.settings.privacy import PREFIX as PREFIX
from event_assets.settings.privacy import PrivacySettings
from event_assets.settings.spark import SparkSettings
from event_assets.settings.telemetry import MetricsKind, TelemetrySettings
from event_assets.settings.values import (
    File,
    Names,
    existing,
    json_object,
    online_address,
    parameters,
    split,
    warehouse_address,
    zone,
    zones_by_app,
)
from event_assets.settings.webhooks import WebhookSettings

_HTTP = r"^https?://[^\s/]+"
StreamKind = Literal["embedded", "kinesis", "kafka"]


class Settings(
    AwsSettings,
    DashboardSettings,
    DigestSettings,
    KafkaSettings,
    ModelSettings,
    PrivacySettings,
    AnomalySettings,
    SparkSettings,
    TelemetrySettings,
    WebhookSettings,
):
    """The settings of one process, read from `EVENT_ASSETS_…` variables."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    profile: Literal["local", "aws"] = Field("local", description="Which endpoints are the defaults.")
    home: Path = Field(
        Path(".event-assets"),
        description="Folder of everything the local profile keeps: stream, lake, warehouse, keys.",
    )

    stream_kind: StreamKind | None = Field(
        None, description="Event stream: the embedded log, Amazon Kinesis or Apache Kafka. Default: by profile."
    )
    stream_name: str = Field(
        "events", min_length=1, max_length=128, description="Name of the event stream: of the topic, with Kafka."
    )
    stream_shards: int = Field(
        2, ge=1, le=500, description="Shards (partitions, with Kafka) that a new stream is created with."
    )
    stream_retention_hours: int = Field(
        168, ge=1, le=8760, description="Hours that the embedded log, or a topic that we make, keeps records."
    )
    stream_endpoint_url: str | None = Field(
        None, pattern=_HTTP, description="Kinesis endpoint, where it is not AWS's own."
    )

    aws_region: str = Field("us-east-1", description="AWS region of stream, bucket and warehouse.")
    lake_url: str | None = Field(
        None, description="Folder or `s3://bucket/prefix` of the lake. Default: `<home>/lake`."
    )
    s3_endpoint_url: str | None = Field(None, pattern=_HTTP, description="S3 endpoint, where it is not AWS's own.")

    warehouse_kind: Literal["postgres", "redshift"] | None = Field(
        None, description="Warehouse: PostgreSQL or Amazon Redshift. Default: by profile."
    )
    warehouse_url: Annotated[SecretStr | None, AfterValidator(warehouse_address)] = Field(
        None, description="`postgresql://user:password@host:port/db`. Default: the embedded PostgreSQL."
    )
    warehouse_schema: str = Field("analytics", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="Schema of the tables.")
    warehouse_iam_role: str | None = Field(None, description="IAM role with which Redshift reads the bucket (COPY).")
    warehouse_events: str = Field(
        "all",
        pattern=r"^(all|none|days:[1-9]\d{0,4})$",
        description="Single events and page views in the warehouse: `all`, those of the last days that have any "
        "(`days:30`), or `none`, with sessions, dimensions and marts alone.",
    )

    collector_host: str = Field("127.0.0.1", description="Address that the ingest API listens on.")
    collector_port: int = Field(8080, ge=0, le=65535, description="Port of the ingest API; 0 takes a free one.")
    collector_buffer_mb: int = Field(128, ge=8, le=65_536, description="Megabytes that the ingest API holds at most.")
    collector_ip_rate: float = Field(
        500.0, ge=0, description="Requests per second that the ingest API takes from one address; 0: any number."
    )
    collector_processes: int = Field(
        1, ge=1, le=10_000, description="Processes of the ingest API, of all machines, that share rates equally."
    )
    collector_connections: int = Field(
        4096, ge=1, le=1_000_000, description="Connections that one process of the ingest API holds at most."
    )
    collector_ip_connections: int = Field(
        256, ge=1, le=1_000_000, description="The same, of one address; of a proxy that is believed, any number."
    )
    collector_keep_alive_seconds: float = Field(
        5.0, ge=1, le=3600, description="Seconds that an idle connection is kept; behind a proxy, more than it keeps."
    )
    collector_proxies: str = Field(
        "127.0.0.1", description="Addresses of proxies whose X-Forwarded-For is believed, with commas between."
    )
    dagster_port: int = Field(3000, ge=0, le=65535, description="Port of the Dagster UI; 0 takes a free one.")
    dashboard_port: int = Field(8050, ge=0, le=65535, description="Port of the dashboards; 0 takes a free one.")
    dashboards_dir: Path | None = Field(
        None, description="Folder of the dashboard's definition. Default: the one that is shipped."
    )
    plan_dir: Path | None = Field(None, description="Folder of the tracking plan. Default: the one that is shipped.")
    analytics_dir: Path | None = Field(
        None, description="Folder of the product analyses. Default: the ones that are shipped."
    )
    roles_file: File = Field(None, description="File of the roles. Default: the one that is shipped.")
    segments_dir: Path | None = Field(None, description="Folder of the segments. Default: the ones that are shipped.")
    segments_online_url: Annotated[SecretStr | None, AfterValidator(online_address)] = Field(
        None,
        description="Where segments and features are looked up: a PostgreSQL, `dynamodb://table`, `sagemaker://group`. "
        "Default: a file under the home.",
    )
    company_dir: Path | None = Field(
        None, description="Folder of the sources of company data. Default: `<home>/company`, where there is one."
    )
    analytics_interval_seconds: int = Field(
        300, ge=5, le=604_800, description="Least seconds between two refreshes of product analyses and segments."
    )

    consent_refused: Literal["drop", "strip"] = Field(
        "strip",
        description="Events of people who refused analytics. `strip` leaves event name, minute, platform, app, page "
        "without query, country and the consent; `drop` only that there was one. `consent_changed` keeps its ids, too.",
    )

    placeholders: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(split)] = Field(
        None,
        description="Words that say that there is no id or no referrer, in small or large letters, with commas between "
        "or as a JSON list: an id that is one is left out and joins nobody. Default: the contract's list (`null`, "
        "`undefined`, `none`, `nil`, `NaN`, `0`, `-`, `guest`, `anonymous`, `[object Object]`, `(direct)`, `$direct`, "
        "the nil UUID); what you name takes its place.",
    )

    partitions: Literal["hourly", "daily", "monthly"] = Field("daily", description="Granularity of all partitions.")
    first_day: dt.date = Field(dt.date(2010, 1, 1), description="First day that a partition exists for (UTC).")
    time_zone: Annotated[str, AfterValidator(zone)] = Field(
        "UTC",
        description="Time zone of your sites (IANA, such as `Europe/Berlin`), by which days, weeks and months of "
        "marts, analyses and dashboards are told. Partitions stay in UTC.",
    )
    time_zones: Annotated[dict[str, str], NoDecode, BeforeValidator(json_object), AfterValidator(zones_by_app)] = Field(
        {}, description='Of apps that have another one, by app id as JSON: `{"shop": "Europe/Berlin"}`.'
    )
    backdate_days: int = Field(
        90,
        ge=1,
        le=36_500,
        description="Days that a client may date back. Days from before have their turn every hour or in a pause.",
    )
    session_timeout_minutes: int = Field(30, ge=1, le=1440, description="Inactivity that ends a session.")
    session_max_hours: int = Field(24, ge=1, le=24, description="Longest session without a client-supplied id.")
    session_starts_with: Literal["any", "page"] = Field(
        "any",
        description="What makes a session: `any` event, or (as with Snowplow) a `page`: a page view, a ping, a screen "
        "view, or any event of a server or desktop app.",
    )
    engaged_seconds: int = Field(20, ge=1, description="Engaged seconds from which a session counts as engaged.")
    conversion_events: Names = Field(
        ("purchase",), description="Events that are conversions: names with commas between, or a JSON list."
    )
    conversion_ids: Annotated[dict[str, str], NoDecode, BeforeValidator(json_object)] = Field(
        {"purchase": "order_id"},
        description="By event name the property that tells which conversion it is, as JSON: the same one counts once, "
        "however often it is sent. `{}` counts every event.",
    )

    marketing_parameters: Annotated[
        dict[str, Any], NoDecode, BeforeValidator(json_object), AfterValidator(parameters)
    ] = Field(
        {},
        description="Campaign parameters of landing URLs, as JSON: names by `source`, `medium`, `campaign`, `term`, "
        '`content`, the first present wins; `click_ids` adds such as `{"yclid": ["Yandex", "yandex", "cpc"]}`.',
    )
    source_days: int = Field(30, ge=1, le=3650, description="Days that a source which is not direct lasts.")
    attribution_lookback_days: int = Field(
        30, ge=1, le=3650, description="Days before a conversion in which a session counts as a touch."
    )
    attribution_half_life_days: float = Field(
        7.0, gt=0, description="Days after which a touch counts half in time-decay attribution."
    )
    attribution_ends_percent: float = Field(
        40.0, ge=0, le=50, description="Per cent for the first and the last touch each in position-based attribution."
    )
    spend_file: File = Field(
        None, description="CSV, Parquet or YAML file of advertising spend: date, channel_group, spend, currency."
    )
    own_hosts: Names = Field(
        (), description="Your own hosts, subdomains included, whose referrers are internal: with commas between."
    )

    geo_databases: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(split), AfterValidator(existing)] = Field(
        (),
        description="MaxMind databases (`.mmdb`: City, Country, ASN), asked before the bundled one of countries: with "
        "commas between.",
    )
    reporting_currency: str | None = Field(
        None,
        pattern=r"^[A-Z]{3}$",
        description="Currency (ISO 4217) that revenue is added up in. Default: amounts are added as they were sent.",
    )
    currency_rates: File = Field(
        None,
        description="CSV file of daily rates with the columns date, currency, rate: what one unit is worth in the "
        "reporting currency.",
    )
    enrichments: Names = Field((), description="Your own enrichments, `package.module:function`: with commas between.")

    sensor_interval_seconds: int = Field(4, ge=1, le=3600, description="Least seconds between two looks at the stream.")
    executor: str = Field(
        "in_process",
        description="Where the steps of a run are done: `in_process`, one after the other; `multiprocess`, each in a "
        "process of its own, some at once; or an executor of Dagster's at `package.module:name`, such as ECS's.",
    )
    max_runs_in_flight: int = Field(2, ge=1, le=64, description="Most runs that the sensors keep in flight.")
    landing_runs: int = Field(1, ge=1, le=64, description="Runs that land side by side, each a range of the shards.")
    automatic_runs_hours: int = Field(
        24,
        ge=1,
        le=336,
        description="Hours for which Dagster keeps runs that sensors and schedules asked for and that "
        "succeeded. It keeps others for 14 days, and what was told of each table and day last for ever.",
    )
    max_records_per_run: int = Field(200_000, ge=1, description="Most stream records that one run lands per shard.")
    raw_object_mb: int = Field(
        64,
        ge=1,
        le=1_024,
        description="Megabytes of an object of `raw_events`, up to which small ones are put together: the larger, the "
        "fewer files the table keeps.",
    )

    @model_validator(mode="after")
    def _rules_across_fields(self) -> Self:
        self.require_privacy()
        if self.currency_rates is not None and self.reporting_currency is None:
            raise ValueError(f"{PREFIX}REPORTING_CURRENCY is missing: {PREFIX}CURRENCY_RATES are rates into it")
        if self.stream == "kafka":
            self.require_kafka(self.is_on_cluster)
        if self.profile == "aws":
            if self.lake_url is None:
                raise ValueError(f"{PREFIX}LAKE_URL is missing: the aws profile needs s3://bucket/prefix")
            if self.warehouse_url is None:
                raise ValueError(f"{PREFIX}WAREHOUSE_URL is missing: the aws profile needs the warehouse's address")
        return self

    @property
    def site_zones(self) -> SiteZones:
        """By which clocks the days of sites are told."""
        return SiteZones(self.time_zone, tuple(sorted(self.time_zones.items())))

    @property
    def stream(self) -> StreamKind:
        """The kind of stream in force."""
        return self.stream_kind or ("kinesis" if self.profile == "aws" else "embedded")

    @property
    def metrics_to(self) -> MetricsKind:
        """Where metrics go."""
        return self.metrics or ("stdout" if self.profile == "aws" else "folder")

    @property
    def metrics_folder(self) -> Path:
        """Folder of the lines of metrics, where they go into one."""
        return self.home.absolute() / "metrics"

    @property
    def warehouse(self) -> Literal["postgres", "redshift"]:
        """The kind of warehouse in force."""
        return self.warehouse_kind or ("redshift" if self.profile == "aws" else "postgres")

    @property
    def warehouse_event_days(self) -> int | None:
        """Days of single events that the warehouse has; None: all."""
        kind, _, days = self.warehouse_events.partition(":")
        return {"all": None, "none": 0}.get(kind, int(days or 0))

    @property
    def lake(self) -> str:
        """Folder or `s3://` URL of the lake in force."""
        return (self.lake_url or str(self.home.absolute() / "lake")).rstrip("/")

    @property
    def plan(self) -> Path:
        """Folder of the tracking plan in force."""
        return self.plan_dir or Path(__file__).parents[1] / "contract" / "plans"

    @property
    def analytics(self) -> Path:
        """Folder of the product analyses in force."""
        return self.analytics_dir or Path(__file__).parents[1] / "rules" / "analyses"

    @property
    def dashboards(self) -> Path:
        """Folder of the dashboard's definition in force."""
        return self.dashboards_dir or Path(__file__).parents[1] / "rules" / "dashboards"

    @property
    def roles(self) -> Path:
        """File of the roles in force."""
        return self.roles_file or Path(__file__).parents[1] / "rules" / "roles.yaml"

    @property
    def segments(self) -> Path:
        """Folder of the segments in force."""
        return self.segments_dir or Path(__file__).parents[1] / "rules" / "segments"

    @property
    def company(self) -> Path | None:
        """Folder of the sources of company data in force; None where there is none."""
        at_home = self.home / "company"
        return self.company_dir or (at_home if at_home.is_dir() else None)
