"""The simulator: a function that sends traffic to the ingest API every hour, as visitors would."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_events as schedules
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.choices import Choices
from infra.data import DataStack
from infra.environment import simulator_environment
from infra.excuses import excuse
from infra.image import image_asset
from infra.logs import retention
from infra.permissions import keeps_truth, reads_secret
from infra.sizes import SIMULATED_SECONDS

EVENTS = 2_000
"""An hour, about."""
TRUTH = "simulator/truth.db"
"""What was sent last, in the lake's bucket beside the lake: for `event-assets verify --truth`."""


class SimulatorStack(cdk.Stack):
    """A stack of its own: it goes, and everything else stays. `address` is the ingest API's."""

    def __init__(self, scope: Construct, name: str, choices: Choices, data: DataStack, address: str) -> None:
        super().__init__(scope, name, description="event-assets: simulated traffic")
        key = data.key_for(self)
        secret = secretsmanager.Secret(
            self,
            "SimulatorKey",
            description="The simulator's write key: event-assets keys create simulator",
            encryption_key=key,
            secret_string_value=cdk.SecretValue.unsafe_plain_text("none"),
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(self, "SimulatorRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for statement in (
            *reads_secret(secret.secret_arn, key.key_arn),
            *keeps_truth(data.lake.bucket_arn, TRUTH, key.key_arn),
        ):
            role.add_to_policy(statement)
        group = logs.LogGroup(self, "SimulatorLogs", retention=retention(choices.size.log_days), encryption_key=key)
        group.grant_write(role)
        image = image_asset(self, "platform")
        self.function = functions.DockerImageFunction(
            self,
            "Simulator",
            code=functions.DockerImageCode.from_ecr(
                image.repository,
                tag_or_digest=image.asset_hash,
                entrypoint=["python", "-m", "awslambdaric"],
                cmd=["event_assets.simulator.aws_lambda.handler"],
            ),
            architecture=functions.Architecture.ARM_64,
            role=role,
            log_group=group,
            memory_size=1769,  # one whole core
            timeout=Duration.minutes(10),
            environment=simulator_environment(choices, region=Aws.REGION),
            environment_encryption=key,
        )
        excuse(
            self.function,
            CKV_AWS_115="it is called once an hour; a limit of its own would take concurrency from other functions",
            CKV_AWS_116="what one hour does not send is missed by nobody",
            CKV_AWS_117="it calls the ingest API as the internet does; a network would have no use",
        )
        asked = {
            "endpoint": address,
            "write_key_secret": secret.secret_arn,
            "events": EVENTS,
            "seconds": SIMULATED_SECONDS,
            "truth_url": f"s3://{data.lake.bucket_name}/{TRUTH}",
        }
        schedules.Rule(
            self,
            "SimulatorSchedule",
            description="Simulated visitors come",
            schedule=schedules.Schedule.rate(Duration.hours(1)),
            targets=[
                targets.LambdaFunction(
                    self.function, event=schedules.RuleTargetInput.from_object(asked), retry_attempts=0
                )
            ],
        )
        cdk.CfnOutput(self, "SimulatorKeySecret", value=secret.secret_arn)
