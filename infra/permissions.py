"""What each component may do: one role a component, and no more than its code calls.

Tests record what the launcher, the ingest API and runs ask of emulators, and hold it against their statements; the
others are read from the code. A snapshot of all statements shows each change in review.
"""

from __future__ import annotations

from aws_cdk import Aws, Fn
from aws_cdk import aws_iam as iam

from event_assets.audit.log import FOLDER as AUDIT
from event_assets.lake.asked import FOLDER as QUEUE

STREAM_WRITE = ("kinesis:PutRecords", "kinesis:ListShards")
STREAM_READ = (
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
CLUSTER_WRITE = ("kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently")
TOPIC_WRITE = ("kafka-cluster:DescribeTopic", "kafka-cluster:WriteData")
CLUSTER_READ = ("kafka-cluster:Connect",)
TOPIC_READ = (
    "kafka-cluster:DescribeTopic",
    "kafka-cluster:DescribeTopicDynamicConfiguration",
    "kafka-cluster:ReadData",
)
GROUP_READ = ("kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup")
LAKE_WRITE = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
LAKE_READ = ("s3:GetObject",)
KEYS_READ = ("secretsmanager:GetSecretValue",)
KEY_OBJECT_READ = ("s3:GetObject",)
KEY_TABLE_READ = ("dynamodb:Scan",)
SECRET_ROTATE = (
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
)
FRONT_CHANGE = (
    "cloudfront:GetDistribution",
    "cloudfront:GetDistributionConfig",
    "cloudfront:UpdateDistribution",
)
ONLINE_READ = ("dynamodb:BatchGetItem", "dynamodb:GetItem")
ONLINE_WRITE = (
    *ONLINE_READ,
    "dynamodb:BatchWriteItem",
    "dynamodb:DescribeTable",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
)
LAUNCH = ("ecs:RunTask",)
WATCH_RUNS = ("ecs:DescribeTasks", "ecs:StopTask")


def writes_stream(stream: str, key: str) -> list[iam.PolicyStatement]:
    """Puts events on the stream, and sees whether it takes them."""
    return [allow(STREAM_WRITE, stream), _key(("kms:GenerateDataKey",), key, "kinesis")]


def reads_stream(stream: str, key: str) -> list[iam.PolicyStatement]:
    """Lands the stream's records."""
    return [allow(STREAM_READ, stream), _key(("kms:Decrypt",), key, "kinesis")]


def writes_topic(cluster: str, topic: str) -> list[iam.PolicyStatement]:
    """Puts events on a topic of MSK, and sees whether it takes them."""
    return [allow(CLUSTER_WRITE, cluster), allow(TOPIC_WRITE, topic)]


def reads_topic(cluster: str, topic: str, group: str) -> list[iam.PolicyStatement]:
    """Lands the topic's records. No group is joined: MSK asks for its rights of whoever names one."""
    return [allow(CLUSTER_READ, cluster), allow(TOPIC_READ, topic), allow(GROUP_READ, group)]


def keeps_lake(bucket: str, key: str) -> list[iam.PolicyStatement]:
    """Reads, writes and clears the lake's prefix of the bucket."""
    return [
        allow(LAKE_WRITE, f"{bucket}/lake/*"),
        allow(("s3:ListBucket",), bucket),
        _key(("kms:Decrypt", "kms:GenerateDataKey"), key, "s3"),
    ]


def queues_requests(bucket: str, key: str) -> list[iam.PolicyStatement]:
    """Keeps what people ask for in the lake's queue, and reads how far it is: no other part of the bucket, and no list
    of what is there."""
    return [
        allow(("s3:GetObject", "s3:PutObject"), f"{bucket}/lake/{QUEUE}/*"),
        _key(("kms:Decrypt", "kms:GenerateDataKey"), key, "s3"),
    ]


def keeps_truth(bucket: str, name: str, key: str) -> list[iam.PolicyStatement]:
    """Keeps what the simulator sent, under one name beside the lake."""
    return [allow(("s3:PutObject",), f"{bucket}/{name}"), _key(("kms:GenerateDataKey",), key, "s3")]


def reads_lake(bucket: str, key: str) -> list[iam.PolicyStatement]:
    """What Redshift needs to COPY Parquet files by a manifest."""
    return [
        allow(LAKE_READ, f"{bucket}/lake/*"),
        allow(("s3:ListBucket",), bucket),
        _key(("kms:Decrypt",), key, "s3"),
    ]


def asks_online(tables: list[str], key: str) -> list[iam.PolicyStatement]:
    """Looks people up in the tables of front ends, where there are any."""
    if not tables:
        return []
    return [allow(ONLINE_READ, *tables), _key(("kms:Decrypt", "kms:DescribeKey"), key, "dynamodb")]


def keeps_online(tables: list[str], key: str) -> list[iam.PolicyStatement]:
    """Publishes to them."""
    if not tables:
        return []
    uses = ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
    return [allow(ONLINE_WRITE, *tables), _key(tuple(f"kms:{use}" for use in uses), key, "dynamodb")]


def looks_at_lake(bucket: str, key: str) -> list[iam.PolicyStatement]:
    """Reads the lake, and adds to the log of who did what."""
    return [
        *reads_lake(bucket, key),
        allow(("s3:PutObject",), f"{bucket}/lake/{AUDIT}/*"),
        _key(("kms:GenerateDataKey",), key, "s3"),
    ]


def reads_secret(secret: str, key: str) -> list[iam.PolicyStatement]:
    """Reads one secret while it runs."""
    return [allow(KEYS_READ, secret), _key(("kms:Decrypt",), key, "secretsmanager")]


def reads_key_object(key_object: str, key: str) -> list[iam.PolicyStatement]:
    """Reads the write keys, an object beside the lake, which who reads the lake cannot read."""
    return [allow(KEY_OBJECT_READ, key_object), _key(("kms:Decrypt",), key, "s3")]


def reads_key_table(table: str, key: str) -> list[iam.PolicyStatement]:
    """Reads the table of write keys."""
    return [allow(KEY_TABLE_READ, table), _key(("kms:Decrypt", "kms:DescribeKey"), key, "dynamodb")]


def rotates_secret(secret: str, key: str) -> list[iam.PolicyStatement]:
    """Puts another value in the place of a secret's, step by step."""
    return [allow(SECRET_ROTATE, secret), _key(("kms:Decrypt", "kms:GenerateDataKey"), key, "secretsmanager")]


def says_secret(distribution: str, firewall: str) -> list[iam.PolicyStatement]:
    """Has a distribution of CloudFront say another value. Whoever changes one has to see its firewall."""
    return [allow(FRONT_CHANGE, distribution), allow(("wafv2:GetWebACL",), firewall)]


def launches_runs(cluster: str, family: str, roles: list[str]) -> list[iam.PolicyStatement]:
    """Starts, watches and ends the tasks of runs. `family` is the ARN of their task definition without its revision."""
    return [
        allow(LAUNCH, f"{family}:*", condition={"ArnEquals": {"ecs:cluster": cluster}}),
        allow(("ecs:TagResource",), *_tasks(cluster), condition={"StringEquals": {"ecs:CreateAction": "RunTask"}}),
        allow(
            ("iam:PassRole",), *roles, condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        ),
        *watches_runs(cluster),
        allow(("ec2:DescribeNetworkInterfaces",), "*"),  # it can be bound to no resource
    ]


def watches_runs(cluster: str) -> list[iam.PolicyStatement]:
    """Sees how the tasks of runs are, and ends them. What a task is made of can be bound to no resource."""
    return [
        allow(("ecs:DescribeTaskDefinition",), "*"),
        allow(WATCH_RUNS, *_tasks(cluster), condition={"ArnEquals": {"ecs:cluster": cluster}}),
    ]


def connects_network(subnets: list[str], group: str) -> list[iam.PolicyStatement]:
    """Puts network interfaces with this security group into these subnets. What only describes can be bound to no
    resource."""

    def arn(kind: str, name: str) -> str:
        return f"arn:{Aws.PARTITION}:ec2:{Aws.REGION}:{Aws.ACCOUNT_ID}:{kind}/{name}"

    interfaces = arn("network-interface", "*")
    places = [arn("subnet", subnet) for subnet in subnets]
    return [
        allow(("ec2:CreateNetworkInterface",), interfaces, *places, arn("security-group", group)),
        allow(("ec2:DeleteNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"), interfaces),
        allow(("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"), "*"),
    ]


def allow(
    actions: tuple[str, ...], *resources: str, condition: dict[str, dict[str, str]] | None = None
) -> iam.PolicyStatement:
    """A statement that allows these actions on these resources."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=condition)


def opens_secrets(key: str) -> iam.PolicyStatement:
    """Decrypts secrets that a task gets as environment: for the role that starts it, which may read each by itself."""
    return _key(("kms:Decrypt",), key, "secretsmanager")


def _key(actions: tuple[str, ...], key: str, service: str) -> iam.PolicyStatement:
    """Uses the key through one service alone."""
    return allow(
        actions, key, condition={"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}"}}
    )


def _tasks(cluster: str) -> tuple[str]:
    """The tasks of a cluster; its ARN ends with its name."""
    return (f"arn:{Aws.PARTITION}:ecs:{Aws.REGION}:{Aws.ACCOUNT_ID}:task/{Fn.select(1, Fn.split('/', cluster))}/*",)
