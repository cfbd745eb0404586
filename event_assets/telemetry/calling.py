"""Who is told that an alarm rings, and of what else is to be looked at: a webhook, a topic of Amazon SNS."""

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
    try:
        post(settings, text)
    except NotCalled as fault:
        try:
            publish(settings, f"{alarm.name} {state}", text)
        except NotCalled as other:
            raise NotCalled(f"{fault}; {other}") from None
        raise
    publish(settings, f"{alarm.name} {state}", text)


def post(settings: Settings, text: str) -> None:
    """Posts a message to the webhook of alarms, where the settings name one. Raises `NotCalled`."""
    if settings.alarm_webhook_url is None:
        return
    try:
        answer = httpx.post(
            settings.alarm_webhook_url.get_secret_value(), json={"text": text}, timeout=_TIMEOUT_SECONDS
        )
    except httpx.TransportError as error:
        raise NotCalled(f"the webhook is out of reach: {type(error).__name__}") from None
    if not answer.is_success:
        raise NotCalled(f"the webhook answers {answer.status_code}")


def publish(settings: Settings, subject: str, text: str) -> None:
    """Publishes a message to the topic of alarms, where the settings name one. Raises `NotCalled`."""
    if settings.alarm_topic is None:
        return
    try:
        _publish(settings.alarm_topic, subject, text)
    except Exception as error:  # boto3 makes its classes while it runs
        raise NotCalled(f"the topic {settings.alarm_topic} does not take it: {error}") from None


def _publish(topic: str, subject: str, text: str) -> None:
    import boto3  # needs the extra aws, and time

    region = topic.split(":")[3]
    boto3.client("sns", region_name=region).publish(TopicArn=topic, Subject=subject, Message=text)
