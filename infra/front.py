"""CloudFront in front of an HTTP API, for the firewall that an HTTP API itself cannot have.

A REST API could have one. It unpacks bodies on the way (and leaves the header that says that they are packed), and
refuses those of zstd: a signature over what travelled would be wrong.
"""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from event_assets.collector.origin import HEADER
from infra.asking import Question, answer
from infra.choices import Choices
from infra.excuses import excuse
from infra.firewall import REGION
from infra.permissions import allow


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


def firewall_address(scope: Construct, parameter: str, log_days: int, key: kms.IKey) -> str:
    """The ARN of the firewall, which stands in a parameter in the region of CloudFront's firewalls."""
    asked = Question("ssm", "get_parameter", {"Name": parameter}, "Parameter.Value")
    arn = f"arn:{Aws.PARTITION}:ssm:{REGION}:{Aws.ACCOUNT_ID}:parameter{parameter}"
    return answer(scope, "Firewall", asked, [allow(("ssm:GetParameter",), arn)], REGION, log_days, key)
