"""Where front ends find who is in which segment: tables of DynamoDB, made anew of the lake whenever they are lost."""

from __future__ import annotations

from typing import get_args

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from event_assets.online.table import Content
from infra.choices import Choices


def online_name(choices: Choices) -> str:
    """What the settings call them together."""
    return f"{choices.name.lower()}-online"


def online_tables(scope: Construct, choices: Choices, key: kms.IKey) -> list[dynamodb.Table]:
    """One a content, by the names that the platform gives them; paid by request."""
    made = []
    for content in get_args(Content):
        name = online_name(choices) + ("" if content == "segments" else f"_{content}")
        made.append(
            dynamodb.Table(
                scope,
                f"Online{content.title()}",
                table_name=name,
                partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
                billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
                encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
                encryption_key=key,
                point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                    point_in_time_recovery_enabled=True
                ),
                removal_policy=RemovalPolicy.DESTROY,
            )
        )
    return made
