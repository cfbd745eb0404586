"""The secret between CloudFront and the ingest API is changed on a schedule, with nothing refused meanwhile."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from event_assets.collector.origin import HEADER
from infra.excuses import excuse
from infra.inline import inline_function
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
    distribution = f"arn:{Aws.PARTITION}:cloudfront::{Aws.ACCOUNT_ID}:distribution/{front.distribution_id}"
    rights = (*rotates_secret(secret.secret_arn, key.key_arn), *says_secret(distribution, firewall))
    said = {"DISTRIBUTION": front.distribution_id, "HEADER": HEADER}
    most = Duration.minutes(15)  # CloudFront takes some to say it everywhere
    function, role = inline_function(scope, "Rotation", _ROTATES, rights, most, log_days, key, said)
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
