"""Who is told of an alarm: a webhook, a topic, and nobody where nobody is named."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from event_assets.settings import Settings
from event_assets.telemetry.alarms import ALARMS
from event_assets.telemetry.calling import NotCalled, call


class Webhook:
    """Takes messages, or answers with a fault."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.status = 200
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if webhook.status == 200:
                    webhook.messages.append(body["text"])
                self.send_response(webhook.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/secret"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    made = Webhook()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_webhook_is_told_that_an_alarm_rings_with_its_page_and_that_it_has_ended(webhook: Webhook) -> None:
    settings = Settings(alarm_webhook_url=webhook.url, installation="shop")
    call(settings, ALARMS[0], rings=True)
    call(settings, ALARMS[0], rings=False)
    began, ended = webhook.messages
    assert began.startswith("shop: the alarm StreamGap rings.") and "docs/runbooks/stream-gap.md" in began
    assert ended == "shop: the alarm StreamGap has ended."


def test_a_topic_is_told_even_where_the_webhook_is_not_and_the_secret_address_is_not_shown(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    webhook.status = 500
    with mock_aws():
        topic = boto3.client("sns", region_name="eu-central-1").create_topic(Name="alarms")["TopicArn"]
        sqs = boto3.client("sqs", region_name="eu-central-1")
        queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        boto3.client("sns", region_name="eu-central-1").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        settings = Settings(alarm_webhook_url=webhook.url, alarm_topic=topic)
        with pytest.raises(NotCalled, match="answers 500") as fault:
            call(settings, ALARMS[0], rings=True)
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert "StreamGap rings" in json.loads(message["Body"])["Subject"]
    assert "secret" not in str(fault.value)
