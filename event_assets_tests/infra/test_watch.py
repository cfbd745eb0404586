"""Alarms of the stacks: each on a metric that something tells, each with its page, each ringing on an emulator."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from event_assets.telemetry.alarms import ALARMS, LEAST_OF_SHARE, Alarm, page_of
from event_assets.telemetry.metrics import METRICS, NAMESPACE
from event_assets_tests import runbooks
from event_assets_tests.emulators.ministack import reset
from event_assets_tests.infra.templates import VARIANTS, Synthesised
from event_assets_tests.telemetry.test_alarms import FAULTS, lines_of, well
from infra.costs import ALARMS_OF_STREAM, ALARMS_ON_AWS

TOLD_BY_AWS = {
    ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds"),
    ("AWS/Kinesis", "PutRecords.ThrottledRecords"),
    ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"),
    ("AWS/ApplicationELB", "TargetResponseTime"),
    ("AWS/ApplicationELB", "UnHealthyHostCount"),
    ("AWS/ApiGateway", "5xx"),
    ("AWS/ApiGateway", "Latency"),
    ("AWS/Lambda", "Throttles"),
    ("AWS/Lambda", "Errors"),
    ("ECS/ContainerInsights", "RunningTaskCount"),
    ("AWS/S3", "5xxErrors"),
    ("AWS/RDS", "FreeStorageSpace"),
    ("AWS/RDS", "CPUUtilization"),
    ("AWS/Kafka", "OfflinePartitionsCount"),
    ("AWS/Kafka", "UnderReplicatedPartitions"),
    ("AWS/Kafka", "KafkaDataLogsDiskUsed"),
    ("AWS/Kafka", "CpuUser"),
    ("AWS/Kafka", "CpuSystem"),
    ("AWS/WAFV2", "BlockedRequests"),
    ("AWS/Redshift-Serverless", "QueriesQueued"),
}
"""As AWS's documentation names them."""


def alarms_of(made: Synthesised) -> dict[str, dict[str, Any]]:
    """The properties of each alarm, by the name that it has without its stack's."""
    found = {}
    for resource in made.resources("AWS::CloudWatch::Alarm"):
        found[resource.properties["AlarmName"].partition("-")[2]] = resource.properties
    return found


def metrics_of(alarm: dict[str, Any]) -> set[tuple[str, str]]:
    if "MetricName" in alarm:
        return {(alarm["Namespace"], alarm["MetricName"])}
    stats = [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]
    return {(metric["Namespace"], metric["MetricName"]) for metric in stats}


@pytest.mark.slow
def test_every_alarm_is_on_a_metric_that_the_platform_or_aws_tells(variants: dict[str, Synthesised]) -> None:
    for variant, made in variants.items():
        alarms = alarms_of(made)
        assert {alarm.name for alarm in ALARMS} < set(alarms)
        of_stream = ALARMS_OF_STREAM["kafka" if VARIANTS[variant].get("stream") == "kafka" else "shards"]
        of_query = "continuous" in VARIANTS[variant]
        of_aws = ALARMS_ON_AWS["alb" if VARIANTS[variant]["edge"] == "alb" else "lambda"]
        of_redshift = any(made.resources("AWS::RedshiftServerless::Workgroup"))
        assert len(alarms) == len(ALARMS) + of_aws + of_stream + of_query + of_redshift
        for name, alarm in alarms.items():
            for namespace, metric in metrics_of(alarm):
                assert metric in METRICS if namespace == NAMESPACE else (namespace, metric) in TOLD_BY_AWS, name


@pytest.mark.slow
def test_every_alarm_has_its_page_every_page_its_alarm_and_the_index_is_current(
    variants: dict[str, Synthesised],
) -> None:
    everywhere = {name: alarm for made in variants.values() for name, alarm in alarms_of(made).items()}
    assert {runbooks.page(name) for name in everywhere} | {runbooks.INDEX} == set(runbooks.FOLDER.glob("*.md"))
    for name, alarm in everywhere.items():
        assert page_of(name) in alarm["AlarmDescription"]
        text = runbooks.page(name).read_text("utf-8")
        assert text.startswith(f"# {name}\n")
        assert [line for line in text.splitlines() if line.startswith("## ")] == [
            "## What it means",
            "## What to look at",
            "## What to do",
        ]
    for ours in ALARMS:
        assert runbooks.meaning(runbooks.page(ours.name)) == (ours.name, ours.meaning)
    assert runbooks.INDEX.read_text("utf-8") == runbooks.index(), "run: python -m event_assets_tests.runbooks"


@pytest.mark.slow
def test_alarms_of_the_platform_are_handed_to_cloudwatch_as_they_are_judged_here(
    variants: dict[str, Synthesised],
) -> None:
    made = alarms_of(variants["small-alb"])
    for alarm in ALARMS:
        given = made[alarm.name]
        assert given["Threshold"] == alarm.limit
        assert given["TreatMissingData"] == ("breaching" if alarm.below else "notBreaching")
        assert given["ComparisonOperator"] == ("LessThanThreshold" if alarm.below else "GreaterThanThreshold")
        if alarm.whole is None:
            assert (given["Period"], given["EvaluationPeriods"]) == (60, alarm.minutes)
            assert given.get("ExtendedStatistic", given.get("Statistic")) == alarm.statistic
            assert given["Dimensions"] == [{"Name": "Installation", "Value": "EventAssets"}]
        else:
            share, *parts = given["Metrics"]
            assert share["Expression"] == f"IF(part + rest >= {LEAST_OF_SHARE}, 100 * part / (part + rest), 0)"
            assert [each["MetricStat"]["Period"] for each in parts] == [60 * alarm.minutes] * 2


ON_THE_EMULATOR = [alarm for alarm in ALARMS if alarm.whole is None and not alarm.below]
"""It evaluates no expression, and no minute of which nothing is told; test_alarms rings these two, too."""


@pytest.mark.slow
@pytest.mark.parametrize("alarm", ON_THE_EMULATOR, ids=lambda alarm: alarm.name)
def test_an_alarm_of_the_stack_rings_on_an_emulator_by_its_own_fault_and_tells_its_topic(
    alarm: Alarm, variants: dict[str, Synthesised], aws_emulator: str
) -> None:
    def client(service: str) -> Any:
        return boto3.client(service, endpoint_url=aws_emulator, region_name="us-east-1")

    reset(aws_emulator)
    cloudwatch, sns, sqs = client("cloudwatch"), client("sns"), client("sqs")
    topic = sns.create_topic(Name=alarm.name)["TopicArn"]
    queue = sqs.create_queue(QueueName=alarm.name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    properties = alarms_of(variants["small-alb"])[alarm.name]
    cloudwatch.put_metric_alarm(**{**properties, "AlarmActions": [topic], "OKActions": [topic]})

    def state() -> str:
        (found,) = cloudwatch.describe_alarms(AlarmNames=[properties["AlarmName"]])["MetricAlarms"]
        return str(found["StateValue"])

    put(cloudwatch, lines_of(well, 1).lines[-1])
    assert state() != "ALARM"
    put(cloudwatch, lines_of(FAULTS[alarm.name], 1).lines[-1])
    assert state() == "ALARM"
    told = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5)["Messages"]
    messages = [json.loads(json.loads(each["Body"])["Message"]) for each in told]
    assert ("ALARM", properties["AlarmName"]) in {(each["NewStateValue"], each["AlarmName"]) for each in messages}


RUNG = (
    *(
        ("small-lambda", name)
        for name in ("StreamAge", "StreamThrottled", "IngestErrors", "EdgeSlow", "IngestThrottled")
    ),
    *(("small-lambda", name) for name in ("RequestsBlocked", "RetentionErrors", "DatabaseFull", "DatabaseBusy")),
    *(("small-lambda", name) for name in ("CodeDown", "DaemonDown", "WebserverDown", "LakeErrors")),
    *(("small-alb", name) for name in ("IngestErrors", "EdgeSlow", "IngestUnhealthy", "IngestDown", "RequestsBlocked")),
    *(("small-alb", name) for name in ("ContinuousDown", "PartitionsOffline")),
)
"""Alarms on what AWS tells. Those on several brokers, or types of queries, are expressions, which test_alarms rings."""


@pytest.mark.slow
def test_every_alarm_on_one_metric_of_aws_is_rung(variants: dict[str, Synthesised]) -> None:
    ours = {alarm.name for alarm in ALARMS}
    for variant in ("small-lambda", "small-alb"):
        found = {name for name, alarm in alarms_of(variants[variant]).items() if "MetricName" in alarm}
        assert found - ours <= {name for _, name in RUNG}


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "name"), RUNG)
def test_an_alarm_on_what_aws_tells_rings_on_an_emulator_beyond_its_limit_and_not_before(
    variant: str, name: str, variants: dict[str, Synthesised], aws_emulator: str
) -> None:
    reset(aws_emulator)
    cloudwatch = boto3.client("cloudwatch", endpoint_url=aws_emulator, region_name="us-east-1")
    given = alarms_of(variants[variant])[name]
    dimensions = [{"Name": each["Name"], "Value": "one of ours"} for each in given["Dimensions"]]
    silent = {"AlarmActions": [], "OKActions": [], "Dimensions": dimensions}
    cloudwatch.put_metric_alarm(**{**given, **silent})

    def told(value: float) -> str:
        data = {"MetricName": given["MetricName"], "Value": value, "Dimensions": dimensions}
        cloudwatch.put_metric_data(Namespace=given["Namespace"], MetricData=[data])
        (found,) = cloudwatch.describe_alarms(AlarmNames=[given["AlarmName"]])["MetricAlarms"]
        return str(found["StateValue"])

    beyond = -1 if given["ComparisonOperator"] == "LessThanThreshold" else 1
    assert told(given["Threshold"]) != "ALARM"
    assert told(given["Threshold"] + beyond * max(1, given["Threshold"])) == "ALARM"


def put(cloudwatch: Any, line: dict[str, Any]) -> None:
    """A line of the embedded metric format as CloudWatch takes it in, at this moment."""
    namespace, data = data_of(line)
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def data_of(line: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """What CloudWatch makes of a line of the embedded metric format: metrics of a namespace."""
    (described,) = line["_aws"]["CloudWatchMetrics"]
    (names,) = described["Dimensions"]
    dimensions = [{"Name": name, "Value": line[name]} for name in names]
    data = []
    for metric in described["Metrics"]:
        value = line[metric["Name"]]
        values = value if isinstance(value, list) else [value]
        data.append({"MetricName": metric["Name"], "Unit": metric["Unit"], "Dimensions": dimensions, "Values": values})
    return described["Namespace"], data
