"""The event stream as other stacks see it, whichever it is: how containers find it, what roles may do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.alarms import Watched

BROKER_PORT = 9098
"""At which MSK takes clients that IAM knows."""


class EventStream(NamedTuple):
    """A stream. `settings` are the platform's, by which it is found; `extras` are the package's that it takes; `guard`
    is the security group of who serves it, where that is in our network. Executors of Spark read as `executors` do."""

    settings: Mapping[str, str]
    writes: Sequence[iam.PolicyStatement]
    reads: Sequence[iam.PolicyStatement]
    executors: Sequence[iam.PolicyStatement]
    alarms: Sequence[Watched]
    extras: tuple[str, ...] = ("aws",)
    guard: ec2.ISecurityGroup | None = None

    def admit(self, scope: Construct, *groups: ec2.ISecurityGroup) -> None:
        """Lets tasks of a stack with these security groups reach it. The rules are that stack's: the stream's own would
        name groups of stacks that need it first."""
        if self.guard is None:
            return
        guard = ec2.SecurityGroup.from_security_group_id(scope, "StreamGuard", self.guard.security_group_id)
        for group in groups:
            guard.add_ingress_rule(group, ec2.Port.tcp(BROKER_PORT), "Event stream")
