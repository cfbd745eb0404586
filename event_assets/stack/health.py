"""When each service of the stack can be used, asked as its clients would."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from event_assets.embedded.service import StackError

_LOCATIONS = """
{ workspaceOrError {
    __typename
    ... on PythonError { message }
    ... on Workspace {
        locationEntries { loadStatus locationOrLoadError { __typename ... on PythonError { message } } }
    }
} }
"""
_LAST_FAILURE = "{ runsOrError(filter: {statuses: [FAILURE]}, limit: 1) { ... on Runs { results { runId } } } }"
_RECENT = """
query Recent($since: Float!) {
  runsOrError(filter: {createdAfter: $since}, limit: 20) {
    ... on Runs { results { runId status stats { ... on RunStatsSnapshot { stepsSucceeded } } } }
  }
}
"""
_DAEMONS = "{ instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } } }"
_NEEDED_DAEMONS = frozenset({"SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR"})


def answers_ok(url: str) -> bool:
    """Whether a GET of the URL gives a 2xx status."""
    try:
        return httpx.get(url, timeout=5.0).is_success
    except httpx.TransportError:
        return False


def socket_accepts(path: Path) -> bool:
    """Whether something answers on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2.0)
        return client.connect_ex(str(path)) == 0


def code_server_serves(path: Path) -> bool:
    """Whether Dagster's code server answers gRPC health checks."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(f"unix:{path}") as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=2.0
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def definitions_loaded(dagster_url: str) -> bool:
    """Whether the UI has loaded the definitions. Raises `StackError` with the fault when they cannot be loaded."""
    workspace = _graphql(dagster_url, _LOCATIONS).get("workspaceOrError")
    if workspace is None:
        return False
    if workspace["__typename"] == "PythonError":
        raise StackError(f"Dagster cannot read its workspace: {workspace['message'].strip()}")
    entries = workspace["locationEntries"]
    for entry in entries:
        location = entry["locationOrLoadError"] or {}
        if location.get("__typename") == "PythonError":
            raise StackError(f"Dagster cannot load the definitions: {location['message'].strip()}")
    return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)


def daemons_beat(dagster_url: str, since: float) -> bool:
    """Whether the daemons that sensors, schedules and queued runs need gave a sign of life after `since` (seconds
    since 1970)."""
    statuses = _graphql(dagster_url, _DAEMONS).get("instance", {}).get("daemonHealth", {}).get("allDaemonStatuses", [])
    beating = {s["daemonType"] for s in statuses if (s["lastHeartbeatTime"] or 0) > since}
    needed = {s["daemonType"] for s in statuses if s["required"]} & _NEEDED_DAEMONS
    return bool(needed) and needed <= beating


def last_failed_run(dagster_url: str) -> str | None:
    """The page of the run that failed last, if one did."""
    runs = _graphql(dagster_url, _LAST_FAILURE).get("runsOrError", {}).get("results", [])
    return f"{dagster_url}/runs/{runs[0]['runId']}" if runs else None


class RecentRun(NamedTuple):
    """A run as it is now, and how many of its steps are done."""

    id: str
    status: str
    steps: int

    @property
    def is_finished(self) -> bool:
        return self.status in {"SUCCESS", "FAILURE", "CANCELED"}


def recent_runs(dagster_url: str, since: float) -> list[RecentRun]:
    """The last runs that were asked for after `since` (seconds since 1970), the newest first; none while the UI does
    not answer."""
    results = _graphql(dagster_url, _RECENT, since=since).get("runsOrError", {}).get("results", [])
    return [RecentRun(run["runId"], run["status"], (run["stats"] or {}).get("stepsSucceeded", 0)) for run in results]


def failures_in_a_row(runs: Sequence[RecentRun]) -> int:
    """How many of the last runs that have ended failed, one after another."""
    ended = [run.status for run in runs if run.is_finished]
    return next((n for n, status in enumerate(ended) if status != "FAILURE"), len(ended))


def _graphql(dagster_url: str, query: str, **variables: Any) -> dict[str, Any]:
    """The data of the answer; empty while the UI does not answer yet."""
    try:
        response = httpx.post(f"{dagster_url}/graphql", json={"query": query, "variables": variables}, timeout=10.0)
        return dict(response.json().get("data") or {}) if response.is_success else {}
    except (httpx.TransportError, ValueError):
        return {}
