"""Every setting of the platform, typed, and the only place that reads the environment.

A profile only chooses endpoints: `local` needs nothing but this package, `aws` names a stream, a bucket, a Spark
Connect server and a Redshift. No client is made here and nothing is connected to.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from event_assets.contract.personal_data import JSON_COLUMNS, PII_COLUMNS, wrong_fields
from event_assets.settings_faults import misspelt, unusable

PREFIX = "EVENT_ASSETS_"
_HTTP = r"^https?://[^\s/]+"
_WAREHOUSES = ("postgresql://", "postgres://", "redshift://")


class SettingsError(ValueError):
    """A setting has a value that cannot be used. The message names the variable, the value's fault and the rule."""


StreamKind = Literal["embedded", "kinesis", "kafka"]


class Settings(BaseSettings):
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
    kafka_brokers: str | None = Field(
        None,
        pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$",
        description="Kafka brokers, `host:port` with commas between. Required where the stream is Kafka.",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How brokers are spoken to."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "AWS_MSK_IAM"] | None = Field(
        None, description="How Kafka learns who we are; `AWS_MSK_IAM` signs with the AWS credentials in force."
    )
    kafka_username: str | None = Field(None, description="User for SASL.")
    kafka_password: SecretStr | None = Field(None, description="Its password.")
    kafka_ca_file: Path | None = Field(
        None, description="Certificates (PEM) of who may sign for brokers. Default: the system's."
    )

    aws_region: str = Field("us-east-1", description="AWS region of stream, bucket and warehouse.")
    lake_url: str | None = Field(
        None, description="Folder or `s3://bucket/prefix` of the lake. Default: `<home>/lake`."
    )
    s3_endpoint_url: str | None = Field(None, pattern=_HTTP, description="S3 endpoint, where it is not AWS's own.")

    spark_remote: str | None = Field(
        None,
        pattern=r"^(sc://|unix:/).+",
        repr=False,  # it may carry a token
        description="Spark Connect server `sc://host:port`, or `unix:/path` of an embedded engine. Default: the "
        "embedded engine (Sail).",
    )

    warehouse_kind: Literal["postgres", "redshift"] | None = Field(
        None, description="Warehouse: PostgreSQL or Amazon Redshift. Default: by profile."
    )
    warehouse_url: SecretStr | None = Field(
        None, description="`postgresql://user:password@host:port/db`. Default: the embedded PostgreSQL."
    )
    warehouse_schema: str = Field("analytics", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="Schema of the tables.")
    warehouse_iam_role: str | None = Field(None, description="IAM role with which Redshift reads the bucket (COPY).")

    collector_host: str = Field("127.0.0.1", description="Address that the ingest API listens on.")
    collector_port: int = Field(8080, ge=0, le=65535, description="Port of the ingest API; 0 takes a free one.")
    collector_buffer_mb: int = Field(128, ge=8, le=65_536, description="Megabytes that the ingest API holds at most.")
    collector_ip_rate: float = Field(
        500.0, ge=0, description="Requests per second that the ingest API takes from one address; 0: any number."
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
    plan_dir: Path | None = Field(None, description="Folder of the tracking plan. Default: the one that is shipped.")
    analytics_dir: Path | None = Field(
        None, description="Folder of the product analyses. Default: the ones that are shipped."
    )
    segments_dir: Path | None = Field(
        None, description="Folder of the segments' conditions. Default: the ones that are shipped."
    )
    analytics_interval_seconds: int = Field(
        300, ge=5, le=604_800, description="Least seconds between two refreshes of product analyses and segments."
    )

    ip_privacy: Literal["keep", "truncate", "mask", "hash"] = Field(
        "truncate",
        description="What the first write does with IP addresses: keep, truncate, mask (x for the same part) or hash.",
    )
    ip_hash_key: SecretStr | None = Field(
        None, min_length=1, description="Key of the IP hash; required when `ip_privacy` is `hash`."
    )
    pii_fields: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Fields that are replaced by pseudonyms (HMAC-SHA-256) when events are cleaned: columns, and "
        "fields of properties, traits and extra such as `traits.email` (a dot in a name is `\\.`); "
        "with commas between.",
    )
    pii_key: SecretStr | None = Field(
        None, min_length=1, description="Key of the pseudonyms; required when `pii_fields` are named."
    )
    consent_refused: Literal["drop", "strip"] = Field(
        "strip",
        description="Events of people who refused analytics. `strip` leaves event name, minute, platform, app, page "
        "without query, country and the consent; `drop` only that there was one. `consent_changed` keeps its ids, too.",
    )

    placeholders: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None,
        description="Words that say that there is no id or no referrer, in small or large letters, with commas between "
        "or as a JSON list: an id that is one is left out and joins nobody. Default: the contract's list (`null`, "
        "`undefined`, `none`, `nil`, `NaN`, `0`, `-`, `guest`, `anonymous`, `[object Object]`, `(direct)`, `$direct`, "
        "the nil UUID); what you name takes its place.",
    )

    partitions: Literal["hourly", "daily", "monthly"] = Field("daily", description="Granularity of all partitions.")
    first_day: dt.date = Field(dt.date(2010, 1, 1), description="First day that a partition exists for (UTC).")
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
    conversion_events: Annotated[tuple[str, ...], NoDecode] = Field(
        ("purchase",), description="Events that are conversions: names with commas between, or a JSON list."
    )
    conversion_ids: Annotated[dict[str, str], NoDecode] = Field(
        {"purchase": "order_id"},
        description="By event name the property that tells which conversion it is, as JSON: the same one counts once, "
        "however often it is sent. `{}` counts every event.",
    )

    marketing_parameters: Annotated[dict[str, Any], NoDecode] = Field(
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
    spend_file: Path | None = Field(
        None, description="CSV, Parquet or YAML file of advertising spend: date, channel_group, spend, currency."
    )

    decode_processes: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Processes that decode large batches. Default: one a core, on the embedded engine.",
    )
    own_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Your own hosts, subdomains included, whose referrers are internal: with commas between."
    )

    geo_databases: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="MaxMind databases (`.mmdb`: City, Country, ASN), asked before the bundled one of countries: with "
        "commas between.",
    )
    reporting_currency: str | None = Field(
        None,
        pattern=r"^[A-Z]{3}$",
        description="Currency (ISO 4217) that revenue is added up in. Default: amounts are added as they were sent.",
    )
    currency_rates: Path | None = Field(
        None,
        description="CSV file of daily rates with the columns date, currency, rate: what one unit is worth in the "
        "reporting currency.",
    )
    enrichments: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Your own enrichments, `package.module:function`: with commas between."
    )

    sensor_interval_seconds: int = Field(4, ge=1, le=3600, description="Least seconds between two looks at the stream.")
    max_runs_in_flight: int = Field(2, ge=1, le=64, description="Most runs that the sensors keep in flight.")
    max_records_per_run: int = Field(200_000, ge=1, description="Most stream records that one run lands per shard.")

    @field_validator(
        *("conversion_events", "own_hosts", "geo_databases", "enrichments", "pii_fields", "placeholders"), mode="before"
    )
    @classmethod
    def _names(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return [name.strip() for name in value.split(",") if name.strip()]

    @field_validator("pii_fields")
    @classmethod
    def _replaceable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = wrong_fields(value)
        if wrong:
            raise ValueError(
                f"{'; '.join(wrong)}. What can be: {', '.join(PII_COLUMNS)}, and fields inside "
                f"{', '.join(JSON_COLUMNS)}, like traits.email"
            )
        return value

    @field_validator("geo_databases", "currency_rates", "spend_file")
    @classmethod
    def _files(cls, value: Path | tuple[Path, ...] | None) -> Path | tuple[Path, ...] | None:
        for path in value if isinstance(value, tuple) else filter(None, [value]):
            if not path.is_file():
                raise ValueError(f"there is no file {path}")
        return value

    @field_validator("marketing_parameters", "conversion_ids", mode="before")
    @classmethod
    def _object(cls, value: Any, info: ValidationInfo) -> Any:
        try:
            told = json.loads(value) if isinstance(value, str) else value
        except json.JSONDecodeError:
            told = None
        if not isinstance(told, dict):
            example = {"conversion_ids": '{"purchase": "order_id"}'}
            such = example.get(str(info.field_name), '{"source": ["mtm_source", "utm_source"]}')
            raise ValueError(f"it must be a JSON object, such as {such}")
        return told

    @field_validator("marketing_parameters")
    @classmethod
    def _marketing(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, given in value.items():
            if name not in MARKETING_FIELDS:
                raise ValueError(f"{name!r} is none of {', '.join(MARKETING_FIELDS)}")
            if name == "click_ids":
                _require_click_ids(given)
            elif not _are_texts(given):
                raise ValueError(f'{name} must be a list of names, such as ["utm_{name}"]')
        return value

    @field_validator("warehouse_url")
    @classmethod
    def _address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(_WAREHOUSES):
            raise ValueError(f"it must start with {', '.join(_WAREHOUSES)}")
        return value

    @model_validator(mode="after")
    def _rules_across_fields(self) -> Self:
        if self.ip_privacy == "hash" and self.ip_hash_key is None:
            raise ValueError(f"{PREFIX}IP_HASH_KEY is missing: it is required when {PREFIX}IP_PRIVACY is 'hash'")
        if self.pii_fields and self.pii_key is None:
            raise ValueError(f"{PREFIX}PII_KEY is missing: it is required when {PREFIX}PII_FIELDS names fields")
        if self.currency_rates is not None and self.reporting_currency is None:
            raise ValueError(f"{PREFIX}REPORTING_CURRENCY is missing: {PREFIX}CURRENCY_RATES are rates into it")
        self._require_kafka()
        if self.profile == "aws":
            if self.lake_url is None:
                raise ValueError(f"{PREFIX}LAKE_URL is missing: the aws profile needs s3://bucket/prefix")
            if self.warehouse_url is None:
                raise ValueError(f"{PREFIX}WAREHOUSE_URL is missing: the aws profile needs the warehouse's address")
        return self

    def _require_kafka(self) -> None:
        if self.stream != "kafka":
            return
        if self.kafka_brokers is None:
            raise ValueError(f"{PREFIX}KAFKA_BROKERS is missing: a stream on Kafka needs its brokers, host:port")
        if self.kafka_security_protocol.startswith("SASL") != (self.kafka_sasl_mechanism is not None):
            raise ValueError(
                f"{PREFIX}KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} and {PREFIX}KAFKA_SASL_MECHANISM="
                f"{self.kafka_sasl_mechanism or ''} do not go together: SASL_… needs a mechanism, others have none"
            )
        by_password = self.kafka_sasl_mechanism not in (None, "AWS_MSK_IAM")
        if by_password and (self.kafka_username is None or self.kafka_password is None):
            raise ValueError(
                f"{PREFIX}KAFKA_USERNAME or {PREFIX}KAFKA_PASSWORD is missing: {self.kafka_sasl_mechanism} needs both"
            )

    @property
    def stream(self) -> StreamKind:
        """The kind of stream in force."""
        return self.stream_kind or ("kinesis" if self.profile == "aws" else "embedded")

    @property
    def warehouse(self) -> Literal["postgres", "redshift"]:
        """The kind of warehouse in force."""
        return self.warehouse_kind or ("redshift" if self.profile == "aws" else "postgres")

    @property
    def decoders(self) -> int:
        """Processes that decode a large batch: a cluster has its own already."""
        return self.decode_processes or (1 if self.spark_remote else os.cpu_count() or 1)

    @property
    def lake(self) -> str:
        """Folder or `s3://` URL of the lake in force."""
        return (self.lake_url or str(self.home.absolute() / "lake")).rstrip("/")

    @property
    def plan(self) -> Path:
        """Folder of the tracking plan in force."""
        return self.plan_dir or Path(__file__).parent / "contract" / "plans"

    @property
    def analytics(self) -> Path:
        """Folder of the product analyses in force."""
        return self.analytics_dir or Path(__file__).parent / "rules" / "analyses"

    @property
    def segments(self) -> Path:
        """Folder of the segments in force."""
        return self.segments_dir or Path(__file__).parent / "rules" / "segments"


MARKETING_FIELDS = ("source", "medium", "campaign", "term", "content", "click_ids")
"""What `marketing_parameters` can name the parameters of."""


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(each, str) and each for each in value)


def _require_click_ids(value: Any) -> None:
    if not isinstance(value, dict) or not all(_are_texts(told) and len(told) == 3 for told in value.values()):
        raise ValueError('click_ids must be such as {"yclid": ["Yandex", "yandex", "cpc"]}: network, source, medium')


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises `SettingsError` with a sentence that names each wrong variable: one that is
    no setting, has a value that cannot be, or one that cannot work on this machine."""
    faults = misspelt(os.environ, PREFIX, Settings.model_fields)
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join([*faults, *(_sentence(dict(fault)) for fault in error.errors())])) from None
    for name, rule in unusable(settings):
        faults.append(_sentence({"loc": (name,), "msg": rule, "input": str(getattr(settings, name))}))
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def read_settings(path: Path) -> dict[str, Any]:
    """The settings of a YAML or JSON file, by their names in lower case: `session_timeout_minutes: 30`.

    Raises `SettingsError`. Values are not looked at yet: give them to `load_settings`. A relative path is meant from
    the file's folder.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"The settings file {path} is neither YAML nor JSON: {error}") from None
    if not isinstance(document, dict):
        raise SettingsError(f"The settings file {path} must be a mapping: one `name: value` a line")
    unknown = [str(name) for name in document if name not in Settings.model_fields]
    if unknown:
        known = ", ".join(Settings.model_fields)
        raise SettingsError(f"{path}: there is no setting {', '.join(unknown)}. The settings are: {known}")
    return {name: _from_folder(path.parent, name, value) for name, value in document.items() if value is not None}


def _from_folder(folder: Path, name: str, value: Any) -> Any:
    is_path = "Path" in str(Settings.model_fields[name].annotation)
    if is_path and isinstance(value, list):
        return [folder / str(each) for each in value]
    return folder / value if is_path and isinstance(value, str) else value


def _sentence(fault: dict[str, Any]) -> str:
    rule = str(fault["msg"]).removeprefix("Value error, ")
    if not fault["loc"]:
        return f"{rule}."
    name = str(fault["loc"][0])
    shown = "a value that is not shown" if name in SECRETS else repr(fault["input"])
    return f"{PREFIX}{name.upper()} is {shown}: {rule[:1].lower()}{rule[1:]}. It means: {_meaning(name)}"


def _meaning(name: str) -> str:
    return Settings.model_fields[name].description or ""


SECRETS = frozenset(
    name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation) or not field.repr
)
"""Names of the settings whose values are never shown."""


def settings_table() -> list[tuple[str, str, str]]:
    """One row a setting: variable, default, meaning."""
    fields = Settings.model_fields.items()
    return [(PREFIX + name.upper(), _default(field.default), _meaning(name)) for name, field in fields]


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value) if value else ""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
