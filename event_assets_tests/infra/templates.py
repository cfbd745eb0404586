"""The stacks' templates, as synthesis writes them, and what is read out of them.

`python -m event_assets_tests.infra.templates` writes `statements.json`, so that a change of rights shows in review.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
STATEMENTS = Path(__file__).with_name("statements.json")
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
CERTIFICATE_OF_CLOUDFRONT = CERTIFICATE.replace("eu-central-1", "us-east-1")
VARIANTS: dict[str, dict[str, str]] = {
    "dev-lambda": {"size": "dev", "edge": "lambda"},
    "small-lambda": {
        "size": "small",
        "edge": "lambda",
        "certificate": CERTIFICATE_OF_CLOUDFRONT,
        "domain": "events.example.com",
        "stream": "on-demand",
        "pages": "dagster.example.com",
        "dashboards": "dashboards.example.com",
        "pages_certificate": CERTIFICATE,
        "pii_fields": "user_id,traits.email",
        "pii_at": "collector",
    },
    "small-alb": {
        "size": "small",
        "edge": "alb",
        "certificate": CERTIFICATE,
        "email": "data@example.com",
        "stream": "kafka",
        "spark": "cluster",
        "continuous": "on",
        "keys": "bucket",
        "pii_fields": "user_id,traits.email",
        "online": "on",
    },
    "large-alb": {
        "size": "large",
        "edge": "alb",
        "certificate": CERTIFICATE,
        "github": "example/analytics",
        "retention": "on",
        "simulator": "on",
        "quicksight": "on",
        "online": "on",
        "landing_runs": "3",
        "keys": "table",
        "pages": "dagster.example.com",
        "dashboards": "dashboards.example.com",
        "pages_certificate": CERTIFICATE,
        "oidc_issuer": "https://login.example.com/tenant",
        "oidc_client": "event-assets",
        "oidc_secret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:sign-in-abc123",
        "pii_fields": "user_id,traits.email",
        "pii_at": "collector",
    },
}
"""Every size, and both edges, each with its choices."""

Template = dict[str, Any]


class Resource(NamedTuple):
    """One resource of a template."""

    stack: str
    name: str
    type: str
    properties: Template


class Synthesised(NamedTuple):
    """What one variant came to: templates by stack, and the folder that they are in."""

    folder: Path
    stacks: dict[str, Template]

    def resources(self, kind: str = "") -> Iterator[Resource]:
        """All resources whose type ends with this."""
        for stack, template in self.stacks.items():
            for name, resource in template["Resources"].items():
                if resource["Type"].endswith(kind):
                    yield Resource(stack, name, resource["Type"], resource.get("Properties", {}))


def synthesised(folder: Path, variants: Mapping[str, Mapping[str, str]] = VARIANTS) -> dict[str, Synthesised]:
    """Templates of these variants, written into the folder by a process of its own: CDK's engine is another one's."""
    asked = json.dumps({str(folder / name): choices for name, choices in variants.items()})
    environment = {**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1", "PYTHONPATH": str(ROOT)}
    program = (
        "import json, sys; from infra.app import build_app\n"
        "for folder, context in json.loads(sys.argv[1]).items(): build_app(folder, context).synth()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, asked], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return {name: _read(folder / name) for name in variants}


def _read(folder: Path) -> Synthesised:
    files = sorted(folder.glob("*.template.json"))
    return Synthesised(folder, {file.name.split(".")[0]: json.loads(file.read_text("utf-8")) for file in files})


def statements(made: Synthesised) -> dict[str, list[str]]:
    """What each role may do, one line a statement: actions, resources, conditions."""
    found: dict[str, list[str]] = {}
    for resource in made.resources("::Policy"):
        if resource.type != "AWS::IAM::Policy":
            continue
        for role in resource.properties["Roles"]:
            owner = f"{resource.stack}/{plain(role)}"
            found.setdefault(owner, []).extend(map(line_of, resource.properties["PolicyDocument"]["Statement"]))
    for resource in made.resources("AWS::IAM::Role"):
        owner = f"{resource.stack}/{resource.name}"
        managed = [f"managed {plain(each)}" for each in resource.properties.get("ManagedPolicyArns", [])]
        inline = [
            line_of(statement)
            for policy in resource.properties.get("Policies", [])
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        if managed or inline:
            found.setdefault(owner, []).extend([*managed, *inline])
    return {owner: sorted(lines) for owner, lines in sorted(found.items())}


def line_of(statement: Mapping[str, Any]) -> str:
    """A statement as a line."""
    actions = " ".join(sorted(listed(statement["Action"])))
    resources = " ".join(sorted(plain(each) for each in listed(statement.get("Resource", []))))
    condition = statement.get("Condition")
    return f"{statement['Effect']} {actions} on {resources}" + (f" if {plain(condition)}" if condition else "")


def listed(value: Any) -> list[Any]:
    """One or several, as a list."""
    return value if isinstance(value, list) else [value]


def plain(value: Any) -> str:
    """Text in which references are `{names}`."""
    if isinstance(value, str):
        return re.sub("[0-9a-f]{64}", "{asset}", value)
    if isinstance(value, dict) and len(value) == 1:
        ((function, inner),) = value.items()
        if function == "Ref":
            return "{" + str(inner) + "}"
        if function == "Fn::GetAtt":
            return "{" + ".".join(inner) + "}"
        if function == "Fn::Join":
            return str(inner[0]).join(plain(each) for each in inner[1])
        if function == "Fn::Sub":
            return plain(inner[0]) if isinstance(inner, list) else str(inner)
        if function == "Fn::ImportValue":
            return "{" + plain(inner).partition(":ExportsOutput")[2] + "}"
        if function == "Fn::Select":
            return f"part {inner[0]} of {plain(inner[1])}"
        if function == "Fn::Split":
            return plain(inner[1])
    if isinstance(value, dict):
        return " and ".join(f"{plain(name)}: {plain(each)}" for name, each in sorted(value.items()))
    return ", ".join(map(plain, value))


def main() -> None:
    """Writes the statements of the variants that between them have every role."""
    with tempfile.TemporaryDirectory() as folder:
        made = synthesised(Path(folder), {name: VARIANTS[name] for name in SHOWN})
    STATEMENTS.write_text(json.dumps({name: statements(made[name]) for name in SHOWN}, indent=1) + "\n", "utf-8")


SHOWN = ("small-lambda", "small-alb", "large-alb")
"""Variants that between them have every role."""

if __name__ == "__main__":
    main()
