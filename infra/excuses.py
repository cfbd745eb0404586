"""Where a rule of checkov does not hold, and why: written beside the resource, and into the template."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnResource
from constructs import IConstruct


def excuse(construct: IConstruct, **reasons: str) -> None:
    """Names each rule that the resource need not meet (`CKV_AWS_18="…"`) with the reason."""
    resource: Any = construct.node.default_child or construct
    assert isinstance(resource, CfnResource)
    skipped = [{"id": rule, "comment": reason} for rule, reason in sorted(reasons.items())]
    resource.add_metadata("checkov", {"skip": skipped})
