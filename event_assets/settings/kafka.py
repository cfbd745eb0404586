"""The settings of a stream on Apache Kafka."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from event_assets.settings.values import File

_PREFIX = "EVENT_ASSETS_"


class KafkaSettings(BaseSettings):
    """What `Settings` has for Kafka."""

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
    kafka_ca_file: File = Field(
        None, description="Certificates (PEM) of who may sign for brokers. Default: the system's."
    )

    kafka_reader: Literal["run", "spark"] = Field(
        "run",
        description="Who reads the topic: the `run` that lands it, or executors of a Spark Connect server (`spark`).",
    )

    def require_kafka(self, is_on_cluster: bool) -> None:
        """Raises `ValueError` unless they say where the brokers are and who asks them."""
        if self.kafka_reader == "spark" and not is_on_cluster:
            raise ValueError(
                f"{_PREFIX}SPARK_REMOTE is missing: {_PREFIX}KAFKA_READER=spark needs Apache Spark, sc://host:port"
            )
        if self.kafka_brokers is None:
            raise ValueError(f"{_PREFIX}KAFKA_BROKERS is missing: a stream on Kafka needs its brokers, host:port")
        if self.kafka_security_protocol.startswith("SASL") != (self.kafka_sasl_mechanism is not None):
            raise ValueError(
                f"{_PREFIX}KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} and {_PREFIX}KAFKA_SASL_MECHANISM="
                f"{self.kafka_sasl_mechanism or ''} do not go together: SASL_… needs a mechanism, others have none"
            )
        by_password = self.kafka_sasl_mechanism not in (None, "AWS_MSK_IAM")
        if by_password and (self.kafka_username is None or self.kafka_password is None):
            raise ValueError(
                f"{_PREFIX}KAFKA_USERNAME or {_PREFIX}KAFKA_PASSWORD is missing: {self.kafka_sasl_mechanism} needs both"
            )
