"""The firewall at both edges: it bounds and refuses, it reads no events, and nobody goes around it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws

from event_assets_tests.infra.templates import VARIANTS, Resource, Synthesised
from infra.costs import FIREWALL_RULES
from infra.functions import ask_aws

EDGES = tuple(VARIANTS)


def only(made: Synthesised, kind: str, begins: str = "") -> Resource:
    """The one resource of this type whose name begins so."""
    (found,) = (each for each in made.resources(kind) if each.name.startswith(begins))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("variant", EDGES)
def test_each_edge_has_a_firewall_whose_rules_judge_no_body_no_query_and_no_cookie(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    acl = only(variants[variant], "AWS::WAFv2::WebACL").properties
    assert acl["Scope"] == ("REGIONAL" if VARIANTS[variant]["edge"] == "alb" else "CLOUDFRONT")
    assert acl["DefaultAction"] == {"Allow": {}}
    assert len(acl["Rules"]) == FIREWALL_RULES
    rate, *managed = acl["Rules"]
    assert rate["Action"] == {"Block": {}} and rate["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    counted: set[str] = set()
    for rule in managed:
        assert rule["OverrideAction"] == {"None": {}}
        group = rule["Statement"]["ManagedRuleGroupStatement"]
        for override in group["RuleActionOverrides"]:
            assert override["ActionToUse"] == {"Count": {}}
            counted.add(override["Name"])
    assert {rule["Statement"]["ManagedRuleGroupStatement"]["Name"] for rule in managed} == {
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesCommonRuleSet",
    }
    assert {name for name in JUDGES if name.endswith(("_BODY", "_QUERYSTRING", "_QUERYARGUMENTS"))} < counted
    assert counted < JUDGES
    assert {"Log4JRCE_HEADER", "ExploitablePaths_URIPATH", "UserAgent_BadBots_HEADER"} < JUDGES - counted


JUDGES = {
    *(f"JavaDeserializationRCE_{part}" for part in ("BODY", "HEADER", "QUERYSTRING", "URIPATH")),
    *(f"Log4JRCE_{part}" for part in ("BODY", "HEADER", "QUERYSTRING", "URIPATH")),
    *("ReactJSRCE_BODY", "Host_localhost_HEADER", "PROPFIND_METHOD", "ExploitablePaths_URIPATH"),
    *("NoUserAgent_HEADER", "UserAgent_BadBots_HEADER", "SizeRestrictions_QUERYSTRING"),
    *(f"SizeRestrictions_{part}" for part in ("Cookie_HEADER", "BODY", "URIPATH")),
    *(f"EC2MetaDataSSRF_{part}" for part in ("BODY", "COOKIE", "URIPATH", "QUERYARGUMENTS")),
    *(f"GenericLFI_{part}" for part in ("QUERYARGUMENTS", "URIPATH", "BODY")),
    *(f"RestrictedExtensions_{part}" for part in ("URIPATH", "QUERYARGUMENTS")),
    *(f"GenericRFI_{part}" for part in ("QUERYARGUMENTS", "BODY", "URIPATH")),
    *(f"CrossSiteScripting_{part}" for part in ("COOKIE", "QUERYARGUMENTS", "BODY", "URIPATH")),
}
"""The rules of both groups, as AWS's documentation lists them. A name that is none of them would stop a deployment."""


@pytest.mark.slow
@pytest.mark.parametrize("variant", EDGES)
def test_its_log_has_what_was_refused_without_keys_and_queries(variant: str, variants: dict[str, Synthesised]) -> None:
    made = variants[variant]
    log = only(made, "AWS::WAFv2::LoggingConfiguration").properties
    group = only(made, "AWS::Logs::LogGroup", "FirewallLogs").properties
    assert group["LogGroupName"].startswith("aws-waf-logs-") and "KmsKeyId" in group
    assert json.dumps(log["LogDestinationConfigs"]).endswith(f':log-group:{group["LogGroupName"]}"]]}}]')
    assert log["LoggingFilter"]["DefaultBehavior"] == "DROP"
    (kept,) = log["LoggingFilter"]["Filters"]
    assert kept["Conditions"] == [{"ActionCondition": {"Action": "BLOCK"}}]
    hidden = [field["SingleHeader"]["Name"] for field in log["RedactedFields"] if "SingleHeader" in field]
    assert {"authorization", "cookie", "x-write-key", "x-read-key", "x-origin-verify"} == set(hidden)
    assert {"QueryString": {}} in log["RedactedFields"]


@pytest.mark.slow
@pytest.mark.parametrize("variant", [name for name in EDGES if name.endswith("alb")])
def test_the_load_balancer_is_behind_it(variant: str, variants: dict[str, Synthesised]) -> None:
    made = variants[variant]
    guarded = only(made, "AWS::WAFv2::WebACLAssociation").properties
    assert guarded["ResourceArn"] == {"Ref": only(made, "ElasticLoadBalancingV2::LoadBalancer", "Balancer").name}
    assert guarded["WebACLArn"] == {"Fn::GetAtt": [only(made, "AWS::WAFv2::WebACL").name, "Arn"]}


@pytest.mark.slow
@pytest.mark.parametrize("variant", [name for name in EDGES if name.endswith("lambda")])
def test_cloudfront_is_behind_it_and_says_a_secret_to_an_api_that_takes_nothing_without(
    variant: str, variants: dict[str, Synthesised]
) -> None:
    made = variants[variant]
    asked = only(made, "AWS::CloudFormation::CustomResource")
    parameter = only(made, "AWS::SSM::Parameter").properties
    assert (asked.properties["Arguments"], asked.properties["Region"]) == ({"Name": parameter["Name"]}, "us-east-1")
    assert parameter["Value"] == {"Fn::GetAtt": [only(made, "AWS::WAFv2::WebACL").name, "Arn"]}
    front = only(made, "AWS::CloudFront::Distribution").properties["DistributionConfig"]
    assert front["WebACLId"] == {"Fn::GetAtt": [asked.name, "Value"]}
    behavior = front["DefaultCacheBehavior"]
    assert behavior["ViewerProtocolPolicy"] == "https-only" and not behavior["Compress"]
    assert set(behavior["AllowedMethods"]) >= {"GET", "POST", "OPTIONS"}
    (origin,) = front["Origins"]
    assert only(made, "AWS::ApiGatewayV2::Api").name in json.dumps(origin["DomainName"])
    (said,) = origin["OriginCustomHeaders"]
    secret = only(made, "AWS::SecretsManager::Secret", "OriginSecret")
    assert said["HeaderName"] == "X-Origin-Verify"
    assert "resolve:secretsmanager" in json.dumps(said) and secret.name in json.dumps(said)
    function = only(made, "AWS::Lambda::Function", "Collector").properties
    assert function["Environment"]["Variables"]["EVENT_ASSETS_COLLECTOR_ORIGIN_SECRET"] == {"Ref": secret.name}
    manifest = json.loads((made.folder / "manifest.json").read_text("utf-8"))
    (place,) = (each["environment"] for name, each in manifest["artifacts"].items() if name.endswith("Firewall"))
    assert place.endswith("/us-east-1")


@pytest.mark.slow
def test_the_api_s_own_name_is_cloudfront_s(variants: dict[str, Synthesised]) -> None:
    named, nameless = (
        only(variants[name], "AWS::CloudFront::Distribution").properties["DistributionConfig"]
        for name in ("small-lambda", "dev-lambda")
    )
    assert named["Aliases"] == ["events.example.com"]
    assert named["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert named["ViewerCertificate"]["AcmCertificateArn"] == VARIANTS["small-lambda"]["certificate"]
    assert "Aliases" not in nameless and "ViewerCertificate" not in nameless
    (edge,) = (stack for name, stack in variants["small-lambda"].stacks.items() if name.endswith("Edge"))
    assert edge["Outputs"]["Address"]["Value"] == "https://events.example.com"
    assert "DomainName" in json.dumps(edge["Outputs"]["NameTarget"]["Value"])


@contextmanager
def cloudformation() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What is told to the address that CloudFormation gives a function."""
    told: list[dict[str, Any]] = []

    class Listens(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", told
        server.shutdown()


@pytest.mark.parametrize(
    ("asked", "name", "answer"),
    [
        ("Create", "/there", {"Status": "SUCCESS", "Data": {"Value": "arn"}}),
        ("Update", "/there", {"Status": "SUCCESS", "Data": {"Value": "arn"}}),
        ("Delete", "/nowhere", {"Status": "SUCCESS", "Data": {}}),
        ("Create", "/nowhere", {"Status": "FAILED"}),
    ],
)
def test_a_stack_is_told_the_parameter_or_what_went_wrong(
    asked: str, name: str, answer: dict[str, Any], aws_credentials: None
) -> None:
    with cloudformation() as (url, told), mock_aws(config={"core": {"passthrough": {"urls": [f"{url}.*"]}}}):
        ssm = boto3.client("ssm", region_name="us-east-1")
        ssm.put_parameter(Name="/there", Value="arn", Type="String")
        given = {"RequestType": asked, "StackId": "s", "RequestId": "r", "LogicalResourceId": "l", "ResponseURL": url}
        asks = {"Service": "ssm", "Operation": "get_parameter", "Arguments": {"Name": name}, "Path": "Parameter.Value"}
        ask_aws.handler({**given, "ResourceProperties": {**asks, "Region": "us-east-1"}}, None)
    (said,) = told
    assert said.items() >= {**answer, "StackId": "s", "RequestId": "r", "PhysicalResourceId": "l"}.items()
    assert ("Reason" in said) == (answer["Status"] == "FAILED")
