"""Who is told that an alarm rings, and that it has ended: a webhook, a topic of Amazon SNS."""

from __future__ import annotations

import httpx

from event_assets.settings import Settings
from event_assets.telemetry.alarms import Alarm

_TIMEOUT_SECONDS = 10.0


class NotCalled(RuntimeError):
    """Somebody who is to be told was not. The message does not show a webhook's address, which is a secret."""


def call(settings: Settings, alarm: Alarm, rings: bool) -> None:
    """Tells everybody whom the settings name; nobody where they name none. Raises `NotCalled` where one was not told;
    the others were."""
    state = "rings" if rings else "has ended"
    text = f"{settings.installation}: the alarm {alarm.name} {state}."
    if rings:
        text += f" {alarm.meaning} What to do: {alarm.page}"
    faults = []
    if settings.alarm_webhook_url is not None:
        try:
            answer = httpx.post(
                settings.alarm_webhook_url.get_secret_value(), json={"text": text}, timeout=_TIMEOUT_SECONDS
            )
            if not answer.is_success:
                faults.append(f"the webhook answers {answer.status_code}")
        except httpx.TransportError as error:
            faults.append(f"the webhook is out of reach: {type(error).__name__}")
    if settings.alarm_topic is not None:
        try:
            _publish(settings.alarm_topic, f"{alarm.name} {state}", text)
        except Exception as error:  # boto3 makes its classes while it runs
            faults.append(f"the topic {settings.alarm_topic} does not take it: {error}")
    if faults:
        raise NotCalled("; ".join(faults))


def _publish(topic: str, subject: str, text: str) -> None:
    import boto3  # needs the extra aws, and time

    region = topic.split(":")[3]
    boto3.client("sns", region_name=region).publish(TopicArn=topic, Subject=subject, Message=text)
