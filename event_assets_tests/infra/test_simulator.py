"""The simulator of the stacks: called every hour with what its handler takes, and with no right but to its key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from event_assets.simulator.traffic import Traffic
from event_assets_tests.infra.templates import VARIANTS, Synthesised, statements
from event_assets_tests.infra.test_firewall import only

pytestmark = pytest.mark.slow


def text_of(value: Any) -> str:
    """A text in which references are `x`."""
    return (
        value if isinstance(value, str) else "".join(map(text_of, value["Fn::Join"][1])) if "Fn::Join" in value else "x"
    )


def test_it_is_called_every_hour_with_what_its_handler_takes(variants: dict[str, Synthesised]) -> None:
    made = variants["large-alb"]
    rule = only(made, "AWS::Events::Rule", "Simulator").properties
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    (target,) = rule["Targets"]
    asked = json.loads(text_of(target["Input"]))
    assert asked.pop("endpoint").startswith("https://")
    assert asked.pop("truth_url").startswith("s3://") and asked.pop("write_key_secret")
    assert Traffic.of(asked).events == 2_000
    function = only(made, "AWS::Lambda::Function", "Simulator").properties
    assert function["ImageConfig"]["Command"] == ["event_assets.simulator.aws_lambda.handler"]


def test_it_may_read_its_key_and_keep_the_truth_and_nothing_else(variants: dict[str, Synthesised]) -> None:
    (lines,) = (found for role, found in statements(variants["large-alb"]).items() if "SimulatorRole" in role)
    actions = {action for line in lines for action in line.partition(" on ")[0].split()[1:]}
    assert actions == {
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:PutObject",
        "secretsmanager:GetSecretValue",
    }
    (keeps,) = (line for line in lines if "s3:PutObject" in line)
    assert keeps.endswith("/simulator/truth.db")


@pytest.mark.parametrize("variant", [name for name, chosen in VARIANTS.items() if "simulator" not in chosen])
def test_nobody_is_simulated_who_was_not_asked_for(variant: str, variants: dict[str, Synthesised]) -> None:
    assert not [name for name in variants[variant].stacks if name.endswith("Simulator")]
