"""The dashboards' server, which signs people in itself: by the user pool, or by the company's provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from aws_cdk import Aws, RemovalPolicy, SecretValue
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.choices import SignIn
from infra.data import DataStack
from infra.environment import DASHBOARDS_PORT, SIGN_IN_SECRET, dashboards_environment
from infra.image import Workshop
from infra.pages import Pages
from infra.permissions import looks_at_lake
from infra.sizes import Tasks


class _Client(NamedTuple):
    """By whom people are known: issuer, our client there and its secret, and the claim that lists groups."""

    issuer: str
    id: str
    secret: secretsmanager.ISecret
    groups: str


def dashboards(
    workshop: Workshop,
    pages: Pages,
    sign_in: SignIn,
    host: str,
    tasks: Tasks,
    environment: Mapping[str, str],
    secrets: Mapping[str, ecs.Secret],
    data: DataStack,
) -> ecs.FargateService:
    """The service, behind the load balancer of the pages. `environment` and `secrets` are runs'."""
    client = _client(workshop.scope, pages, sign_in, host, workshop.key)
    definition = workshop.task(
        "Dashboards",
        tasks,
        ["python", "-m", "event_assets.dashboards.server"],
        dashboards_environment(environment, host=host, issuer=client.issuer, client=client.id, groups=client.groups),
        rights=looks_at_lake(data.lake.bucket_arn, workshop.key.key_arn),
        secrets={**secrets, SIGN_IN_SECRET: ecs.Secret.from_secrets_manager(client.secret)},
        port=DASHBOARDS_PORT,
    )
    service = workshop.service("Dashboards", definition, tasks)
    pages.leads_to(host, service, DASHBOARDS_PORT)
    return service


def _client(scope: Construct, pages: Pages, sign_in: SignIn, host: str, key: kms.IKey) -> _Client:
    if sign_in.issuer and sign_in.client and sign_in.secret:
        given = secretsmanager.Secret.from_secret_complete_arn(scope, "SignInSecret", sign_in.secret)
        return _Client(sign_in.issuer, sign_in.client, given, "groups")
    client = pages.client_of_dashboards(host)
    made = client.node.default_child
    assert isinstance(made, cognito.CfnUserPoolClient)
    secret = secretsmanager.Secret(
        scope,
        "SignInSecret",
        description="The dashboards' secret at the user pool",
        encryption_key=key,
        secret_string_value=SecretValue.resource_attribute(made.attr_client_secret),
        removal_policy=RemovalPolicy.DESTROY,
    )
    issuer = f"https://cognito-idp.{Aws.REGION}.{Aws.URL_SUFFIX}/{pages.pool.user_pool_id}"
    return _Client(issuer, client.user_pool_client_id, secret, "cognito:groups")
