"""The app: which stacks there are, and what each needs of the others. Assembly only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from infra.choices import Choices, choices_of
from infra.data import DataStack
from infra.deploys import DeployStack
from infra.edge import FunctionEdge, LoadBalancedEdge
from infra.firewall import FirewallStack
from infra.kafka import KafkaStack
from infra.network import NetworkStack
from infra.pipeline import PipelineStack
from infra.simulator import SimulatorStack
from infra.watch import WatchStack

_FLAGS = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-kms:reduceCrossAccountRegionPolicyScope": True,
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/core:checkSecretUsage": True,
    "@aws-cdk/core:enablePartitionLiterals": True,
}
"""What CDK does otherwise for apps that are older than they are."""


def build_app(outdir: str | None = None, context: Mapping[str, Any] | None = None) -> cdk.App:
    """The app of these choices, those of CDK's command line among them. Raises `ChoiceError`. Asks AWS nothing."""
    app = cdk.App(
        outdir=outdir, analytics_reporting=False, context={**_FLAGS, **(context or {})}, post_cli_context=_FLAGS
    )
    given = dict(app.node.get_all_context())
    choices = choices_of({name: value for name, value in given.items() if ":" not in name})
    _stacks(app, choices)
    cdk.Tags.of(app).add("event-assets", choices.name)
    return app


def _stacks(app: cdk.App, choices: Choices) -> None:
    name = choices.name
    data = DataStack(app, f"{name}Data", choices)
    network = NetworkStack(app, f"{name}Network", choices, data)
    stream = data.stream or KafkaStack(app, f"{name}Kafka", choices, data, network).stream
    edge: LoadBalancedEdge | FunctionEdge
    if choices.edge == "alb":
        edge = LoadBalancedEdge(app, f"{name}Edge", choices, data, stream, network)
    else:
        firewall = FirewallStack(app, f"{name}Firewall", choices)
        edge = FunctionEdge(app, f"{name}Edge", choices, data, stream, firewall)
    pipeline = PipelineStack(app, f"{name}Pipeline", choices, data, stream, network)
    WatchStack(app, f"{name}Watch", choices, data, stream, edge, pipeline)
    if choices.simulator == "on":
        SimulatorStack(app, f"{name}Simulator", choices, data, edge.address)
    if choices.github is not None:
        DeployStack(app, f"{name}Deploy", choices, choices.github)
