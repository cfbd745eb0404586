"""Stacks on an emulator: made by CloudFormation of the templates that would go to AWS; events go through them."""

from __future__ import annotations

import copy
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from event_assets.cli import app
from event_assets.collector import aws_lambda
from event_assets.contract.tables.events import RAW_EVENTS
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.pipeline.land import land_step
from event_assets.settings import load_settings
from event_assets.streams import open_stream
from event_assets_tests.collector.serving import event, written
from event_assets_tests.collector.test_aws_lambda import new_instance, request
from event_assets_tests.documented import blocks
from event_assets_tests.emulators.ministack import reset
from event_assets_tests.infra.templates import ROOT, Synthesised
from event_assets_tests.infra.test_watch import alarms_of, put
from event_assets_tests.pipeline.runs import a_run
from event_assets_tests.postgres import new_database
from event_assets_tests.telemetry.test_alarms import FAULTS, lines_of

pytestmark = pytest.mark.slow

REGION = "us-east-1"
PAGE = ROOT / "docs" / "how-to" / "run-on-aws.md"
UNKNOWN = {
    "AWS::Budgets::Budget",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::WAFv2::LoggingConfiguration",
}
"""What the emulator does not know of what these stacks are made of; a test asks it."""
UNSAID = {"AWS::EC2::VPC.CidrBlock": "10.0.0.0/16"}
"""What it does not tell of a resource that it knows."""
STACKS = ("Data", "Network", "Firewall", "Edge", "Pipeline", "Watch")
"""In the order in which they need each other."""


class Account:
    """An account of the emulator, with what stacks of one variant made in it."""

    def __init__(self, url: str, made: Synthesised) -> None:
        self._url, self.made = url, made

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self._url, region_name=REGION)

    def deploy(self, name: str) -> dict[str, str]:
        """Makes a stack of its template, without what the emulator does not know. Gives its outputs."""
        cloud = self.client("cloudformation")
        asked = self.put(name, _without(self.made.stacks[name], UNKNOWN))
        cloud.create_stack(StackName=name, TemplateURL=asked, Capabilities=["CAPABILITY_IAM"])
        cloud.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
        (stack,) = cloud.describe_stacks(StackName=name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}

    def put(self, name: str, template: dict[str, Any]) -> str:
        """Where CloudFormation finds the template, which is larger than a request may be."""
        template = copy.deepcopy(template)
        template.pop("Rules", None)  # they ask whether the account was prepared for CDK
        template.get("Parameters", {}).pop("BootstrapVersion", None)
        s3 = self.client("s3")
        s3.create_bucket(Bucket="templates")
        s3.put_object(Bucket="templates", Key=f"{name}.json", Body=json.dumps(template).encode())
        return f"{self._url}/templates/{name}.json"

    def unknown(self, name: str) -> set[str]:
        """The types of a stack's resources that CloudFormation here does not take."""
        cloud = self.client("cloudformation")
        try:
            cloud.create_stack(StackName=name, TemplateURL=self.put(name, self.made.stacks[name]))
        except cloud.exceptions.ClientError as error:
            (types,) = re.findall(r"Unrecognized resource types: \[(.*)\]", str(error))
            return set(types.split(", "))
        return set()

    def environment_of_runs(self) -> dict[str, str]:
        """What the pipeline's stack has each run find in its environment, secrets among it, by what the stacks before
        it made. The emulator makes no database: what it would say of one is left out."""
        exports = {each["Name"]: each["Value"] for each in self.client("cloudformation").list_exports()["Exports"]}
        (task,) = (each for each in self.made.resources("TaskDefinition") if each.name.startswith("RunTask"))
        (container,) = task.properties["ContainerDefinitions"]
        found = {each["Name"]: _told(each["Value"], exports) for each in container["Environment"]}
        for secret in container["Secrets"]:
            if name := _told(secret["ValueFrom"], exports):
                text = self.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
                found[secret["Name"]] = str(text)
        return {name: value for name, value in found.items() if value is not None}

    def environment_of_the_function(self) -> dict[str, str]:
        """What the stack has the ingest API's function find in its environment."""
        functions = self.client("lambda").list_functions()["Functions"]
        (variables,) = (each["Environment"]["Variables"] for each in functions if "Collector" in each["FunctionName"])
        return dict(variables)


def _without(template: dict[str, Any], kinds: set[str]) -> dict[str, Any]:
    """A template without resources of these types, and without alarms on expressions, which the emulator does not take.
    What names one of them has its name, in the place of its id."""
    types = {name: made["Type"] for name, made in template["Resources"].items()}
    left = {name for name, kind in types.items() if kind in kinds or _is_expression(template["Resources"][name])}

    def mended(value: Any) -> Any:
        if isinstance(value, list):
            return [mended(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.get("Ref") in left:
            return value["Ref"]
        if "Fn::GetAtt" in value:
            name, attribute = value["Fn::GetAtt"]
            if name in left:
                return f"{name}-{attribute}"
            return UNSAID.get(f"{types[name]}.{attribute}", value)
        return {name: mended(each) for name, each in value.items()}

    made: dict[str, Any] = mended(template)
    made["Resources"] = {name: each for name, each in made["Resources"].items() if name not in left}
    for resource in made["Resources"].values():
        if "DependsOn" in resource:
            needed = resource["DependsOn"]
            resource["DependsOn"] = [n for n in (needed if isinstance(needed, list) else [needed]) if n not in left]
    return made


def _is_expression(resource: dict[str, Any]) -> bool:
    return resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]


def _told(value: Any, exports: dict[str, str]) -> str | None:
    """A value of a template; None where it is of something that the emulator has not."""
    if isinstance(value, str):
        return value
    ((function, inner),) = value.items()
    if function == "Fn::ImportValue":
        return exports[inner]
    if function == "Ref" and inner == "AWS::Region":
        return REGION
    if function == "Fn::Join":
        parts = [_told(each, exports) for each in inner[1]]
        return None if None in parts else str(inner[0]).join(map(str, parts))
    return None


@pytest.fixture
def account(
    variants: dict[str, Synthesised], aws_emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """Where the libraries of AWS find everything, in this process."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_emulator)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    reset(aws_emulator)
    new_instance()
    yield Account(aws_emulator, variants["small-lambda"])
    new_instance()


def test_the_page_on_aws_is_walked_through_until_events_of_the_deployed_api_are_in_the_deployed_lake(
    account: Account, aws_emulator: str, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deploy, make a key, send, ask the doctor, land. The function's code and the run's are called here, in the
    environment that the stacks give them: the emulator runs no images."""
    data = account.deploy("EventAssetsData")
    account.deploy("EventAssetsFirewall")
    assert account.deploy("EventAssetsEdge")["Address"] == "https://events.example.com"
    (front,) = account.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    (acl,) = account.client("wafv2").list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    assert front["WebACLId"] == acl["ARN"]
    (origin,) = front["Origins"]["Items"]
    (said,) = origin["CustomHeaders"]["Items"]

    exported, command = only_block("event-assets keys create shop")
    assert exported.startswith("export EVENT_ASSETS_KEYS_SECRET=arn:")
    with monkeypatch.context() as shell:
        shell.setenv("EVENT_ASSETS_KEYS_SECRET", data["KeysSecret"])
        shell.setenv("EVENT_ASSETS_AWS_REGION", REGION)
        shell.setenv("EVENT_ASSETS_HOME", str(tmp_path / "mine"))
        (key,) = re.findall(r"\bea_\w+", run(command))

    with monkeypatch.context() as function:
        given = account.environment_of_the_function()
        assert given["EVENT_ASSETS_STREAM_NAME"] == data["StreamName"]
        for name, value in {**given, "EVENT_ASSETS_HOME": str(tmp_path / "function")}.items():
            function.setenv(name, value)
        body = json.dumps([event(number, user_id="ada@example.com") for number in range(50)])
        assert aws_lambda.handler(request(key, body), None)["statusCode"] == 403
        answer = aws_lambda.handler(request(key, body, {said["HeaderName"].lower(): said["HeaderValue"]}), None)
        assert answer["statusCode"] == 200 and json.loads(answer["body"])["accepted"] == 50, answer

    runs = account.environment_of_runs()
    assert runs["EVENT_ASSETS_LAKE_URL"] == data["LakeUrl"]
    here = {"S3_ENDPOINT_URL": aws_emulator, "WAREHOUSE_URL": new_database(postgres_url), "HOME": str(tmp_path / "run")}
    for name, value in {**runs, **{f"EVENT_ASSETS_{name}": value for name, value in here.items()}}.items():
        monkeypatch.setenv(name, value)
    (command,) = inline("event-assets aws doctor")
    found = {part["part"]: part["fault"] for part in json.loads(run(f"{command} --json"))}
    assert {"credentials", "stream", "bucket", "warehouse"} <= {name.split(",")[0] for name in found}
    assert not any(found.values()), found

    settings = load_settings()
    stream = open_stream(settings)
    lake = Lake(Storage(data["LakeUrl"], REGION, aws_emulator))
    assert land_step(a_run(lake, None, stream=stream)).more["events"] == 50
    assert land_step(a_run(lake, None, stream=stream)).more["events"] == 0
    assert {json.loads(line)["user_id"].partition(".")[0] for line in written(stream)} == {"pseudonym"}
    stream.close()
    assert sum(lake.table(RAW_EVENTS.name).snapshot().arrow()["events"].to_pylist()) == 50
    assert settings.pii_key is not None and settings.privacy_key is not None, "runs know people as the API does"


@pytest.mark.release
def test_what_is_left_out_is_what_the_emulator_does_not_know_of_these_stacks(account: Account) -> None:
    assert set().union(*(account.unknown(f"EventAssets{name}") for name in STACKS)) == UNKNOWN


@pytest.mark.release
def test_network_pipeline_and_alarms_are_made_and_an_alarm_of_theirs_rings_and_tells_their_topic(
    account: Account,
) -> None:
    told = {name: account.deploy(f"EventAssets{name}") for name in STACKS}
    ec2, ecs, cloudwatch = account.client("ec2"), account.client("ecs"), account.client("cloudwatch")
    (vpc,) = {each["VpcId"] for each in ec2.describe_subnets()["Subnets"] if "10.0." in each["CidrBlock"]}
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    assert len({each["AvailabilityZone"] for each in subnets}) == 2 and len(subnets) == 4
    cluster = told["Pipeline"]["ClusterName"]
    services = ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]
    found = ecs.describe_services(cluster=cluster, services=services)["services"]
    definitions = [ecs.describe_task_definition(taskDefinition=each["taskDefinition"]) for each in found]
    (commands,) = zip(*(each["taskDefinition"]["containerDefinitions"] for each in definitions), strict=True)
    assert {" ".join(each["command"][:2]) for each in commands} == {
        "dagster api",
        "dagster-daemon run",
        "dagster-webserver -h",
        "python -m",
    }
    run = ecs.describe_task_definition(taskDefinition="eventassets-run")["taskDefinition"]
    (container,) = run["containerDefinitions"]
    variables = {each["name"]: each["value"] for each in container["environment"]}
    assert variables["EVENT_ASSETS_STREAM_NAME"] == told["Data"]["StreamName"]
    assert variables["EVENT_ASSETS_LAKE_URL"] == told["Data"]["LakeUrl"]

    alarms = cloudwatch.describe_alarms(MaxRecords=100)["MetricAlarms"]
    assert len(alarms) == sum("MetricName" in alarm for alarm in alarms_of(account.made).values())
    topic = told["Watch"]["AlarmTopic"]
    (gap,) = (each for each in alarms if each["AlarmName"] == "EventAssetsWatch-StreamGap")
    assert gap["AlarmActions"] == gap["OKActions"] == [topic] and gap["StateValue"] != "ALARM"
    sns, sqs = account.client("sns"), account.client("sqs")
    queue = sqs.create_queue(QueueName="pager")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    put(cloudwatch, lines_of(FAULTS["StreamGap"], 1).lines[-1])
    cloudwatch.describe_alarms()
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert json.loads(json.loads(message["Body"])["Message"])["NewStateValue"] == "ALARM"


def only_block(command: str) -> tuple[str, ...]:
    """The commands of the page's block with this one."""
    (found,) = (block.commands for block in blocks() if block.page == PAGE and command in block.commands)
    return found


def inline(command: str) -> set[str]:
    """The command, as the page names it in a sentence."""
    return set(re.findall(f"`({re.escape(command)})`", PAGE.read_text("utf-8")))


def run(command: str) -> str:
    """What a command of the platform prints."""
    program, *arguments = shlex.split(command)
    assert program == "event-assets"
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout
