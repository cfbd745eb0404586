"""What Spark's executors, which are Java, are told of a cluster."""

from __future__ import annotations

from event_assets.streams.kafka_connection import KafkaConnection


def test_a_password_is_quoted_so_that_nothing_in_it_ends_it() -> None:
    told = KafkaConnection("b:9092", "SASL_SSL", "PLAIN", "me", 'a"; b\\', "/ca.pem").spark_settings()
    assert told["kafka.sasl.jaas.config"] == (
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="a\\"; b\\\\";'
    )
    assert (told["kafka.ssl.truststore.type"], told["kafka.ssl.truststore.location"]) == ("PEM", "/ca.pem")


def test_msk_is_signed_for_by_its_own_module_with_no_password() -> None:
    told = KafkaConnection("b:9098", "SASL_SSL", "AWS_MSK_IAM").spark_settings()
    assert told["kafka.sasl.mechanism"] == "AWS_MSK_IAM"
    assert told["kafka.sasl.jaas.config"] == "software.amazon.msk.auth.iam.IAMLoginModule required;"
    assert told["kafka.sasl.client.callback.handler.class"] == "software.amazon.msk.auth.iam.IAMClientCallbackHandler"
