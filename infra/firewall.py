"""The firewall (WAF) in front of the ingest API: how many requests an address may send, and what is refused unread.

It judges what a request is, never what it says: events hold what people typed, searched and visited.
"""

from __future__ import annotations

from typing import Literal

import aws_cdk as cdk
from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_cloudwatch as watch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.alarms import MINUTE, Watched, alarm, alarm_encryption, alarm_topic
from infra.choices import Choices
from infra.logs import log_encryption, retention

REGION = "us-east-1"
"""Where AWS keeps firewalls of CloudFront, wherever everything else is."""
SAYS = {
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_BODY",
        "JavaDeserializationRCE_QUERYSTRING",
        "Log4JRCE_BODY",
        "Log4JRCE_QUERYSTRING",
        "ReactJSRCE_BODY",
    ),
    "AWSManagedRulesCommonRuleSet": (
        "CrossSiteScripting_BODY",
        "CrossSiteScripting_COOKIE",
        "CrossSiteScripting_QUERYARGUMENTS",
        "EC2MetaDataSSRF_BODY",
        "EC2MetaDataSSRF_COOKIE",
        "EC2MetaDataSSRF_QUERYARGUMENTS",
        "GenericLFI_BODY",
        "GenericLFI_QUERYARGUMENTS",
        "GenericRFI_BODY",
        "GenericRFI_QUERYARGUMENTS",
        "NoUserAgent_HEADER",
        "RestrictedExtensions_QUERYARGUMENTS",
        "SizeRestrictions_BODY",
        "SizeRestrictions_QUERYSTRING",
    ),
}
"""AWS's groups of rules, and the rules of each that count and refuse nothing. Bodies and queries (of the pixel) are
events: a search for `<script>`, a page's address with a path in it, 8 KB of a batch. Cookies are the whole site's.
Servers and devices send without a user agent."""
_SECRET = ("authorization", "cookie", "x-origin-verify", "x-read-key", "x-write-key")


def firewall(
    scope: Construct, choices: Choices, kind: Literal["CLOUDFRONT", "REGIONAL"], key: kms.IKey
) -> waf.CfnWebACL:
    """A firewall with its log, which is of what was refused alone. It is as good as its place: an address is known to
    the one who is asked first."""
    acl = waf.CfnWebACL(
        scope,
        "Firewall",
        scope=kind,
        default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
        rules=[_rate(choices.size.requests_per_second), *(_managed(*each) for each in enumerate(SAYS, start=1))],
        visibility_config=_seen(_metric(choices)),
    )
    _log(scope, acl, choices, key)
    return acl


def requests_blocked(choices: Choices, kind: Literal["CLOUDFRONT", "REGIONAL"]) -> Watched:
    """The alarm on a surge: it refuses a tenth of what the whole API takes, minute after minute."""
    told = {"WebACL": f"event-assets-{_metric(choices)}", "Rule": "ALL"}
    if kind == "REGIONAL":
        told["Region"] = Aws.REGION
    refused = watch.Metric(
        namespace="AWS/WAFV2", metric_name="BlockedRequests", dimensions_map=told, statistic="Sum", period=MINUTE
    )
    meaning = "The firewall refuses many requests: somebody attacks, or a sender of ours goes beyond its rate."
    return Watched("RequestsBlocked", refused, max(300, choices.size.requests_per_second * 60 // 10), 5, meaning)


def _metric(choices: Choices) -> str:
    """Its own of an installation: an account may hold several."""
    return f"{choices.name.lower()}-firewall"


class FirewallStack(cdk.Stack):
    """The firewall of CloudFront, in the one region that has such. Its address is a parameter, for the edge's stack.
    Its metrics are told in that region alone, and alarms write to a topic of their region."""

    def __init__(self, scope: Construct, name: str, choices: Choices) -> None:
        super().__init__(
            scope, name, description="event-assets: firewall of the ingest API", env=cdk.Environment(region=REGION)
        )
        key = kms.Key(self, "Key", enable_key_rotation=True, description="Log and alarm of the firewall")
        for statement in (log_encryption(REGION), alarm_encryption("cloudwatch")):
            key.add_to_resource_policy(statement)
        acl = firewall(self, choices, "CLOUDFRONT", key)
        self.parameter = f"/event-assets/{choices.name}/firewall"
        ssm.StringParameter(self, "Address", parameter_name=self.parameter, string_value=acl.attr_arn)
        alarm(self, requests_blocked(choices, "CLOUDFRONT"), alarm_topic(self, choices.email, key))


def _rate(requests_per_second: int) -> waf.CfnWebACL.RuleProperty:
    """Of one address, over five minutes: a quarter of what the whole API takes, since a shop's server is one."""
    return waf.CfnWebACL.RuleProperty(
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


def _managed(priority: int, group: str) -> waf.CfnWebACL.RuleProperty:
    return waf.CfnWebACL.RuleProperty(
        name=group,
        priority=priority,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=waf.CfnWebACL.StatementProperty(
            managed_rule_group_statement=waf.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS",
                name=group,
                rule_action_overrides=[
                    waf.CfnWebACL.RuleActionOverrideProperty(
                        name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
                    )
                    for rule in SAYS[group]
                ],
            )
        ),
        visibility_config=_seen(group),
    )


def _seen(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=f"event-assets-{name}", sampled_requests_enabled=False
    )


def _log(scope: Construct, acl: waf.CfnWebACL, choices: Choices, key: kms.IKey) -> None:
    """What was refused, and by which rule: without keys, cookies and queries. WAF leaves no address out."""
    name = f"aws-waf-logs-{choices.name.lower()}"  # WAF writes to no group of another name
    group = logs.LogGroup(
        scope,
        "FirewallLogs",
        log_group_name=name,
        retention=retention(choices.size.log_days),
        encryption_key=key,
        removal_policy=RemovalPolicy.DESTROY,  # it would be in the way of the next one of its name
    )
    written = waf.CfnLoggingConfiguration(
        scope,
        "FirewallLog",
        resource_arn=acl.attr_arn,
        log_destination_configs=[
            cdk.Stack.of(scope).format_arn(
                service="logs", resource="log-group", resource_name=name, arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
            )
        ],
        redacted_fields=[
            *(waf.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": header}) for header in _SECRET),
            waf.CfnLoggingConfiguration.FieldToMatchProperty(query_string={}),
        ],
        logging_filter={
            "DefaultBehavior": "DROP",
            "Filters": [
                {
                    "Behavior": "KEEP",
                    "Requirement": "MEETS_ANY",
                    "Conditions": [{"ActionCondition": {"Action": "BLOCK"}}],
                }
            ],
        },
    )
    written.node.add_dependency(group)
