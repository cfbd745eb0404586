"""The settings of what the platform tells of itself: metrics, traces, and who is called by alarms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from event_assets.settings.values import webhook_address

MetricsKind = Literal["none", "stdout", "folder"]


class TelemetrySettings(BaseSettings):
    """What `Settings` has for metrics, traces and alarms."""

    installation: str = Field(
        "event-assets",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Name of this installation among others: the dimension of its metrics, the namespace of its "
        "traces.",
    )
    metrics: MetricsKind | None = Field(
        None,
        description="Where metrics go, as lines in CloudWatch's embedded format, one a minute and process: to "
        "`stdout`, which ECS and Lambda hand to CloudWatch; into the `folder` `<home>/metrics`, by which alarms are "
        "judged on this machine; or to `none`. Default: `stdout` with the profile `aws`, else `folder`.",
    )
    alarm_webhook_url: Annotated[SecretStr | None, AfterValidator(webhook_address)] = Field(
        None,
        description="Incoming webhook of Slack, or of what takes the same, that alarms judged on this machine write "
        "to.",
    )
    alarm_topic: str | None = Field(
        None,
        pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$",
        description="ARN of the topic of Amazon SNS that they write to.",
    )
    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]+",
        description="Where traces of events go: a collector that takes OTLP over HTTP, such as "
        "`http://127.0.0.1:4318`. Default: nowhere. Needs the extra `tracing`.",
    )
    trace_share: float = Field(
        0.001, ge=0, le=1, description="Share of the stream's records whose way is traced, where traces go somewhere."
    )
