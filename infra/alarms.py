"""Alarms as CloudWatch gets them, and the topic that they write to. What is watched is said by whoever knows it."""

from __future__ import annotations

from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as watch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from event_assets.telemetry.alarms import page_of

MINUTE = Duration.minutes(1)


class Watched(NamedTuple):
    """An alarm: it rings where so many of the last minutes are beyond the limit. `below`: beyond is less than it."""

    name: str
    metric: watch.IMetric
    limit: float
    minutes: int
    meaning: str
    below: bool = False
    silence_rings: bool = False


def alarm_topic(scope: Construct, email: str | None, key: kms.IKey) -> sns.Topic:
    """Where alarms write to."""
    topic = sns.Topic(scope, "Alarms", master_key=key, enforce_ssl=True)
    if email:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    cdk.CfnOutput(scope, "AlarmTopic", value=topic.topic_arn)
    return topic


def alarm_encryption(*services: str) -> iam.PolicyStatement:
    """Has these services of this account speak to a topic that a key encrypts: no role of ours can be given the right
    for it."""
    return iam.PolicyStatement(
        sid="Alarms",
        principals=[iam.ServicePrincipal(f"{service}.amazonaws.com") for service in services],
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    )


def alarm(scope: Construct, watched: Watched, topic: sns.ITopic) -> watch.Alarm:
    """An alarm that says what to do in its description, and tells the topic when it rings and when it ends."""
    operator = watch.ComparisonOperator
    made = watch.Alarm(
        scope,
        watched.name,
        alarm_name=f"{cdk.Stack.of(scope).stack_name}-{watched.name}",
        alarm_description=f"{watched.meaning} What to do: {page_of(watched.name)}",
        metric=watched.metric,
        threshold=watched.limit,
        evaluation_periods=watched.minutes,
        comparison_operator=operator.LESS_THAN_THRESHOLD if watched.below else operator.GREATER_THAN_THRESHOLD,
        treat_missing_data=watch.TreatMissingData.BREACHING
        if watched.silence_rings
        else watch.TreatMissingData.NOT_BREACHING,
    )
    made.add_alarm_action(actions.SnsAction(topic))
    made.add_ok_action(actions.SnsAction(topic))
    return made
