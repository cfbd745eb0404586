"""Deployments from GitHub: a role that the repository's workflow may take, for one environment of it, with no key kept
anywhere."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.choices import Choices

ENVIRONMENT = "production"
"""GitHub's environment whose jobs may take the role: its reviewers decide on each deployment."""
_ISSUER = "token.actions.githubusercontent.com"


class DeployStack(cdk.Stack):
    """The role may act as CDK's own roles, which `make cloud-bootstrap` made, and do nothing else."""

    def __init__(self, scope: Construct, name: str, choices: Choices, repository: str) -> None:
        super().__init__(scope, name, description="event-assets: the role of GitHub's deployments")
        provider = choices.github_provider or self._provider()
        role = iam.Role(
            self,
            "DeployRole",
            assumed_by=iam.WebIdentityPrincipal(
                provider,
                {
                    "StringEquals": {
                        f"{_ISSUER}:aud": "sts.amazonaws.com",
                        f"{_ISSUER}:sub": f"repo:{repository}:environment:{ENVIRONMENT}",
                    }
                },
            ),
            max_session_duration=cdk.Duration.hours(2),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sts:AssumeRole"],
                resources=[self.format_arn(service="iam", region="", resource="role", resource_name="cdk-hnb659fds-*")],
            )
        )
        cdk.CfnOutput(self, "Role", value=role.role_arn, description="the variable AWS_DEPLOY_ROLE of the environment")

    def _provider(self) -> str:
        made = iam.OidcProviderNative(self, "GitHub", url=f"https://{_ISSUER}", client_ids=["sts.amazonaws.com"])
        return str(made.oidc_provider_arn)
