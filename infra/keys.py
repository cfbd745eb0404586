"""Where the file of write keys is: a secret, an object beside the lake, or a table. How the ingest API finds it, and
what it may do with it: read it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from event_assets.settings.values import DYNAMODB
from infra.choices import Choices
from infra.permissions import reads_key_object, reads_key_table, reads_secret

_OBJECT = "keys/keys.json"


class WriteKeys(NamedTuple):
    """`settings` are the platform's, by which the keys are found; `reads` is what reading them takes."""

    settings: Mapping[str, str]
    reads: Sequence[iam.PolicyStatement]


def write_keys(scope: Construct, choices: Choices, key: kms.IKey, bucket: s3.Bucket) -> WriteKeys:
    """The store of the choice, which stays where the stack is deleted, and where it is, among the outputs."""
    if choices.keys == "secret":
        secret = _secret(scope, key)
        cdk.CfnOutput(scope, "KeysSecret", value=secret.secret_arn)
        return WriteKeys({"keys_secret": secret.secret_arn}, reads_secret(secret.secret_arn, key.key_arn))
    if choices.keys == "bucket":
        url = f"s3://{bucket.bucket_name}/{_OBJECT}"
        reads = reads_key_object(bucket.arn_for_objects(_OBJECT), key.key_arn)
    else:
        table = _table(scope, key)
        url = f"{DYNAMODB}{table.table_name}"
        reads = reads_key_table(table.table_arn, key.key_arn)
    cdk.CfnOutput(scope, "KeysUrl", value=url)
    return WriteKeys({"keys_url": url}, reads)


def _secret(scope: Construct, key: kms.IKey) -> secrets.Secret:
    return secrets.Secret(
        scope,
        "WriteKeys",
        description="The file of write keys: event-assets keys create",
        encryption_key=key,
        secret_string_value=cdk.SecretValue.unsafe_plain_text('{"keys":[]}'),
        removal_policy=RemovalPolicy.RETAIN,
    )


def _table(scope: Construct, key: kms.IKey) -> dynamodb.Table:
    return dynamodb.Table(
        scope,
        "WriteKeysTable",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
