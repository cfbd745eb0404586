"""What is watched: alarms on what loses events or delays them, one dashboard, one topic, one budget.

Alarms on what the platform tells of itself are the platform's (`event_assets/telemetry/alarms.py`); here are those on
what AWS alone sees. Each has its page under docs/runbooks.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as watch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from event_assets.telemetry.alarms import ALARMS, LEAST_OF_SHARE, Alarm
from event_assets.telemetry.metrics import INSTALLATION, NAMESPACE, Metric
from infra.alarms import MINUTE, Watched, alarm, alarm_topic
from infra.choices import Choices
from infra.data import REQUESTS, DataStack
from infra.edge import FunctionEdge, LoadBalancedEdge
from infra.pipeline import PipelineStack
from infra.stream import EventStream


class WatchStack(cdk.Stack):
    """Alarms that say what to do in their description, and write to a topic."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        choices: Choices,
        data: DataStack,
        stream: EventStream,
        edge: LoadBalancedEdge | FunctionEdge,
        pipeline: PipelineStack,
    ) -> None:
        super().__init__(scope, name, description="event-assets: alarms, dashboard, budget")
        self.topic = self._topic(choices, data)
        watched = [
            *(_of_platform(alarm, choices.name) for alarm in ALARMS),
            *stream.alarms,
            *(_of_balancer(edge, choices) if isinstance(edge, LoadBalancedEdge) else _of_function(edge)),
            _of_lake(data),
            *_of_services(pipeline),
            _of_retention(pipeline),
            *_of_database(pipeline, choices.size.database.gib),
            *([pipeline.redshift.alarm] if pipeline.redshift else []),
        ]
        alarms = [alarm(self, each, self.topic) for each in watched]
        board = watch.Dashboard(self, "Dashboard", dashboard_name=choices.name, default_interval=Duration.hours(24))
        board.add_widgets(watch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24, height=4))
        graphs = [watch.GraphWidget(title=each.name, left=[each.metric], width=8) for each in watched]
        board.add_widgets(*graphs)
        self._budget(choices)

    def _topic(self, choices: Choices, data: DataStack) -> sns.Topic:
        topic = alarm_topic(self, choices.email, data.key_for(self))
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return topic

    def _budget(self, choices: Choices) -> None:
        subscribers = [budgets.CfnBudget.SubscriberProperty(address=self.topic.topic_arn, subscription_type="SNS")]
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=choices.size.budget, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:event-assets${choices.name}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN", notification_type=kind, threshold=threshold
                    ),
                    subscribers=subscribers,
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )


def _of_platform(alarm: Alarm, installation: str) -> Watched:
    """An alarm of the platform, as CloudWatch judges it."""

    def of(metric: Metric, minutes: int = 1) -> watch.Metric:
        return watch.Metric(
            namespace=NAMESPACE,
            metric_name=metric.name,
            dimensions_map={INSTALLATION: installation},
            statistic=alarm.statistic,
            period=Duration.minutes(minutes),
        )

    if alarm.whole is None:
        silent = alarm.below
        return Watched(alarm.name, of(alarm.metric), alarm.limit, alarm.minutes, alarm.meaning, silent, silent)
    share = watch.MathExpression(
        expression=f"IF(part + rest >= {LEAST_OF_SHARE}, 100 * part / (part + rest), 0)",
        using_metrics={"part": of(alarm.metric, alarm.minutes), "rest": of(alarm.whole, alarm.minutes)},
        period=Duration.minutes(alarm.minutes),
        label=alarm.name,
    )
    return Watched(alarm.name, share, alarm.limit, 1, alarm.meaning)


def _of_lake(data: DataStack) -> Watched:
    errors = watch.Metric(
        namespace="AWS/S3",
        metric_name="5xxErrors",
        dimensions_map={"BucketName": data.lake.bucket_name, "FilterId": REQUESTS},
        statistic="Sum",
        period=MINUTE,
    )
    meaning = "S3 refuses requests of the lake's bucket: runs repeat them, take longer, and in the end fail."
    return Watched("LakeErrors", errors, 10, 5, meaning)


def _of_balancer(edge: LoadBalancedEdge, choices: Choices) -> list[Watched]:
    metrics = edge.balancer.metrics
    codes = elb.HttpCodeTarget
    return [
        *edge.alarms,
        Watched(
            "IngestErrors",
            metrics.http_code_target(codes.TARGET_5XX_COUNT, statistic="Sum", period=MINUTE),
            10,
            3,
            "The ingest API answers with 5xx: /v1/ready says why it takes no events.",
        ),
        Watched(
            "EdgeSlow",
            metrics.target_response_time(statistic="p99", period=MINUTE),
            0.5,
            5,
            "Of a hundred requests that reach the load balancer one is answered after more than half a second.",
        ),
        Watched(
            "IngestUnhealthy",
            edge.target.metrics.unhealthy_host_count(statistic="Maximum", period=MINUTE),
            0,
            5,
            "A task of the ingest API does not answer.",
        ),
        # Of tasks that do not run at all the balancer counts none that is unhealthy.
        Watched(
            "IngestDown",
            _running(edge.service),
            choices.size.collector.least,
            5,
            "Fewer tasks of the ingest API run than must; the service's events say why.",
            below=True,
            silence_rings=True,
        ),
    ]


def _running(service: ecs.FargateService) -> watch.Metric:
    """How many tasks of a service run, as Container Insights counts them; where it is silent, none does."""
    return watch.Metric(
        namespace="ECS/ContainerInsights",
        metric_name="RunningTaskCount",
        dimensions_map={"ClusterName": service.cluster.cluster_name, "ServiceName": service.service_name},
        statistic="Minimum",
        period=MINUTE,
    )


def _of_function(edge: FunctionEdge) -> list[Watched]:
    function, api = edge.function, edge.api
    return [
        Watched(
            "IngestErrors",
            api.metric_server_error(statistic="Sum", period=MINUTE),
            10,
            3,
            "The ingest API answers with 5xx: /v1/ready says why it takes no events.",
        ),
        Watched(
            "EdgeSlow",
            api.metric_latency(statistic="p99", period=MINUTE),
            2_000,
            5,
            "One request in a hundred takes longer than two seconds, cold starts included.",
        ),
        Watched(
            "IngestThrottled",
            function.metric_throttles(statistic="Sum", period=MINUTE),
            0,
            3,
            "Lambda refuses requests: the account's concurrency is used up. Clients send them again.",
        ),
    ]


def _of_retention(pipeline: PipelineStack) -> Watched:
    errors = pipeline.retention.function.metric_errors(statistic="Sum", period=MINUTE)
    meaning = "Retention failed: it is called twice more, then the next night. Its log says why."
    return Watched("RetentionErrors", errors, 0, 1, meaning)


_DOWN = {
    **{
        name: f"No task of Dagster's {name.lower()} runs; the service's events say why."
        for name in ("Code", "Daemon", "Webserver")
    },
    "Continuous": "The streaming query's client does not run; the service's events and its log say why.",
}


def _of_services(pipeline: PipelineStack) -> list[Watched]:
    services: dict[str, ecs.FargateService] = {
        "Code": pipeline.code,
        "Daemon": pipeline.daemon,
        "Webserver": pipeline.webserver,
    }
    if pipeline.continuous is not None:
        services["Continuous"] = pipeline.continuous
    return [
        Watched(
            f"{name}Down",
            _running(service),
            1,
            5,
            _DOWN[name],
            below=True,
            silence_rings=True,
        )
        for name, service in services.items()
    ]


def _of_database(pipeline: PipelineStack, gib: int) -> list[Watched]:
    return [
        Watched(
            "DatabaseFull",
            pipeline.database.metric_free_storage_space(statistic="Minimum", period=MINUTE),
            gib * 2**30 / 10,
            10,
            "A tenth of the first disk is left. It grows by itself up to five times its size: it has grown so far.",
            below=True,
        ),
        Watched(
            "DatabaseBusy",
            pipeline.database.metric_cpu_utilization(statistic="Average", period=MINUTE),
            90,
            30,
            "The database has been at its limit for half an hour: give it a larger class.",
        ),
    ]
