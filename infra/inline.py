"""A small function on Lambda whose file stands in the template as it is, with a role and a log of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.logs import retention


class Inline(NamedTuple):
    """The function, and its role, whose rights must be there before it is called."""

    function: functions.Function
    role: iam.Role


def inline_function(
    scope: Construct,
    name: str,
    file: Path,
    rights: Iterable[iam.PolicyStatement],
    timeout: Duration,
    log_days: int,
    key: kms.IKey,
    environment: dict[str, str] | None = None,
) -> Inline:
    """The function of a file that needs nothing but what Lambda's Python has. `rights` is what it may ask of AWS."""
    role = iam.Role(scope, f"{name}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    for statement in rights:
        role.add_to_policy(statement)
    group = logs.LogGroup(scope, f"{name}Logs", retention=retention(log_days), encryption_key=key)
    group.grant_write(role)
    function = functions.Function(
        scope,
        name,
        runtime=functions.Runtime.PYTHON_3_13,
        architecture=functions.Architecture.ARM_64,
        handler="index.handler",
        code=functions.Code.from_inline(file.read_text("utf-8")),
        role=role,
        log_group=group,
        timeout=timeout,
        environment=environment,
        environment_encryption=key if environment else None,
    )
    return Inline(function, role)
