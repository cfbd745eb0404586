"""What the image holds works: Dagster's instance loads on a real PostgreSQL, and a run becomes a task of ECS.

ECS is an emulator (moto, in this process). What Dagster's launcher calls is held against the rights of its role.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import dagster as dg
import pytest
import yaml
from dagster._core.test_utils import in_process_test_workspace
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from moto import mock_aws

from event_assets.stack.instance import instance_settings
from event_assets_tests.infra.templates import ROOT
from event_assets_tests.postgres import new_database
from infra.permissions import launches_runs, watches_runs

IMAGE = ROOT / "infra" / "image"
FAMILY = "eventassets-run"


@dg.op
def nothing() -> None:
    """Does nothing."""


@dg.job
def idle() -> None:
    nothing()


@pytest.fixture
def instance(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The image's instance, but for TLS, which the embedded server has not."""
    text = (IMAGE / "dagster.yaml").read_text("utf-8")
    assert text.count("sslmode: require") == 1
    settings = yaml.safe_load(text.replace("sslmode: require", "sslmode: prefer"))
    address = urlsplit(new_database(postgres_url))
    settings["storage"]["postgres"]["postgres_db"]["port"] = address.port or 5432
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    for name, value in {
        "DAGSTER_PG_USER": address.username or "",
        "DAGSTER_PG_PASSWORD": address.password or "",
        "DAGSTER_PG_HOST": address.hostname or "",
        "DAGSTER_PG_DB": address.path.strip("/"),
        "DAGSTER_RUN_TASK": FAMILY,
        "DAGSTER_MAX_RUNS": "7",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


@contextmanager
def task_of_daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster with the task that the daemon is, and the endpoint at which ECS tells a task who it is. Gives the
    cluster."""
    ec2, ecs = boto3.client("ec2"), boto3.client("ecs")
    network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=network, EnableDnsHostnames={"Value": True})  # moto names tasks in any case
    subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(VpcId=network, GroupName="daemon", Description="daemon")["GroupId"]
    cluster = ecs.create_cluster(clusterName="pipeline")["cluster"]["clusterArn"]
    for family in ("daemon", FAMILY):
        ecs.register_task_definition(
            family=family,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "main", "image": "image", "cpu": 256, "memory": 512}],
        )
    (daemon,) = ecs.run_task(
        cluster=cluster,
        taskDefinition="daemon",
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": [group]}},
    )["tasks"]
    told = {"Cluster": cluster, "TaskARN": daemon["taskArn"], "Name": "main"}

    class Tells(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tells) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"http://127.0.0.1:{server.server_port}")
        yield cluster
        server.shutdown()


def actions_of(*statements: Any) -> set[str]:
    """What statements of the stack allow."""
    return {action for statement in statements for action in statement.actions}


@pytest.mark.slow  # the rights are CDK's objects, whose engine starts
def test_a_run_becomes_a_task_and_its_launcher_calls_what_the_daemon_may_call(
    instance: dg.DagsterInstance, calls: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = LoadableTargetOrigin(python_file=__file__, attribute="idle", working_directory=str(ROOT))
    with (
        mock_aws(config={"core": {"passthrough": {"urls": ["http://127.0.0.1:.*"]}}}),
        task_of_daemon(monkeypatch) as cluster,
        in_process_test_workspace(instance, loadable_target_origin=origin) as workspace,
    ):
        (location,) = workspace.code_locations
        (repository,) = location.get_repositories().values()
        job = repository.get_full_job("idle")
        run = instance.create_run_for_job(
            idle, remote_job_origin=job.get_remote_origin(), job_code_origin=job.get_python_origin()
        )
        calls.clear()
        instance.launch_run(run.run_id, workspace)
        launched = set(calls)
        tags = instance.get_run_by_id(run.run_id).tags  # type: ignore[union-attr]
        (task,) = boto3.client("ecs").describe_tasks(cluster=cluster, tasks=[tags["ecs/task_arn"]])["tasks"]
        calls.clear()
        instance.run_launcher.check_run_worker_health(instance.get_run_by_id(run.run_id))  # type: ignore[arg-type]
        instance.run_launcher.terminate(run.run_id)
        watched = set(calls)
    assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 7  # type: ignore[union-attr]
    assert task["taskDefinitionArn"].rpartition(":")[0].endswith(f"/{FAMILY}")
    (override,) = task["overrides"]["containerOverrides"]
    assert override["name"] == "main" and override["command"][:3] == ["dagster", "api", "execute_run"]
    # RunTask passes roles, and tags the task: rights that are no calls.
    unseen = {"iam:PassRole", "ecs:TagResource"}
    assert launched | watched == actions_of(*launches_runs("a/b", "f", ["r"])) - unseen
    assert watched <= actions_of(*watches_runs("a/b"))


def test_runs_are_queued_and_kept_as_in_the_local_instance() -> None:
    cloud = yaml.safe_load((IMAGE / "dagster.yaml").read_text("utf-8"))
    local = instance_settings("x")
    for part in ("telemetry", "nux", "run_retries", "retention", "sensors"):
        assert cloud[part] == local[part], part
    # Locally all runs share a machine; here each is a task, and the size says how many.
    assert cloud["run_queue"] == {**local["run_queue"], "max_concurrent_runs": {"env": "DAGSTER_MAX_RUNS"}}
