"""Every size can be made, and both edges: templates are valid, rights are known, containers get real settings."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from event_assets.rules.retention import read_retention
from event_assets.settings import PREFIX, Settings
from event_assets.settings.faults import misspelt
from event_assets.streams.topic_settings import topic_settings
from event_assets_tests.infra.templates import (
    ROOT,
    SHOWN,
    STATEMENTS,
    VARIANTS,
    Resource,
    Synthesised,
    listed,
    statements,
)
from infra.deploys import ENVIRONMENT
from infra.lifecycle import FILE
from infra.permissions import (
    CLUSTER_READ,
    CLUSTER_WRITE,
    GROUP_READ,
    KEY_TABLE_READ,
    ONLINE_READ,
    ONLINE_WRITE,
    TOPIC_READ,
    TOPIC_WRITE,
)

pytestmark = [pytest.mark.slow, pytest.mark.representative]  # synthesis takes half a minute, once for all of these
WILDCARDS = {
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ecr:GetAuthorizationToken",
    "ecs:DescribeTaskDefinition",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
"""Actions that AWS binds to no resource."""


def test_every_size_has_its_parts_and_the_edge_that_was_chosen(variants: dict[str, Synthesised]) -> None:
    assert variants.keys() == VARIANTS.keys()
    for name, made in variants.items():
        size, _, edge = name.partition("-")
        kinds = {resource.type for resource in made.resources()}
        of_edge = {resource.type for resource in made.resources() if resource.stack.endswith("Edge")}
        assert ("AWS::ElasticLoadBalancingV2::LoadBalancer" in of_edge) == (edge == "alb"), name
        assert ("AWS::ApiGatewayV2::Api" in of_edge) == (edge == "lambda"), name
        assert ("AWS::RedshiftServerless::Workgroup" in kinds) == (size == "large"), name
        clustered = size == "large" or VARIANTS[name].get("spark") == "cluster"
        assert ("AWS::AutoScaling::AutoScalingGroup" in kinds) == clustered, name
        of_stream = {"AWS::Kinesis::Stream", "AWS::MSK::Cluster"} & kinds
        assert of_stream == {"AWS::MSK::Cluster" if is_on_kafka(name) else "AWS::Kinesis::Stream"}, name
        assert {
            "AWS::RDS::DBInstance",
            "AWS::Budgets::Budget",
            "AWS::CloudWatch::Dashboard",
        } <= kinds


def is_on_kafka(variant: str) -> bool:
    return VARIANTS[variant].get("stream") == "kafka"


def test_cfn_lint_finds_no_error_in_any_template(variants: dict[str, Synthesised]) -> None:
    files = [str(file) for made in variants.values() for file in sorted(made.folder.glob("*.template.json"))]
    of = VARIANTS.values()
    some = [("github" in each) + ("simulator" in each) + (each["edge"] == "lambda") for each in of]
    some += [is_on_kafka(name) for name in VARIANTS]
    assert len(files) == 5 * len(VARIANTS) + sum(some)
    command = [
        sys.executable,
        "-m",
        "cfnlint",
        "--regions",
        "eu-central-1",
        "us-east-1",
        "--format",
        "json",
        "--",
        *files,
    ]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout or "[]")
    of_cdk = {"W3005"}  # CDK names dependencies that a reference implies
    assert [each for each in found if each["Rule"]["Id"] not in of_cdk] == [], done.stderr


def test_the_rights_of_every_role_are_the_ones_that_were_reviewed(variants: dict[str, Synthesised]) -> None:
    made = {name: statements(variants[name]) for name in SHOWN}
    reviewed = json.loads(STATEMENTS.read_text("utf-8"))
    assert made == reviewed, "look at the change, then: python -m event_assets_tests.infra.templates"


def test_every_role_is_among_the_reviewed_ones(variants: dict[str, Synthesised]) -> None:
    shown = {role for name in SHOWN for role in statements(variants[name])}
    assert {role for made in variants.values() for role in statements(made)} <= shown


def test_no_role_may_do_everything_or_on_everything(variants: dict[str, Synthesised]) -> None:
    seen = 0
    for made in variants.values():
        for resource in made.resources("AWS::IAM::Policy"):
            for statement in resource.properties["PolicyDocument"]["Statement"]:
                actions = set(listed(statement["Action"]))
                assert not any("*" in action for action in actions), (resource.name, actions)
                assert "*" not in listed(statement["Resource"]) or actions <= WILDCARDS, (resource.name, actions)
                seen += 1
    assert seen > 100


def test_only_one_environment_of_one_repository_may_deploy(variants: dict[str, Synthesised]) -> None:
    (made,) = [variants[name] for name, choices in VARIANTS.items() if "github" in choices]
    deploy = next(stack for name, stack in made.stacks.items() if name.endswith("Deploy"))
    (role,) = [each["Properties"] for each in deploy["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    said = {name.rpartition(":")[2]: value for name, value in trust["Condition"]["StringEquals"].items()}
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert said == {"aud": "sts.amazonaws.com", "sub": f"repo:example/analytics:environment:{ENVIRONMENT}"}
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))
    assert workflow["jobs"]["deploy"]["environment"] == ENVIRONMENT
    assert workflow["jobs"]["deploy"]["permissions"]["id-token"] == "write"


def test_old_days_go_by_themselves_where_that_was_chosen(variants: dict[str, Synthesised]) -> None:
    for name, made in variants.items():
        (rule,) = [each for each in made.resources("AWS::Events::Rule") if "Retention" in each.name]
        assert rule.properties["State"] == ("ENABLED" if "retention" in VARIANTS[name] else "DISABLED"), name


def test_quicksight_reaches_the_warehouse_and_nothing_else(variants: dict[str, Synthesised]) -> None:
    for name, made in variants.items():
        connections = list(made.resources("AWS::QuickSight::VPCConnection"))
        assert bool(connections) == ("quicksight" in VARIANTS[name]), name
    made = variants["large-alb"]
    (guard,) = (each.name for each in made.resources("::SecurityGroup") if each.name.startswith("QuickSightGuard"))
    (warehouse,) = (each.name for each in made.resources("::SecurityGroup") if each.name.startswith("WarehouseGuard"))
    (egress,) = (each.properties for each in made.resources("SecurityGroupEgress") if guard in json.dumps(each))
    assert (egress["FromPort"], egress["ToPort"]) == (5439, 5439)
    assert warehouse in json.dumps(egress["DestinationSecurityGroupId"])
    (answers,) = (
        each.properties
        for each in made.resources("SecurityGroupIngress")
        if guard in json.dumps(each.properties["GroupId"])
    )
    assert warehouse in json.dumps(answers["SourceSecurityGroupId"])


def test_front_ends_ask_tables_that_runs_publish_to_and_nobody_else_may(variants: dict[str, Synthesised]) -> None:
    for name, made in variants.items():
        tables = [table.properties for table in made.resources("AWS::DynamoDB::Table")]
        chosen = "online" in VARIANTS[name]
        names = ["eventassets-online", "eventassets-online_features"] if chosen else []
        assert sorted(table["TableName"] for table in tables if "TableName" in table) == names, name
        assert all(table["SSESpecification"]["SSEType"] == "KMS" for table in tables)
        asking = {kind for kind, variables in environments(made) if f"{PREFIX}SEGMENTS_ONLINE_URL" in variables}
        shown = {choice.title() for choice in ("continuous", "dashboards") if choice in VARIANTS[name]}
        kinds = {kind.partition("Task")[0].rstrip("0123456789ABCDEF") for kind in asking}
        assert kinds == ({"Code", "Collector", "Retention", "Run"} | shown if chosen else set()), name
        rights = {
            role.partition("/")[2].strip("{}").partition("Role")[0]: {
                action for line in lines for action in line.split() if action.startswith("dynamodb:")
            }
            for role, lines in statements(made).items()
        }
        may = {role: actions for role, actions in rights.items() if actions}
        publish, of_keys = set(ONLINE_WRITE), KEY_TABLE_READ if VARIANTS[name].get("keys") == "table" else ()
        assert may == ({"Collector": {*ONLINE_READ, *of_keys}, "Code": publish, "Run": publish} if chosen else {}), name


OF_KEYS = {
    "secret": (f"{PREFIX}KEYS_SECRET", "xxx", "secretsmanager:GetSecretValue", "RefWriteKeys"),
    "bucket": (f"{PREFIX}KEYS_URL", "s3://xxx/keys/keys.json", "s3:GetObject", "/keys/keys.json"),
    "table": (f"{PREFIX}KEYS_URL", "dynamodb://xxx", "dynamodb:Scan", "WriteKeysTable"),
}
"""By choice the setting and its value, and the place that one role may read."""


def test_the_ingest_api_reads_its_keys_where_they_were_chosen_to_be_and_nobody_else_does(
    variants: dict[str, Synthesised],
) -> None:
    for name, made in variants.items():
        setting, value, action, place = OF_KEYS[VARIANTS[name].get("keys", "secret")]
        told = [
            (each, value)
            for _, variables in environments(made)
            for each, value in variables.items()
            if each.startswith(f"{PREFIX}KEYS_")
        ]
        assert told == [(setting, value)], name
        rights = [(role, line) for role, lines in statements(made).items() for line in lines if place in line]
        ((role, line),) = rights
        assert "/CollectorRole" in role.replace("{", "") and action in line, name


def test_no_two_services_share_a_role(variants: dict[str, Synthesised]) -> None:
    for made in variants.values():
        roles = [json.dumps(task.properties["TaskRoleArn"]) for task in made.resources("AWS::ECS::TaskDefinition")]
        assert len(roles) == len(set(roles)) >= 4


def test_the_bucket_s_rules_delete_nothing_current_and_a_function_takes_old_days_away_every_night(
    variants: dict[str, Synthesised],
) -> None:
    raw = read_retention(FILE).raw
    for name, made in variants.items():
        (lake,) = (each for each in made.resources("AWS::S3::Bucket") if each.name.startswith("Lake"))
        assert lake.properties["VersioningConfiguration"] == {"Status": "Enabled"}
        rules = lake.properties["LifecycleConfiguration"]["Rules"]
        assert not any("ExpirationInDays" in rule or "ExpirationDate" in rule for rule in rules), name
        assert [rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in rules[:1]] == [7]
        moves = [move["TransitionInDays"] for rule in rules for move in rule.get("Transitions", ())]
        assert moves == ([30] if raw == "keep" or raw >= 60 else []), name
        (function,) = (each for each in made.resources("AWS::Lambda::Function") if each.name.startswith("Retention"))
        assert function.properties["ImageConfig"]["Command"] == ["event_assets.privacy.aws_lambda.handler"]
        (rule,) = (each for each in made.resources("AWS::Events::Rule") if each.name.startswith("Retention"))
        assert rule.properties["ScheduleExpression"] == "cron(37 5 * * ? *)"
        assert function.name in json.dumps(rule.properties["Targets"])


FUNCTIONS = ("Collector", "Retention", "Simulator")
"""Those that run the image."""


def environments(made: Synthesised) -> Iterator[tuple[str, dict[str, str]]]:
    """The environment of each container and function, references replaced by names."""
    for resource in made.resources():
        if resource.type == "AWS::Lambda::Function" and resource.name.startswith(FUNCTIONS):
            yield resource.name, _texts(resource.properties["Environment"]["Variables"])
        if resource.type == "AWS::ECS::TaskDefinition":
            yield resource.name, _texts(_container(resource))


def _container(resource: Resource) -> dict[str, Any]:
    (container,) = resource.properties["ContainerDefinitions"]
    return {each["Name"]: each["Value"] for each in container["Environment"]}


def _texts(variables: dict[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else _referred(value) for name, value in variables.items()}


def _referred(value: Any) -> str:
    """A value that is known when it is deployed, with `x` for what is not known yet."""
    if isinstance(value, dict) and "Fn::Join" in value:
        between, parts = value["Fn::Join"]
        return str(between).join(part if isinstance(part, str) else "xxx" for part in parts)
    if "Brokers" in json.dumps(value):
        return "b-1.events.kafka.amazonaws.com:9098,b-2.events.kafka.amazonaws.com:9098"
    return "10.0.0.0/16" if "CidrBlock" in json.dumps(value) else "xxx"


SECRETS = ("PII_KEY", "PRIVACY_KEY", "DASHBOARD_OIDC_CLIENT_SECRET")
KEYS = {f"{PREFIX}{name}": "a key of sixteen letters" for name in SECRETS}
"""What containers get as secrets, and functions fetch."""


def test_every_variable_of_every_container_is_a_setting_with_a_value_that_it_takes(
    variants: dict[str, Synthesised], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    for variant, made in variants.items():
        for name, variables in environments(made):
            ours = {each: value for each, value in variables.items() if each.startswith(PREFIX)}
            assert misspelt(ours, PREFIX, Settings.model_fields) == [], name
            with monkeypatch.context() as patch:
                for variable, value in (KEYS | ours).items():
                    patch.setenv(variable, value)
                settings = Settings()
            if ours and not name.startswith("Simulator"):
                assert settings.stream == ("kafka" if is_on_kafka(variant) else "kinesis"), name
            read |= {name} if ours else set()
    assert len(read) == 8  # three functions; tasks of collector, code location, runs, streaming query, dashboards


def test_the_stream_is_of_the_kind_that_was_chosen(variants: dict[str, Synthesised]) -> None:
    for name, made in variants.items():
        if is_on_kafka(name):
            continue
        (stream,) = (each.properties for each in made.resources("AWS::Kinesis::Stream"))
        kind = VARIANTS[name].get("stream", "on-demand" if name.startswith("large") else "shards")
        assert stream["StreamModeDetails"]["StreamMode"] == ("PROVISIONED" if kind == "shards" else "ON_DEMAND"), name
        assert ("ShardCount" in stream) == (kind == "shards"), name


def test_the_settings_say_what_the_choices_chose(variants: dict[str, Synthesised]) -> None:
    def of_run(variant: str) -> dict[str, str]:
        return next(variables for name, variables in environments(variants[variant]) if name.startswith("RunTask"))

    small, large = of_run("small-lambda"), of_run("large-alb")
    assert small["EVENT_ASSETS_WAREHOUSE_KIND"] == "postgres" and "EVENT_ASSETS_SPARK_REMOTE" not in small
    assert large["EVENT_ASSETS_WAREHOUSE_KIND"] == "redshift" and "EVENT_ASSETS_WAREHOUSE_IAM_ROLE" in large
    assert (small["EVENT_ASSETS_LANDING_RUNS"], large["EVENT_ASSETS_LANDING_RUNS"]) == ("1", "3")
    for runs in (small, large):  # what the sensors ask for at once is never all that Dagster lets run
        wanted = int(runs["EVENT_ASSETS_MAX_RUNS_IN_FLIGHT"]) + int(runs["EVENT_ASSETS_LANDING_RUNS"]) - 1
        assert int(runs["DAGSTER_MAX_RUNS"]) > wanted
    assert large["EVENT_ASSETS_SPARK_REMOTE"] == "sc://spark.event-assets.internal:15002"


def test_no_template_holds_a_password(variants: dict[str, Synthesised]) -> None:
    for made in variants.values():
        for task in made.resources("AWS::ECS::TaskDefinition"):
            assert not any("PASSWORD" in name for name in _container(task)), task.name
        for namespace in made.resources("AWS::RedshiftServerless::Namespace"):
            assert "resolve:secretsmanager" in json.dumps(namespace.properties["AdminUserPassword"])


def test_synthesis_is_offline_and_its_image_is_made_of_what_the_dockerfile_copies(
    variants: dict[str, Synthesised],
) -> None:
    assets = [folder for folder in variants["small-alb"].folder.glob("asset.*") if folder.is_dir()]
    holding = [folder for folder in assets if (folder / "infra/image/Dockerfile").exists()]
    assert holding
    for folder in holding:
        assert (folder / "event_assets/definitions.py").exists()
        assert (folder / "python-sdk/event_assets_sdk/client.py").exists()
        assert {path.name for path in folder.iterdir()} <= {
            "event_assets",
            "infra",
            "python-sdk",
            "requirements.lock",
            "setup.py",
            "README.md",
        }
        assert not list(folder.rglob("__pycache__"))
    assert (ROOT / "infra/image/Dockerfile").exists()


def test_the_ingest_api_has_the_image_without_spark_and_everything_else_the_platform_s(
    variants: dict[str, Synthesised],
) -> None:
    for name, made in variants.items():
        targets = {
            file.name.partition(".")[0].removeprefix("EventAssets"): {
                image["source"]["dockerBuildTarget"]
                for image in json.loads(file.read_text("utf-8"))["dockerImages"].values()
            }
            for file in made.folder.glob("*.assets.json")
        }
        of_platform = {"Pipeline", "Simulator"} & targets.keys()
        wanted = {"Edge": {"collector"}, **{stack: {"platform"} for stack in of_platform}}
        assert {stack: each for stack, each in targets.items() if each} == wanted, name


def test_brokers_take_tls_and_iam_alone_keep_an_event_three_times_and_lose_none_with_a_zone(
    variants: dict[str, Synthesised],
) -> None:
    (name,) = filter(is_on_kafka, VARIANTS)
    made = variants[name]
    (cluster,) = (each.properties for each in made.resources("AWS::MSK::Cluster"))
    assert cluster["ClientAuthentication"]["Sasl"] == {"Iam": {"Enabled": True}}
    assert cluster["ClientAuthentication"]["Unauthenticated"] == {"Enabled": False}
    assert cluster["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}
    places = cluster["BrokerNodeGroupInfo"]["ClientSubnets"]
    assert len(places) == 3 and cluster["NumberOfBrokerNodes"] % 3 == 0
    (settings,) = (each.properties["ServerProperties"] for each in made.resources("AWS::MSK::Configuration"))
    assert {"min.insync.replicas=2", "unclean.leader.election.enable=false"} <= set(settings.splitlines())
    (topic,) = (each.properties for each in made.resources("AWS::MSK::Topic"))
    written = dict(line.split("=") for line in base64.b64decode(topic["Configs"]).decode().splitlines())
    assert (topic["ReplicationFactor"], topic["PartitionCount"]) == (3, 6)
    assert written == topic_settings(168) and int(written["max.message.bytes"]) > 2**20


def test_brokers_are_reached_by_who_writes_and_reads_the_topic_and_by_nobody_else(
    variants: dict[str, Synthesised],
) -> None:
    (name,) = filter(is_on_kafka, VARIANTS)
    made = variants[name]
    ways = [each.properties for each in made.resources("::SecurityGroupIngress") if each.properties["ToPort"] == 9098]
    senders = {way["SourceSecurityGroupId"]["Fn::GetAtt"][0].rstrip("0123456789ABCDEF") for way in ways}
    assert senders == {"CollectorGuard", "CodeGuard", "DaemonGuard", "ContinuousGuard", "SparkGuard"}
    assert all("KafkaGuard" in json.dumps(way["GroupId"]) for way in ways)
    (guard,) = (each.properties for each in made.resources("::SecurityGroup") if each.name.startswith("KafkaGuard"))
    assert "SecurityGroupIngress" not in guard


def test_a_role_of_kafka_names_the_cluster_the_topic_and_the_group_that_it_is_about(
    variants: dict[str, Synthesised],
) -> None:
    (name,) = filter(is_on_kafka, VARIANTS)
    rights = {
        role.partition("/")[2].strip("{}").partition("Role")[0]: [line for line in lines if "kafka-cluster:" in line]
        for role, lines in statements(variants[name]).items()
    }
    theirs = {role: lines for role, lines in rights.items() if lines}
    assert theirs.keys() == {"Collector", "Code", "Run", "Continuous", "SparkMaster", "SparkWorker"}
    for role, lines in theirs.items():
        actions = {action for line in lines for action in line.split() if action.startswith("kafka-cluster:")}
        writes = {*CLUSTER_WRITE, *TOPIC_WRITE}
        assert actions == (writes if role == "Collector" else {*CLUSTER_READ, *TOPIC_READ, *GROUP_READ}), role
        assert all("Cluster" in line.partition(" on ")[2] for line in lines), role
        (of_topic,) = (line for line in lines if "DescribeTopic" in line)
        assert of_topic.endswith("/events") and ":topic/" in of_topic


def test_the_network_has_as_many_zones_as_the_size_says_and_three_where_kafka_is(
    variants: dict[str, Synthesised],
) -> None:
    for name, made in variants.items():
        subnets = [each.properties for each in made.resources("AWS::EC2::Subnet")]
        zones = {json.dumps(subnet["AvailabilityZone"]) for subnet in subnets}
        assert len(zones) == (3 if is_on_kafka(name) or name.startswith("large") else 2), name
