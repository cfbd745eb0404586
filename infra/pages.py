"""Pages for people: a load balancer that lets nobody through to Dagster's who has not signed in, and the dashboards.

Who signs in is known by a user pool of Cognito: people whom an administrator invited, or those of the company's own
provider of OpenID Connect.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws, Duration, RemovalPolicy, SecretValue
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_elasticloadbalancingv2_actions as actions
from constructs import Construct

from infra.balancer import balancer, listens
from infra.choices import Choices, SignIn

SESSION_HOURS = 10


class Pages:
    """The load balancer in front of the webserver. `pool` knows who may sign in."""

    def __init__(
        self,
        scope: Construct,
        choices: Choices,
        sign_in: SignIn,
        vpc: ec2.IVpc,
        webserver: ecs.FargateService,
        port: int,
    ) -> None:
        self._scope, self._vpc = scope, vpc
        self.pool = self._pool(scope)
        provider = self._provider(scope, sign_in)
        client = self._client("Pages", f"https://{sign_in.host}/oauth2/idpresponse", provider)
        domain = self.pool.add_domain(
            "SignIn",
            cognito_domain=cognito.CognitoDomainOptions(domain_prefix=f"{choices.name.lower()}-{Aws.ACCOUNT_ID}"),
        )
        self.balancer = balancer(scope, "Pages", choices, vpc)
        self._listener = listens(self.balancer, sign_in.certificate)
        self._listener.add_action(
            "SignedIn",
            action=actions.AuthenticateCognitoAction(
                user_pool=self.pool,
                user_pool_client=client,
                user_pool_domain=domain,
                session_timeout=Duration.hours(SESSION_HOURS),
                next=elb.ListenerAction.forward([self._target("Pages", webserver, port, "/server_info")]),
            ),
        )
        self.balancer.connections.allow_to_any_ipv4(ec2.Port.tcp(443), "Asks Cognito who somebody is")
        cdk.CfnOutput(scope, "PagesAddress", value=f"https://{sign_in.host}")
        cdk.CfnOutput(scope, "PagesTargetName", value=self.balancer.load_balancer_dns_name)
        cdk.CfnOutput(scope, "UserPool", value=self.pool.user_pool_id)

    def client_of_dashboards(self, host: str) -> cognito.UserPoolClient:
        """By which the dashboards, who sign people in themselves, ask the pool."""
        return self._client("Dashboards", f"https://{host}/signed-in", cognito.UserPoolClientIdentityProvider.COGNITO)

    def leads_to(self, host: str, service: ecs.FargateService, port: int) -> None:
        """Who calls the load balancer by this name comes to a service that asks for a sign-in by itself."""
        self._listener.add_action(
            "Dashboards",
            priority=1,
            conditions=[elb.ListenerCondition.host_headers([host])],
            action=elb.ListenerAction.forward([self._target("Dashboards", service, port, "/health")]),
        )

    def _target(self, name: str, service: ecs.FargateService, port: int, health: str) -> elb.ApplicationTargetGroup:
        return elb.ApplicationTargetGroup(
            self._scope,
            f"{name}Target",
            vpc=self._vpc,
            port=port,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[service],
            deregistration_delay=Duration.seconds(30),
            health_check=elb.HealthCheck(path=health),
        )

    def _client(
        self, name: str, comes_back: str, provider: cognito.UserPoolClientIdentityProvider
    ) -> cognito.UserPoolClient:
        return self.pool.add_client(
            name,
            generate_secret=True,
            prevent_user_existence_errors=True,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.PROFILE, cognito.OAuthScope.EMAIL],
                callback_urls=[comes_back],
            ),
            supported_identity_providers=[provider],
        )

    @staticmethod
    def _pool(scope: Construct) -> cognito.UserPool:
        """Nobody makes an account of their own, and a password alone is not enough."""
        return cognito.UserPool(
            scope,
            "People",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            password_policy=cognito.PasswordPolicy(min_length=14, temp_password_validity=Duration.days(3)),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _provider(self, scope: Construct, sign_in: SignIn) -> cognito.UserPoolClientIdentityProvider:
        """Who says who somebody is: the company's provider where there is one, and then nobody besides."""
        if sign_in.issuer is None or sign_in.client is None or sign_in.secret is None:
            return cognito.UserPoolClientIdentityProvider.COGNITO
        made = cognito.UserPoolIdentityProviderOidc(
            scope,
            "Provider",
            user_pool=self.pool,
            name="company",
            issuer_url=sign_in.issuer,
            client_id=sign_in.client,
            # A reference that CloudFormation resolves: the secret is in no template.
            client_secret=SecretValue.secrets_manager(sign_in.secret).unsafe_unwrap(),
            scopes=["openid", "email"],
            attribute_mapping=cognito.AttributeMapping(email=cognito.ProviderAttribute.other("email")),
        )
        self.pool.register_identity_provider(made)
        return cognito.UserPoolClientIdentityProvider.custom(made.provider_name)
