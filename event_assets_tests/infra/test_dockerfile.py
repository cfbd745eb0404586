"""The Dockerfile is clean, copies what there is, and installs by the lock; and the ingest API's target, made by its own
steps, takes events without Spark and Dagster."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest

from event_assets.collector import WriteKeys
from event_assets_tests.collector.serving import event, free_port
from event_assets_tests.infra.dockerfile import FILE, copied, of
from event_assets_tests.infra.templates import ROOT

TARGETS = ("collector", "platform")
COLLECTOR = ROOT / "build" / "images" / "collector"
NAMES = [
    re.split(r"[\[;<>=]", line)[0].strip()
    for line in (ROOT / "infra" / "image" / "collector.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def test_hadolint_finds_nothing() -> None:
    if shutil.which("hadolint") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("hadolint is not installed: the extra infra")
        pytest.skip("hadolint needs the extra infra")
    done = subprocess.run(["hadolint", str(FILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_copied_is_there_and_is_all_that_docker_is_given(target: str) -> None:
    given = {*pytest.importorskip("infra.image").COPIED}
    for source in copied(target):
        assert (ROOT / source).exists(), source
        assert source in given or any(each.startswith(f"{source}/") or source.startswith(f"{each}/") for each in given)
    assert not any(Path(source).is_absolute() or ".." in source for source in copied(target))


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_installs_by_the_lock_and_runs_as_nobody_in_particular(target: str) -> None:
    user_made, install = of(target, "RUN")
    assert "--constraint requirements.lock" in install
    (user,) = of(target, "USER")
    assert int(user) > 1_000 and f"--uid {user}" in user_made


def test_the_platform_installs_extras_that_there_are() -> None:
    setup, text = (ROOT / "setup.py").read_text("utf-8"), FILE.read_text("utf-8")
    named = {*of("platform", "ARG")[0].partition("=")[2].split(",")}
    named |= {*re.findall(r"^# .*EXTRAS=(\S+)", text, re.MULTILINE)[0].split(",")}
    assert named and all(f'    "{extra}": [' in setup for extra in named)


_IMPORTS = """
import ast, json, pathlib, sys
import event_assets.collector.__main__, event_assets.collector.aws_lambda, event_assets.telemetry.span_ids
import event_assets.streams.embedded, event_assets.streams.kafka, event_assets.streams.kinesis
import event_assets.online.dynamodb, event_assets.online.postgres, event_assets.online.sagemaker
found = set()
for name, module in list(sys.modules.items()):
    if name.startswith("event_assets") and getattr(module, "__file__", None):
        for node in ast.walk(ast.parse(pathlib.Path(module.__file__).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
print(json.dumps({"imported": sorted(found - sys.stdlib_module_names), "loaded": sorted(sys.modules)}))
"""
NOT_ITS = {"babel"}
"""What settings of the dashboards alone are checked by."""


@pytest.mark.slow
def test_the_ingest_api_installs_all_that_its_modules_import_and_imports_no_engine() -> None:
    told = subprocess.run([sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=True).stdout
    found = json.loads(told)
    assert not {"pyspark", "pysail", "dagster", "pandas", "deltalake"} & {*found["loaded"]}
    distributions = packages_distributions()
    listed = {name.lower().replace("_", "-") for name in NAMES}
    for module in found["imported"]:
        if module != "event_assets" and module not in NOT_ITS:
            names = {name.lower().replace("_", "-") for name in distributions[module]}
            assert names & (listed | _BY_OTHERS), f"{module} is imported, and infra/image/collector.txt has not {names}"


_BY_OTHERS = {"botocore", "pydantic-core", "opentelemetry-api"}
"""What listed ones bring."""


def test_what_the_ingest_api_installs_is_within_the_ranges_of_the_package() -> None:
    setup, lock = (ROOT / "setup.py").read_text("utf-8"), (ROOT / "requirements.lock").read_text("utf-8")
    for name in NAMES:
        assert f'"{name}' in setup, f"setup.py does not ask for {name}"
        assert re.search(rf"^{re.escape(name)}==", lock, re.MULTILINE | re.IGNORECASE), f"the lock has no {name}"


@pytest.mark.slow
def test_the_target_of_the_ingest_api_takes_events_without_spark_and_dagster(tmp_path: Path) -> None:
    if not COLLECTOR.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("make build/images")
        pytest.skip("What it installs is not there; run: make build/images")
    python = str(COLLECTOR / "venv" / "bin" / "python")
    there = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    names = {each["name"].lower() for each in json.loads(there.stdout)}
    assert {"event-assets", "awslambdaric", "boto3", "confluent-kafka"} <= names
    assert not {"pyspark", "pysail", "dagster", "pandas", "deltalake"} & names
    port, key = free_port(), WriteKeys(tmp_path / "home" / "keys.json").create("site", "web")
    environment = {
        "PATH": os.environ["PATH"],
        "EVENT_ASSETS_HOME": str(tmp_path / "home"),
        "EVENT_ASSETS_COLLECTOR_PORT": str(port),
    }
    handler = [python, "-c", "from event_assets.collector.aws_lambda import handler; assert callable(handler)"]
    assert subprocess.run(handler, cwd=tmp_path, env=environment, check=False).returncode == 0
    with subprocess.Popen([python, "-m", "event_assets.collector"], cwd=tmp_path, env=environment) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                while not answers(client):
                    assert process.poll() is None
                answer = client.post("/v1/events", json=[event(1), event(2)], headers={"x-write-key": key})
                assert answer.status_code == 200 and answer.json()["accepted"] == 2
                assert client.get("/v1/ready").status_code == 200
        finally:
            process.kill()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/health").status_code == 200
    except httpx.TransportError:
        return False
