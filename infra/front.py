"""CloudFront in front of an HTTP API, for the firewall that an HTTP API itself cannot have.

A REST API could have one. It unpacks bodies on the way (and leaves the header that says that they are packed), and
refuses those of zstd: a signature over what travelled would be wrong.
"""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import Aws, Duration
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from event_assets.collector.origin import HEADER
from infra.choices import Choices
from infra.excuses import excuse
from infra.firewall import REGION
from infra.logs import retention
from infra.permissions import allow

_READS = Path(__file__).with_name("functions") / "read_parameter.py"


def origin_secret(scope: Construct, key: kms.IKey) -> secretsmanager.Secret:
    """What CloudFront says to the ingest API, so that nobody goes around the firewall."""
    return secretsmanager.Secret(
        scope,
        "OriginSecret",
        description="By which the ingest API knows requests that came through CloudFront",
        encryption_key=key,
        generate_secret_string=secretsmanager.SecretStringGenerator(password_length=48, exclude_punctuation=True),
    )


def front(
    scope: Construct, choices: Choices, behind: api.HttpApi, secret: secretsmanager.ISecret, firewall: str
) -> cloudfront.Distribution:
    """A distribution that keeps nothing and changes nothing. `firewall` is the ARN of the one in its region."""
    certificate = (
        acm.Certificate.from_certificate_arn(scope, "Certificate", choices.certificate)
        if choices.domain and choices.certificate
        else None
    )
    made = cloudfront.Distribution(
        scope,
        "Front",
        comment=f"event-assets: ingest API of {choices.name}",
        web_acl_id=firewall,
        domain_names=[choices.domain] if choices.domain else None,
        certificate=certificate,
        minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if certificate else None,
        http_version=cloudfront.HttpVersion.HTTP2_AND_3,
        default_behavior=cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin(
                f"{behind.api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}",
                protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
                read_timeout=Duration.seconds(30),
                # A reference that CloudFormation resolves: the secret is in no template.
                custom_headers={HEADER: secret.secret_value.unsafe_unwrap()},
            ),
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            compress=False,
        ),
    )
    reasons = {
        "CKV_AWS_86": "its log would hold addresses and queries; the API's own holds each request without them",
        "CKV_AWS_305": "it is an API: at its root is nothing",
    }
    if certificate is None:
        reasons["CKV_AWS_174"] = "with AWS's own name and certificate CloudFront takes no other version"
    excuse(made, **reasons)
    return made


def parameter_elsewhere(scope: Construct, choices: Choices, name: str, key: kms.IKey) -> str:
    """The value of a parameter in the region of CloudFront's firewalls, when the stack is made."""
    role = iam.Role(scope, "ReadsFirewallRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(
        allow(("ssm:GetParameter",), f"arn:{Aws.PARTITION}:ssm:{REGION}:{Aws.ACCOUNT_ID}:parameter{name}")
    )
    group = logs.LogGroup(scope, "ReadsFirewallLogs", retention=retention(choices.size.log_days), encryption_key=key)
    group.grant_write(role)
    function = functions.Function(
        scope,
        "ReadsFirewall",
        runtime=functions.Runtime.PYTHON_3_13,
        architecture=functions.Architecture.ARM_64,
        handler="index.handler",
        code=functions.Code.from_inline(_READS.read_text("utf-8")),
        role=role,
        log_group=group,
        timeout=Duration.seconds(60),
    )
    excuse(
        function,
        CKV_AWS_115="CloudFormation alone calls it, while the stack is made",
        CKV_AWS_116="CloudFormation alone calls it, and waits for its answer",
        CKV_AWS_117="it calls AWS's own API; a network would have no use",
    )
    made = cdk.CustomResource(
        scope,
        "FirewallAddress",
        service_token=function.function_arn,
        properties={"Name": name, "Region": REGION},
    )
    resource = made.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    resource.add_property_override("ServiceTimeout", 180)  # CDK writes text, where CloudFormation takes seconds
    made.node.add_dependency(role)
    return str(made.get_att_string("Value"))
