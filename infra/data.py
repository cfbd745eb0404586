"""What holds data: the key that everything is encrypted with, the lake's bucket, keys, and the stream on Kinesis."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from infra.alarms import alarm_encryption
from infra.choices import Choices
from infra.excuses import excuse
from infra.keys import write_keys
from infra.kinesis import kinesis_stream
from infra.lifecycle import lifecycle
from infra.logs import log_encryption
from infra.online import online_tables

LAKE_PREFIX = "lake"
REQUESTS = "Requests"
"""Under which CloudWatch has what is asked of the lake's bucket."""


class DataStack(cdk.Stack):
    """All of it is kept where the stack is deleted, but for the stream, which holds what was not landed yet."""

    def __init__(self, scope: Construct, name: str, choices: Choices) -> None:
        super().__init__(scope, name, description="event-assets: stream, lake, keys")
        self.key = kms.Key(self, "Key", enable_key_rotation=True, description="Stream, lake, secrets, alarms")
        self._let_services_use_the_key()
        size = choices.size
        self.stream = None if choices.stream == "kafka" else kinesis_stream(self, choices, self.key)
        self.lake = self._lake(size.log_days)
        self.write_keys = write_keys(self, choices, self.key, self.lake)
        self.pii_key = self._kept("PiiKey", "Key of the pseudonyms (EVENT_ASSETS_PII_KEY)")
        self.privacy_key = self._kept("PrivacyKey", "Key of erasures and receipts (EVENT_ASSETS_PRIVACY_KEY)")
        self.online = online_tables(self, choices, self.key) if choices.online == "on" else []
        cdk.CfnOutput(self, "LakeUrl", value=self.lake_url)
        cdk.CfnOutput(self, "PiiKeySecret", value=self.pii_key.secret_arn)
        cdk.CfnOutput(self, "PrivacyKeySecret", value=self.privacy_key.secret_arn)

    def _kept(self, name: str, description: str) -> secrets.Secret:
        """A key that AWS makes once. It is there whatever was chosen: one that came and went with a choice would make
        other people of everybody."""
        return secrets.Secret(
            self,
            name,
            description=description,
            encryption_key=self.key,
            generate_secret_string=secrets.SecretStringGenerator(password_length=48, exclude_punctuation=True),
            removal_policy=RemovalPolicy.RETAIN,
        )

    @property
    def lake_url(self) -> str:
        """Where the lake is, as the settings name it."""
        return f"s3://{self.lake.bucket_name}/{LAKE_PREFIX}"

    def key_for(self, scope: Construct) -> kms.IKey:
        """The key as another stack sees it. Rights to use it are given to roles there, and the key's own policy stays
        as it is: it would name roles of stacks that need this one first."""
        return kms.Key.from_key_arn(scope, "Key", self.key.key_arn)

    def secret_for(self, scope: Construct, name: str, secret: secrets.Secret) -> secrets.ISecret:
        """A secret as another stack sees it, for the same reason."""
        return secrets.Secret.from_secret_complete_arn(scope, name, secret.secret_arn)

    @property
    def online_arns(self) -> list[str]:
        """The tables that front ends ask, where there are any."""
        return [table.table_arn for table in self.online]

    def _lake(self, log_days: int) -> s3.Bucket:
        access = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,  # S3 writes access logs to no bucket with a key of ours
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(log_days),
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(3),
                )
            ],
        )
        excuse(access, CKV_AWS_18="it is where access logs go")
        return s3.Bucket(
            self,
            "Lake",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN,
            server_access_logs_bucket=access,
            lifecycle_rules=lifecycle(LAKE_PREFIX),
            metrics=[s3.BucketMetrics(id=REQUESTS)],
        )

    def _let_services_use_the_key(self) -> None:
        """CloudWatch encrypts logs and speaks to a topic by itself: no role of ours can be given the right for it."""
        for statement in (log_encryption(Aws.REGION), alarm_encryption("cloudwatch", "budgets")):
            self.key.add_to_resource_policy(statement)
