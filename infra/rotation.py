"""The secret between CloudFront and the ingest API is changed on a schedule, with nothing refused meanwhile."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from event_assets.collector.origin import HEADER
from infra.excuses import excuse
from infra.logs import retention
from infra.permissions import rotates_secret, says_secret

DAYS = 90
_ROTATES = Path(__file__).with_name("functions") / "rotate_origin.py"


def rotated(
    scope: Construct,
    secret: secretsmanager.Secret,
    front: cloudfront.Distribution,
    firewall: str,
    log_days: int,
    key: kms.IKey,
) -> functions.Function:
    """The function that changes it, and its schedule. `firewall` is the ARN of the distribution's."""
    role = iam.Role(scope, "RotationRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    distribution = f"arn:{Aws.PARTITION}:cloudfront::{Aws.ACCOUNT_ID}:distribution/{front.distribution_id}"
    for statement in (
        *rotates_secret(secret.secret_arn, key.key_arn),
        *says_secret(distribution, firewall),
    ):
        role.add_to_policy(statement)
    group = logs.LogGroup(scope, "RotationLogs", retention=retention(log_days), encryption_key=key)
    group.grant_write(role)
    function = functions.Function(
        scope,
        "Rotation",
        runtime=functions.Runtime.PYTHON_3_13,
        architecture=functions.Architecture.ARM_64,
        handler="index.handler",
        code=functions.Code.from_inline(_ROTATES.read_text("utf-8")),
        role=role,
        log_group=group,
        timeout=Duration.minutes(15),  # CloudFront takes some to say it everywhere
        environment={"DISTRIBUTION": front.distribution_id, "HEADER": HEADER},
        environment_encryption=key,
    )
    excuse(
        function,
        CKV_AWS_115="it is called by Secrets Manager, one step after the other",
        CKV_AWS_116="Secrets Manager calls it again until it has done its step",
        CKV_AWS_117="it calls AWS's own API; a network would have no use",
    )
    function.add_permission(
        "Rotates", principal=iam.ServicePrincipal("secretsmanager.amazonaws.com"), source_arn=secret.secret_arn
    )
    schedule = secretsmanager.CfnRotationSchedule(
        scope,
        "RotationSchedule",
        secret_id=secret.secret_arn,
        rotation_lambda_arn=function.function_arn,
        rotate_immediately_on_update=False,
        rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(automatically_after_days=DAYS),
    )
    schedule.node.add_dependency(function, role)
    return function
