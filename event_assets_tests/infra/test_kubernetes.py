"""The files for Kubernetes are what its API takes, its strictest standard allows and the settings read; and Dagster's
instance of them makes a job of each run.

Kustomize builds them, as a user does. Kubernetes is a server here that keeps what it is asked; what Dagster's launcher
asks is held against the rights of its role.
"""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import kubernetes_validate
import pytest
import yaml
from dagster._core.test_utils import in_process_test_workspace
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from event_assets.settings import PREFIX, Settings
from event_assets.settings.faults import misspelt
from event_assets.stack.instance import instance_settings
from event_assets_tests.infra.templates import ROOT
from event_assets_tests.postgres import new_database

FOLDER = ROOT / "infra" / "kubernetes"
KUSTOMIZE = ROOT / "build" / "kustomize" / "kustomize"
IMAGE = "images.example.com/event-assets:1"
NAMESPACE = "event-assets"
Object = dict[str, Any]


@dg.op
def nothing() -> None:
    """Does nothing."""


@dg.job
def idle() -> None:
    nothing()


def built(folder: Path) -> list[Object]:
    """What kustomize makes of a folder."""
    done = subprocess.run([str(KUSTOMIZE), "build", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [*yaml.safe_load_all(done.stdout)]


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    """The objects of the installation that is the example."""
    if not KUSTOMIZE.exists():
        pytest.skip("run: make build/kustomize (it needs Go)")
    return built(FOLDER / "example")


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def problems(made: Object) -> list[str]:
    """What Kubernetes would refuse of an object, by its own schemas."""
    try:
        kubernetes_validate.validate(made, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as fault:
        return [f"{made['kind']} {made['metadata'].get('name')}: {fault.message}"]
    return []


def forbidden(pod: Object) -> list[str]:
    """What the standard `restricted` forbids of a pod, of what can be said about it in a file."""
    faults = [] if pod["securityContext"]["runAsNonRoot"] else ["may be root"]
    if pod["securityContext"]["seccompProfile"]["type"] != "RuntimeDefault":
        faults.append("makes any call of the system")
    faults += [f"mounts {name}" for each in pod["volumes"] for name in each if name == "hostPath"]
    for container in pod["containers"]:
        own = container["securityContext"]
        if own["allowPrivilegeEscalation"] or own["capabilities"] != {"drop": ["ALL"]}:
            faults.append("may get rights")
        if not own["readOnlyRootFilesystem"]:
            faults.append("writes into its image")
    return faults


def test_kubernetes_takes_every_object(objects: list[Object]) -> None:
    assert [fault for each in objects for fault in problems(each)] == []
    unknown = {**of_kind(objects, "Service")["code"], "spec": {"portz": []}}
    assert problems(unknown)


def test_no_container_does_what_the_strictest_standard_forbids(objects: list[Object]) -> None:
    pods = {name: each["spec"]["template"]["spec"] for name, each in of_kind(objects, "Deployment").items()}
    assert pods.keys() == {"collector", "code", "daemon", "webserver", "dashboards"}
    assert {name: forbidden(pod) for name, pod in pods.items()} == {name: [] for name in pods}
    labels = of_kind(objects, "Namespace")[NAMESPACE]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_only_who_asks_kubernetes_for_jobs_can_ask_it_anything(objects: list[Object]) -> None:
    accounts = of_kind(objects, "ServiceAccount")
    asking = {name for name, each in accounts.items() if each.get("automountServiceAccountToken", True)}
    (binding,) = of_kind(objects, "RoleBinding").values()
    assert asking == {each["name"] for each in binding["subjects"]} == {"dagster"}
    used = {
        name: each["spec"]["template"]["spec"]["serviceAccountName"]
        for name, each in of_kind(objects, "Deployment").items()
    }
    assert {name for name, account in used.items() if account in asking} == {"daemon", "webserver"}


def test_every_name_that_is_referred_to_is_there_or_a_secret_that_the_page_makes(objects: list[Object]) -> None:
    text = json.dumps(objects)
    secrets = set(re.findall(r'"secretRef": \{"name": "([\w-]+)"\}|"secretName": "([\w-]+)"', text))
    page = (ROOT / "docs/how-to/run-on-kubernetes.md").read_text("utf-8")
    for name in filter(None, (each for pair in secrets for each in pair)):
        assert f"create secret generic {name}" in page
    assert set(re.findall(r'"configMapRef": \{"name": "([\w-]+)"', text)) <= of_kind(objects, "ConfigMap").keys()
    pods = {
        each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]
        for each in of_kind(objects, "Deployment").values()
    }
    chosen = {each["spec"]["selector"]["app.kubernetes.io/name"] for each in of_kind(objects, "Service").values()}
    assert chosen == pods - {"daemon"}


def test_every_variable_is_a_setting_with_a_value_that_it_takes(
    objects: list[Object], monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = of_kind(objects, "ConfigMap")
    for name in ("event-assets", "event-assets-dashboards"):
        ours = {each: value for each, value in maps[name]["data"].items() if each.startswith(PREFIX)}
        assert misspelt(ours, PREFIX, Settings.model_fields) == []
        for variable, value in ours.items():
            monkeypatch.setenv(variable, value)
        if name == "event-assets-dashboards":  # what its secret holds
            monkeypatch.setenv("EVENT_ASSETS_DASHBOARD_OIDC_CLIENT_SECRET", "x" * 16)
        settings = Settings()
        assert (settings.stream, settings.warehouse, settings.metrics_to) == ("kafka", "postgres", "stdout")
    ports = {
        name: each["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"]
        for name, each in of_kind(objects, "Deployment").items()
        if name in ("collector", "dashboards")
    }
    assert ports == {"collector": settings.collector_port, "dashboards": settings.dashboard_port}


def test_runs_have_the_image_of_the_code(objects: list[Object]) -> None:
    for made in (objects, built(FOLDER / "base")):
        (container,) = of_kind(made, "Deployment")["code"]["spec"]["template"]["spec"]["containers"]
        assert of_kind(made, "ConfigMap")["event-assets"]["data"]["DAGSTER_CURRENT_IMAGE"] == container["image"]


def test_runs_are_queued_and_kept_as_in_the_local_instance() -> None:
    ours, local = yaml.safe_load((FOLDER / "base/instance/dagster.yaml").read_text("utf-8")), instance_settings("x")
    for part in ("telemetry", "nux", "run_queue", "concurrency", "run_retries", "retention", "sensors"):
        assert ours[part] == local[part], part


_ACTIVE = {"active": 1, "startTime": "2026-11-22T10:00:00Z"}


def _running(job: str) -> Object:
    """The pod of a job."""
    container = {"name": "dagster", "image": IMAGE, "imageID": "", "ready": True, "restartCount": 0}
    state = {"running": {"startedAt": "2026-11-22T10:00:00Z"}}
    return {
        "metadata": {"name": f"{job}-pod"},
        "spec": {"containers": [{"name": "dagster"}]},
        "status": {"phase": "Running", "containerStatuses": [{**container, "state": state}]},
    }


class Cluster:
    """What was asked of Kubernetes' API, as rules of a role name it, and the jobs that it was given."""

    def __init__(self) -> None:
        self.asked: set[tuple[str, str]] = set()
        self.jobs: dict[str, Object] = {}
        self.has_nodes = False
        """Whether a job gets its pod."""

    def answer(self, method: str, path: str, body: Object | None) -> Object:
        """What Kubernetes answers: a job is kept as it came and has a pod that runs, until it is deleted."""
        group, place = re.sub(r"^/apis?/", "", path).split(f"/namespaces/{NAMESPACE}/")
        resource, name, *below = [*place.split("/"), ""]
        resource = "/".join([resource, *filter(None, below)])
        if method == "POST" and body is not None:
            self.jobs[body["metadata"]["name"]] = body
        verb = {"GET": "get" if name else "list", "POST": "create", "DELETE": "delete"}[method]
        self.asked.add((verb, f"{group.removesuffix('v1').strip('/')}:{resource}"))
        if verb == "list":
            return {"items": self._listed(resource)}
        if verb == "delete":
            self.jobs.pop(name, None)
            return {"status": "Success"}
        return {**(body or self.jobs.get(name, {})), "status": _ACTIVE}

    def _listed(self, resource: str) -> list[Object]:
        if resource == "pods":
            return [*map(_running, self.jobs)] if self.has_nodes else []
        return [{**job, "status": _ACTIVE} for job in self.jobs.values()] if resource == "jobs" else []


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[Cluster, Path]]:
    """A server that stands for Kubernetes' API, and the file that says where it is."""
    made = Cluster()

    class Api(http.server.BaseHTTPRequestHandler):
        def do(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"] or 0))
            answer = made.answer(self.command, urlsplit(self.path).path, json.loads(text) if text else None)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = do_DELETE = do  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"server": f"http://127.0.0.1:{server.server_port}"}
        config = {
            "clusters": [{"name": "here", "cluster": place}],
            "users": [{"name": "daemon", "user": {"token": "x"}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "daemon"}}],
            "current-context": "here",
        }
        (folder / "cluster.yaml").write_text(yaml.safe_dump(config), "utf-8")
        yield made, folder / "cluster.yaml"
        server.shutdown()


@pytest.mark.slow  # it needs PostgreSQL
def test_a_run_becomes_a_job_and_its_launcher_asks_what_its_role_may(
    objects: list[Object], postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = urlsplit(new_database(postgres_url))
    settings = yaml.safe_load(of_kind(objects, "ConfigMap")["event-assets-instance"]["data"]["dagster.yaml"])
    settings["storage"]["postgres"]["postgres_db"]["port"] = address.port or 5432
    for name, value in {
        "DAGSTER_PG_USER": address.username or "",
        "DAGSTER_PG_PASSWORD": address.password or "",
        "DAGSTER_PG_HOST": address.hostname or "",
        "DAGSTER_PG_DB": address.path.strip("/"),
        "DAGSTER_CURRENT_IMAGE": IMAGE,
    }.items():
        monkeypatch.setenv(name, value)
    origin = LoadableTargetOrigin(python_file=__file__, attribute="idle", working_directory=str(ROOT))
    with cluster(tmp_path) as (kubernetes, config):
        settings["run_launcher"]["config"] |= {"load_incluster_config": False, "kubeconfig_file": str(config)}
        (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings), "utf-8")
        with (
            dg.DagsterInstance.from_config(str(tmp_path)) as instance,
            in_process_test_workspace(instance, loadable_target_origin=origin, container_image=IMAGE) as workspace,
        ):
            (location,) = workspace.code_locations
            (repository,) = location.get_repositories().values()
            job = repository.get_full_job("idle")
            run = instance.create_run_for_job(
                idle, remote_job_origin=job.get_remote_origin(), job_code_origin=job.get_python_origin()
            )
            instance.launch_run(run.run_id, workspace)
            (launched,) = kubernetes.jobs.values()
            asked = instance.get_run_by_id(run.run_id)
            assert asked is not None
            assert instance.run_launcher.check_run_worker_health(asked).status.value == "RUNNING"
            assert "Job status" in str(instance.run_launcher.get_run_worker_debug_info(asked))
            kubernetes.has_nodes = True
            assert "Pod status: Running" in str(instance.run_launcher.get_run_worker_debug_info(asked))
            assert instance.run_launcher.terminate(run.run_id)
    assert kubernetes.jobs == {}
    assert problems({"apiVersion": "batch/v1", "kind": "Job", **launched}) == []
    pod = launched["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert forbidden(pod) == []
    assert not pod["automountServiceAccountToken"] and pod["serviceAccountName"] == "run"
    assert container["image"] == IMAGE and container["args"][:3] == ["dagster", "api", "execute_run"]
    assert {next(iter(each.values()))["name"] for each in container["envFrom"]} == {
        "event-assets",
        "event-assets-pipeline",
    }
    (role,) = of_kind(objects, "Role").values()
    allowed = {
        (verb, f"{group}:{resource}")
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert kubernetes.asked == allowed
