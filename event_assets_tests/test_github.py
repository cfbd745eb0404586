"""What GitHub runs and shows is there: workflows call the same commands as people, forms and hooks can be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def steps() -> list[dict[str, Any]]:
    jobs = (job for path in WORKFLOWS for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values())
    return [step for job in jobs for step in job["steps"]]


def test_workflows_call_make_targets_that_there_are() -> None:
    called = [command for step in steps() for command in re.findall(r"make ([a-z-]+)", step.get("run", ""))]
    assert {"lint", "test", "prove", "dist", "image", "cloud-synth", "cloud-diff", "cloud-deploy"} <= set(called)
    assert set(called) <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def test_workflows_test_every_python_that_the_package_is_said_to_run_on() -> None:
    said = set(re.findall(r"Python :: (3\.\d+)", (ROOT / "setup.py").read_text(encoding="utf-8")))
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert set(workflow["jobs"]["test"]["strategy"]["matrix"]["python"]) == said


def test_nothing_is_published_or_deployed_before_all_is_proven() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))["jobs"]
    for job in ("publish", "deploy"):
        assert "prove" in jobs[job]["needs"] and jobs[job]["environment"]
    allowed = {name for name, job in jobs.items() if job.get("permissions", {}).get("id-token") == "write"}
    assert allowed == {"publish", "deploy"}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_issue_form_has_what_github_asks_of_one(form: Path) -> None:
    content = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert content["name"]
    assert content["description"]
    assert all(field["attributes"]["label"] for field in content["body"])


def test_the_hooks_before_a_commit_are_what_lint_runs() -> None:
    [local] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in local["hooks"]}
    lint = MAKEFILE.partition("\nlint:")[2].partition("\n\n")[0]
    assert tools == set(re.findall(r"\$\(BIN\)/([a-z-]+)", lint))
