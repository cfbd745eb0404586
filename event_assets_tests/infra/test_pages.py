"""Dagster's pages on AWS: nobody gets to them but through a load balancer, and through that who signed in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from event_assets_tests.infra.templates import VARIANTS, Synthesised
from event_assets_tests.infra.test_firewall import only
from infra.pipeline import WEB_PORT

pytestmark = pytest.mark.slow

WITH = [name for name, chosen in VARIANTS.items() if "pages" in chosen]
WITHOUT = [name for name in VARIANTS if name not in WITH]


def pipeline(made: Synthesised) -> dict[str, Any]:
    (found,) = (stack for name, stack in made.stacks.items() if name.endswith("Pipeline"))
    return found


@pytest.mark.parametrize("variant", WITH)
def test_the_one_way_in_asks_who_somebody_is_and_then_leads_to_the_webserver(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    made = variants[variant]
    listener = only(made, "ElasticLoadBalancingV2::Listener", "Pages").properties
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    assert listener["Certificates"] == [{"CertificateArn": VARIANTS[variant]["pages_certificate"]}]
    asks, leads = sorted(listener["DefaultActions"], key=lambda action: action["Order"])
    pool = only(made, "AWS::Cognito::UserPool").name
    assert asks["Type"] == "authenticate-cognito"
    assert asks["AuthenticateCognitoConfig"]["UserPoolArn"] == {"Fn::GetAtt": [pool, "Arn"]}
    assert asks["AuthenticateCognitoConfig"].get("OnUnauthenticatedRequest", "authenticate") == "authenticate"
    target = only(made, "ElasticLoadBalancingV2::TargetGroup", "PagesTarget")
    assert leads["Type"] == "forward" and target.name in json.dumps(leads) and target.properties["Port"] == WEB_PORT
    service = only(made, "AWS::ECS::Service", "Webserver").properties
    (balanced,) = service["LoadBalancers"]
    assert balanced["TargetGroupArn"] == {"Ref": target.name}
    assert not [each for each in made.resources("::ListenerRule") if "Pages" in each.name], "no path goes around it"


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_webserver_is_reached_by_that_load_balancer_and_by_nobody_else(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    resources = pipeline(variants[variant])["Resources"]
    groups = [name for name, each in resources.items() if each["Type"] == "AWS::EC2::SecurityGroup"]
    (guard,) = (name for name in groups if name.startswith("WebserverGuard"))
    assert "SecurityGroupIngress" not in resources[guard]["Properties"]
    ways = [
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::EC2::SecurityGroupIngress" and each["Properties"]["GroupId"] == group_of(guard)
    ]
    assert len(ways) == (variant in WITH)
    for way in ways:
        (sender,) = (name for name in groups if way["SourceSecurityGroupId"] == group_of(name))
        assert sender.startswith("PagesSecurityGroup") and way["FromPort"] == way["ToPort"] == WEB_PORT


def group_of(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "GroupId"]}


@pytest.mark.parametrize("variant", WITH)
def test_nobody_makes_an_account_and_a_password_alone_is_not_enough(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    pool = only(variants[variant], "AWS::Cognito::UserPool").properties
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("ON", ["SOFTWARE_TOKEN_MFA"])
    assert pool["DeletionProtection"] == "ACTIVE"
    client = only(variants[variant], "AWS::Cognito::UserPoolClient").properties
    assert client["CallbackURLs"] == ["https://dagster.example.com/oauth2/idpresponse"]
    assert client["AllowedOAuthFlows"] == ["code"] and client["GenerateSecret"] is True


def test_where_the_company_knows_its_people_nobody_else_signs_in(variants: dict[str, Synthesised]) -> None:
    made = variants["large-alb"]
    provider = only(made, "AWS::Cognito::UserPoolIdentityProvider")
    details = provider.properties["ProviderDetails"]
    assert details["oidc_issuer"] == VARIANTS["large-alb"]["oidc_issuer"]
    assert "resolve:secretsmanager" in json.dumps(details["client_secret"])
    client = only(made, "AWS::Cognito::UserPoolClient").properties
    assert client["SupportedIdentityProviders"] == [{"Ref": provider.name}]
    own = only(variants["small-lambda"], "AWS::Cognito::UserPoolClient").properties
    assert own["SupportedIdentityProviders"] == ["COGNITO"]


@pytest.mark.parametrize("variant", WITHOUT)
def test_without_a_name_for_them_there_is_no_way_to_them(variant: str, variants: dict[str, Synthesised]) -> None:
    kinds = {each["Type"] for each in pipeline(variants[variant])["Resources"].values()}
    assert not {kind for kind in kinds if "Cognito" in kind or "ElasticLoadBalancing" in kind}
