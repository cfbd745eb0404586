"""Logs of CloudWatch: how long they are kept, and that a key of ours encrypts them."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs


def retention(days: int) -> logs.RetentionDays:
    """How long CloudWatch keeps logs: it knows certain numbers of days alone."""
    known = {
        14: logs.RetentionDays.TWO_WEEKS,
        30: logs.RetentionDays.ONE_MONTH,
        90: logs.RetentionDays.THREE_MONTHS,
    }
    return known[days]


def log_encryption(region: str) -> iam.PolicyStatement:
    """Has CloudWatch encrypt logs of this account by a key: it does so by itself, and no role of ours can be given the
    right for it."""
    return iam.PolicyStatement(
        sid="Logs",
        principals=[iam.ServicePrincipal(f"logs.{region}.amazonaws.com")],
        actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        resources=["*"],
        conditions={
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:{Aws.PARTITION}:logs:{region}:{Aws.ACCOUNT_ID}:*"}
        },
    )
