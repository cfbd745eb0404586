"""How a Kafka cluster is reached: addresses, TLS and SASL as librdkafka's settings, and its errors as the streams'.

No topic is known here.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from confluent_kafka import KafkaError, KafkaException

from event_assets.streams.protocol import StreamBusy, StreamError, StreamNotFound

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "AWS_MSK_IAM"]

_SOCKET_SECONDS = 10
_MSK = "software.amazon.msk.auth.iam"
_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.CRITICAL)  # each failure that librdkafka would log is told by an error as well
_REFUSED = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError._SSL,
    }
)


class KafkaConnection(NamedTuple):
    """The cluster: `brokers` is a list of host:port with commas between, where any one that answers is enough.

    `AWS_MSK_IAM` signs with the credentials that boto3 finds, for the cluster's `region`.
    """

    brokers: str
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism | None = None
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    region: str = "us-east-1"

    def settings(self) -> dict[str, Any]:
        """librdkafka's settings for every client of the cluster."""
        chosen: dict[str, Any] = {
            "bootstrap.servers": self.brokers,
            "security.protocol": self.security_protocol,
            "socket.timeout.ms": _SOCKET_SECONDS * 1_000,
            "reconnect.backoff.max.ms": 1_000,
            "allow.auto.create.topics": False,
            "logger": _LOG,
        }
        if self.ca_file is not None:
            chosen["ssl.ca.location"] = self.ca_file
        if self.sasl_mechanism == "AWS_MSK_IAM":
            return chosen | {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": _msk_token(self.region)}
        if self.sasl_mechanism is not None:
            chosen |= {"sasl.mechanism": self.sasl_mechanism}
            chosen |= {"sasl.username": self.username, "sasl.password": self.password}
        return chosen

    def spark_settings(self) -> dict[str, str]:
        """The options of Spark's Kafka source by which its executors, which are Java, reach the cluster."""
        chosen = {"kafka.bootstrap.servers": self.brokers, "kafka.security.protocol": self.security_protocol}
        if self.ca_file is not None:
            chosen |= {"kafka.ssl.truststore.type": "PEM", "kafka.ssl.truststore.location": self.ca_file}
        if self.sasl_mechanism is None:
            return chosen
        chosen |= {"kafka.sasl.mechanism": self.sasl_mechanism}
        if self.sasl_mechanism == "AWS_MSK_IAM":
            handler = f"{_MSK}.IAMClientCallbackHandler"
            return chosen | {
                "kafka.sasl.jaas.config": f"{_MSK}.IAMLoginModule required;",
                "kafka.sasl.client.callback.handler.class": handler,
            }
        module = "plain.PlainLoginModule" if self.sasl_mechanism == "PLAIN" else "scram.ScramLoginModule"
        given = f"username={_quoted(self.username)} password={_quoted(self.password)}"
        login = f"org.apache.kafka.common.security.{module} required {given};"
        return chosen | {"kafka.sasl.jaas.config": login}


def _quoted(value: str | None) -> str:
    """As JAAS quotes it."""
    escaped = (value or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _msk_token(region: str) -> Callable[[str], tuple[str, float]]:
    """What gives MSK a token signed by IAM, and the time (seconds since 1970) at which it expires."""

    def token(_: str) -> tuple[str, float]:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # it imports boto3, which only MSK needs

        signed, expiry_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return signed, expiry_ms / 1_000

    return token


def is_refusal(error: KafkaError) -> bool:
    """Whether the cluster does not want us, so that asking later does not help."""
    return error.code() in _REFUSED


def stream_error(error: KafkaError | KafkaException, topic: str) -> StreamError:
    """A cluster's error as a stream's: not there, out of reach for now, or a sentence on what stands in the way."""
    cause = error.args[0] if isinstance(error, KafkaException) else error
    if cause.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION):
        return StreamNotFound(f"Kafka has no topic {topic}: create it first")
    if is_refusal(cause):
        return StreamError(
            f"Kafka refuses topic {topic} ({cause.str()}): look at EVENT_ASSETS_KAFKA_SECURITY_PROTOCOL, "
            "EVENT_ASSETS_KAFKA_SASL_MECHANISM, the credentials and the topic's permissions"
        )
    return StreamBusy(f"Kafka topic {topic}: {cause.name()}: {cause.str()}")


def arrival(timestamp_ms: int) -> dt.datetime:
    """Kafka's milliseconds since 1970 as a time in UTC."""
    return dt.datetime.fromtimestamp(timestamp_ms / 1_000, dt.UTC)
