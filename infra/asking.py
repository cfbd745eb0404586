"""What a template cannot name and AWS knows: a function asks it while the stack is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.excuses import excuse
from infra.inline import inline_function

_ASKS = Path(__file__).with_name("functions") / "ask_aws.py"


class Question(NamedTuple):
    """A call of botocore, and where in what it gives the value is, names with dots between."""

    service: str
    operation: str
    arguments: Mapping[str, str]
    path: str


def answer(
    scope: Construct,
    name: str,
    question: Question,
    rights: Sequence[iam.PolicyStatement],
    region: str,
    log_days: int,
    key: kms.IKey,
) -> str:
    """The value, of this region, when the stack is made. `rights` is what asking takes."""
    function, role = inline_function(scope, f"Reads{name}", _ASKS, rights, Duration.seconds(60), log_days, key)
    excuse(
        function,
        CKV_AWS_115="CloudFormation alone calls it, while the stack is made",
        CKV_AWS_116="CloudFormation alone calls it, and waits for its answer",
        CKV_AWS_117="it calls AWS's own API; a network would have no use",
    )
    made = cdk.CustomResource(
        scope,
        f"{name}Address",
        service_token=function.function_arn,
        properties={
            "Service": question.service,
            "Operation": question.operation,
            "Arguments": dict(question.arguments),
            "Path": question.path,
            "Region": region,
        },
    )
    resource = made.node.default_child
    assert isinstance(resource, cdk.CfnResource)
    resource.add_property_override("ServiceTimeout", 180)  # CDK writes text, where CloudFormation takes seconds
    made.node.add_dependency(role)
    return str(made.get_att_string("Value"))
