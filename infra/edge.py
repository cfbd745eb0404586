"""How events come in: a load balancer and Fargate, or CloudFront, an HTTP API and a Lambda function."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws, Duration
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.balancer import balancer, listens
from infra.choices import Choices
from infra.data import DataStack
from infra.environment import COLLECTOR_PORT, PII_KEY, collector_environment, names_people
from infra.excuses import excuse
from infra.firewall import FirewallStack, firewall, requests_blocked
from infra.front import firewall_address, front, origin_secret
from infra.image import Workshop, image_asset
from infra.logs import retention
from infra.network import NetworkStack
from infra.permissions import asks_online, queues_requests, reads_secret
from infra.rotation import rotated
from infra.stream import EventStream


def _rights(data: DataStack, stream: EventStream) -> list[iam.PolicyStatement]:
    key = data.key.key_arn
    return [
        *stream.writes,
        *data.write_keys.reads,
        *queues_requests(data.lake.bucket_arn, key),
        *asks_online(data.online_arns, key),
    ]


class LoadBalancedEdge(cdk.Stack):
    """A load balancer with a firewall, and tasks of Fargate that follow the load."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        choices: Choices,
        data: DataStack,
        stream: EventStream,
        network: NetworkStack,
    ) -> None:
        super().__init__(scope, name, description="event-assets: ingest API on Fargate")
        size, vpc, key = choices.size, network.vpc, data.key_for(self)
        cluster = ecs.Cluster(self, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENABLED)
        workshop = Workshop(self, vpc, cluster, key, size.log_days, "collector")
        tasks, workers = size.collector, max(1, size.collector.cpu // 1024)
        environment = collector_environment(
            choices,
            region=Aws.REGION,
            stream=stream.settings,
            lake_url=data.lake_url,
            keys=data.write_keys.settings,
            proxies=vpc.vpc_cidr_block,
            processes=workers * tasks.least,
        )
        command = ["python", "-m", "event_assets.collector", "--workers", str(workers)]
        definition = workshop.task(
            "Collector",
            tasks,
            command,
            environment,
            rights=_rights(data, stream),
            secrets=self._keys(data) if names_people(choices) else None,
            port=COLLECTOR_PORT,
        )
        self.service = workshop.service("Collector", definition, tasks)
        stream.admit(self, *self.service.connections.security_groups)
        self.balancer = balancer(self, "Balancer", choices, vpc)
        acl = firewall(self, choices, "REGIONAL", key)
        guarded = self.balancer.load_balancer_arn
        waf.CfnWebACLAssociation(self, "Guarded", resource_arn=guarded, web_acl_arn=acl.attr_arn)
        self.alarms = [requests_blocked(choices, "REGIONAL")]
        listener = listens(self.balancer, str(choices.certificate))
        self.target = listener.add_targets(
            "Collector",
            port=COLLECTOR_PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[self.service],
            deregistration_delay=Duration.seconds(30),
            # Not /v1/ready: a stream that takes nothing would take every task out, and a new one would not help.
            health_check=elb.HealthCheck(path="/v1/health", interval=Duration.seconds(10), healthy_threshold_count=2),
        )
        scaling = self.service.auto_scale_task_count(min_capacity=tasks.least, max_capacity=tasks.most)
        scaling.scale_on_cpu_utilization("Cpu", target_utilization_percent=55, scale_out_cooldown=Duration.seconds(60))
        self.address = f"https://{choices.domain or self.balancer.load_balancer_dns_name}"
        cdk.CfnOutput(self, "Address", value=self.address)
        cdk.CfnOutput(self, "BalancerName", value=self.balancer.load_balancer_dns_name)

    def _keys(self, data: DataStack) -> dict[str, ecs.Secret]:
        return {PII_KEY: ecs.Secret.from_secrets_manager(data.secret_for(self, "PiiKey", data.pii_key))}


class FunctionEdge(cdk.Stack):
    """CloudFront with a firewall, an HTTP API with a rate, and a Lambda function that needs no network of ours."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        choices: Choices,
        data: DataStack,
        stream: EventStream,
        firewall_stack: FirewallStack,
    ) -> None:
        super().__init__(scope, name, description="event-assets: ingest API on Lambda")
        size, key = choices.size, data.key_for(self)
        image = image_asset(self, "collector")
        role = iam.Role(self, "CollectorRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        said = origin_secret(self, key)
        for statement in (*_rights(data, stream), *reads_secret(said.secret_arn, key.key_arn)):
            role.add_to_policy(statement)
        keys = {}
        if names_people(choices):
            keys = {f"{PII_KEY}_SECRET": data.pii_key.secret_arn}
            for statement in reads_secret(data.pii_key.secret_arn, key.key_arn):
                role.add_to_policy(statement)
        group = logs.LogGroup(self, "CollectorLogs", retention=retention(size.log_days), encryption_key=key)
        group.grant_write(role)
        self.function = functions.DockerImageFunction(
            self,
            "Collector",
            code=functions.DockerImageCode.from_ecr(
                image.repository,
                tag_or_digest=image.asset_hash,
                entrypoint=["python", "-m", "awslambdaric"],
                cmd=["event_assets.collector.aws_lambda.handler"],
            ),
            architecture=functions.Architecture.ARM_64,
            role=role,
            log_group=group,
            memory_size=1769,  # one whole core
            timeout=Duration.seconds(25),
            environment=collector_environment(
                choices,
                region=Aws.REGION,
                stream=stream.settings,
                lake_url=data.lake_url,
                keys=data.write_keys.settings,
                proxies="127.0.0.1",  # nobody's word is taken: API and CloudFront say where a request came from
                origin_secret=said.secret_arn,
            )
            | keys,
            environment_encryption=key,
        )
        excuse(
            self.function,
            CKV_AWS_115="the API's rate bounds it; a limit of its own would take concurrency from other functions",
            CKV_AWS_116="it is called by requests alone: whoever sent one gets the answer, and sends it again",
            CKV_AWS_117="it calls Kinesis, Secrets Manager and S3; a network would add cold starts and a NAT gateway",
        )
        self.api = api.HttpApi(self, "Api", create_default_stage=False, default_domain_mapping=None)
        self.api.add_routes(
            path="/{proxy+}",
            methods=[api.HttpMethod.ANY],
            integration=integrations.HttpLambdaIntegration("Collector", self.function),
        )
        access = logs.LogGroup(self, "AccessLogs", retention=retention(size.log_days), encryption_key=key)
        self.stage = api.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=api.ThrottleSettings(rate_limit=size.requests_per_second, burst_limit=size.requests_per_second),
        )
        stage = self.stage.node.default_child
        assert isinstance(stage, api.CfnStage)
        stage.access_log_settings = api.CfnStage.AccessLogSettingsProperty(
            destination_arn=access.log_group_arn,
            # No address, no path with ids: the log is no second place of personal data.
            format='{"time":"$context.requestTime","status":$context.status,"bytes":"$context.responseLength",'
            '"latency":"$context.responseLatency","error":"$context.integrationErrorMessage"}',
        )
        self.add_stack_dependency(firewall_stack)
        guard = firewall_address(self, firewall_stack.parameter, size.log_days, key)
        self.front = front(self, choices, self.api, said, guard)
        rotated(self, said, self.front, guard, size.log_days, key)
        self.address = f"https://{choices.domain or self.front.distribution_domain_name}"
        cdk.CfnOutput(self, "Address", value=self.address)
        if choices.domain:
            cdk.CfnOutput(self, "NameTarget", value=self.front.distribution_domain_name)
