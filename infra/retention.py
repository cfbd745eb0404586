"""Retention: a function on a schedule that takes old days away."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_events as schedules
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from event_assets.settings import PREFIX
from infra.choices import Choices
from infra.data import DataStack
from infra.excuses import excuse
from infra.logs import retention
from infra.permissions import keeps_lake, reads_secret


class RetentionFunction:
    """A function in the network of the warehouse, called every night."""

    def __init__(
        self,
        scope: Construct,
        choices: Choices,
        data: DataStack,
        vpc: ec2.IVpc,
        image: assets.DockerImageAsset,
        environment: dict[str, str],
        password: secretsmanager.ISecret,
        keys: Mapping[str, secretsmanager.ISecret],
        key: kms.IKey,
    ) -> None:
        role = iam.Role(scope, "RetentionRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        read = {f"{name}_SECRET": secret.secret_arn for name, secret in keys.items()}
        read[f"{PREFIX}WAREHOUSE_SECRET"] = password.secret_arn
        for statement in (
            *keeps_lake(data.lake.bucket_arn, key.key_arn),
            *(each for secret in read.values() for each in reads_secret(secret, key.key_arn)),
        ):
            role.add_to_policy(statement)
        role.add_managed_policy(
            iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaVPCAccessExecutionRole")
        )
        group = logs.LogGroup(scope, "RetentionLogs", retention=retention(choices.size.log_days), encryption_key=key)
        self.group = ec2.SecurityGroup(scope, "RetentionGroup", vpc=vpc, description="Retention")
        self.function = functions.DockerImageFunction(
            scope,
            "Retention",
            code=functions.DockerImageCode.from_ecr(
                image.repository,
                tag_or_digest=image.asset_hash,
                entrypoint=["python", "-m", "awslambdaric"],
                cmd=["event_assets.privacy.aws_lambda.handler"],
            ),
            architecture=functions.Architecture.ARM_64,
            role=role,
            log_group=group,
            memory_size=1769,  # one whole core
            timeout=Duration.minutes(15),
            vpc=vpc,
            security_groups=[self.group],
            environment={**environment, **read},
            environment_encryption=key,
        )
        excuse(
            self.function,
            CKV_AWS_115="it is called once a night; a limit of its own would take concurrency from other functions",
            CKV_AWS_116="what one night leaves the next one does: a call that fails is counted by its alarm",
        )
        schedules.Rule(
            scope,
            "RetentionSchedule",
            description="Old days go",
            enabled=choices.retention == "on",
            schedule=schedules.Schedule.cron(minute="37", hour="5"),
            targets=[targets.LambdaFunction(self.function, retry_attempts=2)],
        )
