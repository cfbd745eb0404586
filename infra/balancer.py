"""A load balancer that the internet reaches, with HTTPS alone and a log of who asked."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.choices import Choices
from infra.environment import IDLE_SECONDS
from infra.excuses import excuse


def balancer(scope: Construct, name: str, choices: Choices, vpc: ec2.IVpc) -> elb.ApplicationLoadBalancer:
    """The load balancer. Its log's bucket is named after it."""
    made = elb.ApplicationLoadBalancer(
        scope,
        name,
        vpc=vpc,
        internet_facing=True,
        drop_invalid_header_fields=True,
        idle_timeout=Duration.seconds(IDLE_SECONDS),
        deletion_protection=choices.size.name != "dev",
    )
    access = s3.Bucket(
        scope,
        f"{name}Logs",
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
    for attribute, value in (("enabled", "true"), ("bucket", access.bucket_name)):
        made.set_attribute(f"access_logs.s3.{attribute}", value)
    made.node.add_dependency(access.policy)  # the first log is a test of the right to write
    return made


def listens(made: elb.ApplicationLoadBalancer, certificate: str) -> elb.ApplicationListener:
    """Its one way in. What is done with a request is the caller's to add."""
    return made.add_listener(
        "Https",
        port=443,
        protocol=elb.ApplicationProtocol.HTTPS,
        certificates=[elb.ListenerCertificate.from_arn(certificate)],
        ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
        open=True,
    )
