"""Dagster's pages on AWS: nobody gets to them but through a load balancer, and through that who signed in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from event_assets_tests.infra.templates import VARIANTS, Synthesised, statements
from event_assets_tests.infra.test_firewall import only
from event_assets_tests.infra.test_pseudonyms import settings_of
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
    for rule in made.resources("::ListenerRule"):  # no path goes around it
        assert target.name not in json.dumps(rule.properties), rule.name


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
    client = only(variants[variant], "AWS::Cognito::UserPoolClient", "PeoplePages").properties
    assert client["CallbackURLs"] == ["https://dagster.example.com/oauth2/idpresponse"]
    assert client["AllowedOAuthFlows"] == ["code"] and client["GenerateSecret"] is True


def test_where_the_company_knows_its_people_nobody_else_signs_in(variants: dict[str, Synthesised]) -> None:
    made = variants["large-alb"]
    provider = only(made, "AWS::Cognito::UserPoolIdentityProvider")
    details = provider.properties["ProviderDetails"]
    assert details["oidc_issuer"] == VARIANTS["large-alb"]["oidc_issuer"]
    assert "resolve:secretsmanager" in json.dumps(details["client_secret"])
    client = only(made, "AWS::Cognito::UserPoolClient", "PeoplePages").properties
    assert client["SupportedIdentityProviders"] == [{"Ref": provider.name}]
    own = only(variants["small-lambda"], "AWS::Cognito::UserPoolClient", "PeoplePages").properties
    assert own["SupportedIdentityProviders"] == ["COGNITO"]


@pytest.mark.parametrize("variant", WITH)
def test_the_dashboards_sign_people_in_themselves_at_a_name_of_their_own(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    made, chosen = variants[variant], VARIANTS[variant]
    (rule,) = (each.properties for each in made.resources("::ListenerRule"))
    (condition,) = rule["Conditions"]
    assert condition["HostHeaderConfig"]["Values"] == ["dashboards.example.com"]
    target = only(made, "ElasticLoadBalancingV2::TargetGroup", "DashboardsTarget")
    assert [action["TargetGroupArn"] for action in rule["Actions"]] == [{"Ref": target.name}]
    variables = settings_of(made, "Dashboards")
    assert variables["EVENT_ASSETS_DASHBOARD_SIGN_IN"] == "oidc"
    assert variables["EVENT_ASSETS_DASHBOARD_URL"] == "https://dashboards.example.com"
    task = only(made, "AWS::ECS::TaskDefinition", "Dashboards").properties
    secrets = {each["Name"] for each in task["ContainerDefinitions"][0]["Secrets"]}
    assert secrets == {"PGPASSWORD", "EVENT_ASSETS_PRIVACY_KEY", "EVENT_ASSETS_DASHBOARD_OIDC_CLIENT_SECRET"}
    issuer, groups = (variables[f"EVENT_ASSETS_DASHBOARD_OIDC_{name}"] for name in ("ISSUER", "GROUPS"))
    if "oidc_issuer" in chosen:
        assert (issuer, groups) == (chosen["oidc_issuer"], "groups")
    else:
        assert "cognito-idp." in json.dumps(issuer) and groups == "cognito:groups"
        client = only(made, "AWS::Cognito::UserPoolClient", "PeopleDashboards").properties
        assert client["CallbackURLs"] == ["https://dashboards.example.com/signed-in"]


@pytest.mark.parametrize("variant", WITH)
def test_the_dashboards_read_lake_and_warehouse_and_write_who_did_what(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    made = variants[variant]
    (lines,) = (found for role, found in statements(made).items() if "DashboardsRole" in role)
    actions = {action for line in lines for action in line.partition(" on ")[0].split()[1:]}
    assert actions == {"kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    (writes,) = (line for line in lines if "s3:PutObject" in line)
    assert writes.endswith("/lake/audit/*")
    guard = only(made, "AWS::EC2::SecurityGroup", "DashboardsGuard").name
    ways = [each.properties for each in made.resources("::SecurityGroupIngress")]
    assert [way["ToPort"] for way in ways if way["GroupId"] == group_of(guard)] == [8050]
    reached = [way["ToPort"] for way in ways if way.get("SourceSecurityGroupId") == group_of(guard)]
    assert len(reached) == 1, "the warehouse"


@pytest.mark.parametrize("variant", WITH)
def test_the_image_has_what_the_dashboards_need(variant: str, variants: dict[str, Synthesised]) -> None:
    made = variants[variant]
    extras = {
        stack: {each["source"]["dockerBuildArgs"]["EXTRAS"] for each in _images(made, stack)} for stack in made.stacks
    }
    assert {stack: found for stack, found in extras.items() if stack.endswith("Pipeline")} == {
        "EventAssetsPipeline": {"aws,dashboard"}
    }
    assert extras["EventAssetsEdge"] == {"aws"}


def _images(made: Synthesised, stack: str) -> list[dict[str, Any]]:
    told = json.loads((made.folder / f"{stack}.assets.json").read_text("utf-8"))
    return list(told.get("dockerImages", {}).values())


@pytest.mark.parametrize("variant", WITHOUT)
def test_without_a_name_for_them_there_is_no_way_to_them(variant: str, variants: dict[str, Synthesised]) -> None:
    kinds = {each["Type"] for each in pipeline(variants[variant])["Resources"].values()}
    assert not {kind for kind in kinds if "Cognito" in kind or "ElasticLoadBalancing" in kind}
