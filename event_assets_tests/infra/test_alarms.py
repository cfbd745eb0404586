"""Every alarm of the stacks rings by its own fault and by no less, and tells its topic: by its template, over metrics
on an emulator, of their dimensions, minute by minute. Which minutes ring is judged as CloudWatch documents it
(`emulators/cloudwatch.py`), where test_watch has the emulator judge."""

from __future__ import annotations

import ast
import datetime as dt
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import boto3
import pytest

from event_assets.telemetry.alarms import ALARMS, Alarm
from event_assets_tests.emulators.cloudwatch import evaluated, judge
from event_assets_tests.emulators.ministack import reset
from event_assets_tests.infra.templates import Synthesised, plain
from event_assets_tests.infra.test_watch import RUNG, alarms_of, data_of
from event_assets_tests.telemetry.telling import Lines
from event_assets_tests.telemetry.test_alarms import lines_of, met, well

HALF_AN_HOUR = 1_800
"""Longer than any alarm of the platform looks back."""


class Watch(NamedTuple):
    """CloudWatch on the emulator, a topic that alarms write to, and a queue that has what is written there. What is put
    begins so long ago that the emulator does not judge it by itself: it looks at the latest minutes alone."""

    cloudwatch: Any
    topic: str
    sqs: Any
    queue: str
    began: float

    def put(self, namespace: str, data: Sequence[Mapping[str, Any]], at: float) -> None:
        stamped = [{**each, "Timestamp": dt.datetime.fromtimestamp(at, dt.UTC)} for each in data]
        self.cloudwatch.put_metric_data(Namespace=namespace, MetricData=stamped)

    def messages(self) -> list[tuple[str, str]]:
        """Which alarm went into which state, as the topic was told since the last time."""
        told = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = [json.loads(json.loads(each["Body"])["Message"]) for each in told.get("Messages", ())]
        for each in told.get("Messages", ()):
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return [(each["AlarmName"], each["NewStateValue"]) for each in messages]


@pytest.fixture
def watch(aws_emulator: str) -> Watch:
    reset(aws_emulator)

    def client(service: str) -> Any:
        return boto3.client(service, endpoint_url=aws_emulator, region_name="us-east-1")

    sns, sqs = client("sns"), client("sqs")
    topic, queue = sns.create_topic(Name="alarms")["TopicArn"], sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    began = time.time() // HALF_AN_HOUR * HALF_AN_HOUR - 8 * HALF_AN_HOUR
    return Watch(client("cloudwatch"), topic, sqs, queue, began)


def made(watch: Watch, properties: dict[str, Any]) -> dict[str, Any]:
    """An alarm of a template on the emulator, with names where the template refers, and the topic of this test."""

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(each) for each in value]
        if isinstance(value, dict):
            refers = len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))
            return plain(value) if refers else {name: named(each) for name, each in value.items()}
        return value

    alarm: dict[str, Any] = {**named(properties), "AlarmActions": [watch.topic], "OKActions": [watch.topic]}
    watch.cloudwatch.put_metric_alarm(**alarm)
    return alarm


@pytest.mark.slow
@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_an_alarm_of_the_platform_rings_by_its_own_fault_and_ends_with_it(
    alarm: Alarm, variants: dict[str, Synthesised], watch: Watch
) -> None:
    given = made(watch, alarms_of(variants["small-alb"])[alarm.name])
    stat = given if "MetricName" in given else given["Metrics"][1]["MetricStat"]["Metric"]
    ((_, installation),) = (each.values() for each in stat["Dimensions"])
    name, states = given["AlarmName"], []
    for place, what in enumerate((well, met(alarm), well)):
        began = watch.began + place * HALF_AN_HOUR
        for line in lines_of(what, HALF_AN_HOUR // 60, Lines(began, installation)).lines:
            watch.put(*data_of(line), line["_aws"]["Timestamp"] / 1000)
        states.append(judge(watch.cloudwatch, given, began + HALF_AN_HOUR))
        if what is not well:  # one minute less is too few, wherever minutes are counted
            first = began + (60 * given["EvaluationPeriods"] if "Period" in given else 0)
            assert first == began + 60 or judge(watch.cloudwatch, given, first - 60) == "OK"
    assert states == ["OK", "ALARM", "OK"]
    assert {(name, "ALARM"), (name, "OK")} <= {*watch.messages()}


MEMBERS = {"AWS/Kafka": "Broker ID", "AWS/Redshift-Serverless": "QueryType"}
"""The dimension by which a metric is told of several."""
Told = Mapping[str, Mapping[int | str, float]]
"""What is told of several, by metric and member; of some nothing is, as of a broker that is down."""
OF_SEVERAL: dict[str, tuple[Told, Told]] = {
    "ReplicasMissing": (
        {"UnderReplicatedPartitions": {1: 0, 2: 0, 3: 0}},
        {"UnderReplicatedPartitions": {1: 2, 3: 1}},
    ),
    "BrokerDiskFull": (
        {"KafkaDataLogsDiskUsed": {1: 85, 2: 40, 3: 41}},
        {"KafkaDataLogsDiskUsed": {1: 40, 2: 86}},
    ),
    "BrokerBusy": (
        {"CpuUser": {1: 45, 2: 30, 3: 40}, "CpuSystem": {1: 10, 2: 30, 3: 20}},
        {"CpuUser": {1: 45, 2: 50}, "CpuSystem": {1: 10, 2: 11}},
    ),
    "WarehouseQueued": ({"QueriesQueued": {"LOAD": 0, "SELECT": 0}}, {"QueriesQueued": {"LOAD": 1, "SELECT": 0}}),
}
"""Alarms on several: what does not ring, since none is beyond the limit by itself, and what does."""


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_SEVERAL)
def test_an_alarm_on_several_rings_by_one_of_them_though_another_tells_nothing(
    name: str, variants: dict[str, Synthesised], watch: Watch
) -> None:
    given = made(watch, next(alarms[name] for alarms in map(alarms_of, variants.values()) if name in alarms))
    metrics = [each["MetricStat"]["Metric"] for each in given["Metrics"][1:]]
    minutes, states = given["EvaluationPeriods"], []
    for place, told in enumerate(OF_SEVERAL[name]):
        began = watch.began + place * HALF_AN_HOUR
        for minute in range(minutes):
            assert not place or judge(watch.cloudwatch, given, began + 60 * minute) == "OK", "a minute more was asked"
            for metric in metrics:
                of = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
                value = told[metric["MetricName"]].get(_number(of[MEMBERS[metric["Namespace"]]]))
                if value is not None:
                    datum = {"MetricName": metric["MetricName"], "Value": value, "Dimensions": metric["Dimensions"]}
                    watch.put(metric["Namespace"], [datum], began + 60 * minute)
        states.append(judge(watch.cloudwatch, given, began + 60 * minutes))
    assert states == ["OK", "ALARM"] and (given["AlarmName"], "ALARM") in watch.messages()


def _number(member: str) -> int | str:
    return int(member) if member.isdecimal() else member


def dimensions(named: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in named.items()]


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "name"), RUNG)
def test_an_alarm_on_what_aws_tells_rings_after_its_minutes_and_by_no_other_resource(
    variant: str, name: str, variants: dict[str, Synthesised], watch: Watch
) -> None:
    given = made(watch, alarms_of(variants[variant])[name])
    minutes, limit = given["EvaluationPeriods"], given["Threshold"]
    beyond = limit - 1 if given["ComparisonOperator"] == "LessThanThreshold" else limit + 1
    silent = "ALARM" if given["TreatMissingData"] == "breaching" else "OK"

    def tell(value: float, minute: int, of: list[dict[str, str]] = given["Dimensions"]) -> None:
        datum = {"MetricName": given["MetricName"], "Value": value, "Dimensions": of}
        watch.put(given["Namespace"], [datum], watch.began + 60 * minute)

    def state(minute: int) -> str:
        return judge(watch.cloudwatch, given, watch.began + 60 * minute)

    for minute in range(minutes):
        tell(beyond, minute, dimensions({each["Name"]: "another" for each in given["Dimensions"]}))
    assert state(minutes) == silent
    for minute in range(minutes):
        tell(limit, minutes + minute)
    assert state(2 * minutes) == "OK"
    for minute in range(minutes):
        assert state(2 * minutes + minute) == "OK"
        tell(beyond, 2 * minutes + minute)
    assert state(3 * minutes) == "ALARM"
    assert state(4 * minutes) == silent
    assert (given["AlarmName"], "ALARM") in watch.messages()


@pytest.mark.slow
def test_every_alarm_of_every_choice_is_rung_here(variants: dict[str, Synthesised]) -> None:
    rung = {alarm.name for alarm in ALARMS} | {name for _, name in RUNG} | {*OF_SEVERAL}
    assert {name for each in variants.values() for name in alarms_of(each)} == rung


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("IF(part + rest >= 100, 100 * part / (part + rest), 0)", 20.0),
        ("IF(part + rest >= 101, 100 * part / (part + rest), 0)", 0.0),
        ("SUM([part, rest])", 100.0),
        ("MAX([part - rest, rest / part])", 4.0),
        ("part / (rest - 80)", None),
    ],
)
def test_expressions_are_evaluated_as_cloudwatch_documents_them(expression: str, value: float | None) -> None:
    body = ast.parse(expression, mode="eval").body
    assert evaluated(body, {"part": 20, "rest": 80}) == value


@pytest.mark.parametrize("expression", ["FILL(part, 0)", "SUM(part)", "part ** 2", "part if rest else 0"])
def test_an_expression_of_another_kind_is_refused(expression: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        evaluated(ast.parse(expression, mode="eval").body, {"part": 20, "rest": 80})
