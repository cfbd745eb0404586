"""How events come in: a load balancer in front of Fargate, or an HTTP API in front of a Lambda function."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws, Duration
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.choices import Choices
from infra.data import DataStack
from infra.environment import COLLECTOR_PORT, IDLE_SECONDS, collector_environment
from infra.excuses import excuse
from infra.image import Workshop, image_asset
from infra.network import NetworkStack, retention
from infra.permissions import queues_requests, reads_secret, writes_stream

BODY_BYTES = 1_048_576
"""What the ingest API takes in one request: the firewall has to let it pass, and looks at its beginning alone."""


def _rights(data: DataStack) -> list[iam.PolicyStatement]:
    key = data.key.key_arn
    return [
        *writes_stream(data.stream.stream_arn, key),
        *reads_secret(data.write_keys.secret_arn, key),
        *queues_requests(data.lake.bucket_arn, key),
    ]


class LoadBalancedEdge(cdk.Stack):
    """A load balancer with a firewall, and tasks of Fargate that follow the load."""

    def __init__(self, scope: Construct, name: str, choices: Choices, data: DataStack, network: NetworkStack) -> None:
        super().__init__(scope, name, description="event-assets: ingest API on Fargate")
        size, vpc = choices.size, network.vpc
        cluster = ecs.Cluster(self, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENABLED)
        workshop = Workshop(self, vpc, cluster, data.key_for(self), size.log_days)
        tasks = size.collector
        environment = collector_environment(
            choices,
            region=Aws.REGION,
            stream=data.stream.stream_name,
            lake_url=data.lake_url,
            keys_secret=data.write_keys.secret_arn,
            proxies=vpc.vpc_cidr_block,
        )
        command = ["python", "-m", "event_assets.collector", "--workers", str(max(1, tasks.cpu // 1024))]
        definition = workshop.task("Collector", tasks, command, environment, rights=_rights(data), port=COLLECTOR_PORT)
        self.service = workshop.service("Collector", definition, tasks)
        self.balancer = self._balancer(choices, vpc)
        listener = self.balancer.add_listener(
            "Https",
            port=443,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[elb.ListenerCertificate.from_arn(str(choices.certificate))],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
            open=True,
        )
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
        cdk.CfnOutput(self, "Address", value=f"https://{choices.domain or self.balancer.load_balancer_dns_name}")
        cdk.CfnOutput(self, "BalancerName", value=self.balancer.load_balancer_dns_name)

    def _balancer(self, choices: Choices, vpc: ec2.IVpc) -> elb.ApplicationLoadBalancer:
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=vpc,
            internet_facing=True,
            drop_invalid_header_fields=True,
            idle_timeout=Duration.seconds(IDLE_SECONDS),
            deletion_protection=choices.size.name != "dev",
        )
        access = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(choices.size.log_days),
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(3),
                )
            ],
        )
        excuse(access, CKV_AWS_18="it is where access logs go")
        # Written out: CDK knows the account of the load balancer's logs for a region that it was told alone.
        access.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[access.arn_for_objects(f"AWSLogs/{Aws.ACCOUNT_ID}/*")],
            )
        )
        for name, value in (("enabled", "true"), ("bucket", access.bucket_name)):
            balancer.set_attribute(f"access_logs.s3.{name}", value)
        balancer.node.add_dependency(access.policy)  # the first log is a test of the right to write
        firewall = self._firewall(choices.size.requests_per_second)
        waf.CfnWebACLAssociation(
            self, "Guarded", resource_arn=balancer.load_balancer_arn, web_acl_arn=firewall.attr_arn
        )
        return balancer

    def _firewall(self, requests_per_second: int) -> waf.CfnWebACL:
        """Bounds each address, and refuses known bad input. It does not judge bodies: events hold what people typed."""
        rate = waf.CfnWebACL.RuleProperty(
            name="rate",
            priority=0,
            action=waf.CfnWebACL.RuleActionProperty(block={}),
            statement=waf.CfnWebACL.StatementProperty(
                rate_based_statement=waf.CfnWebACL.RateBasedStatementProperty(
                    aggregate_key_type="IP", limit=max(10_000, requests_per_second * 300 // 4)
                )
            ),
            visibility_config=_seen("rate"),
        )
        bad = waf.CfnWebACL.RuleProperty(
            name="known-bad-inputs",
            priority=1,
            override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
            statement=waf.CfnWebACL.StatementProperty(
                managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS", name="AWSManagedRulesKnownBadInputsRuleSet"
                )
            ),
            visibility_config=_seen("known-bad-inputs"),
        )
        return waf.CfnWebACL(
            self,
            "Firewall",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            rules=[rate, bad],
            visibility_config=_seen("firewall"),
        )


def _seen(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=f"event-assets-{name}", sampled_requests_enabled=False
    )


class FunctionEdge(cdk.Stack):
    """An HTTP API with a rate, and a Lambda function that needs no network of ours."""

    def __init__(self, scope: Construct, name: str, choices: Choices, data: DataStack) -> None:
        super().__init__(scope, name, description="event-assets: ingest API on Lambda")
        size, key = choices.size, data.key_for(self)
        image = image_asset(self)
        role = iam.Role(self, "CollectorRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for statement in _rights(data):
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
                stream=data.stream.stream_name,
                lake_url=data.lake_url,
                keys_secret=data.write_keys.secret_arn,
                proxies="127.0.0.1",  # nobody's word is taken: the API itself says where a request came from
            ),
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
            domain_mapping=self._domain(choices),
        )
        stage = self.stage.node.default_child
        assert isinstance(stage, api.CfnStage)
        stage.access_log_settings = api.CfnStage.AccessLogSettingsProperty(
            destination_arn=access.log_group_arn,
            # No address, no path with ids: the log is no second place of personal data.
            format='{"time":"$context.requestTime","status":$context.status,"bytes":"$context.responseLength",'
            '"latency":"$context.responseLatency","error":"$context.integrationErrorMessage"}',
        )
        cdk.CfnOutput(self, "Address", value=f"https://{choices.domain}" if choices.domain else self.api.api_endpoint)

    def _domain(self, choices: Choices) -> api.DomainMappingOptions | None:
        if choices.domain is None or choices.certificate is None:
            return None
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", choices.certificate)
        name = api.DomainName(self, "Name", domain_name=choices.domain, certificate=certificate)
        cdk.CfnOutput(self, "NameTarget", value=name.regional_domain_name)
        return api.DomainMappingOptions(domain_name=name)
