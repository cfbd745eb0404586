"""What is in the account: read, made, changed, deleted, waited for. Which of it, and when, is in `changes.py`."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from event_assets.quicksight import requests
from event_assets.quicksight.drift import drift_of
from event_assets.quicksight.kinds import (
    ANALYSIS,
    DASHBOARD,
    DATA_SET,
    GROUP,
    KINDS,
    SCHEDULE,
    Json,
    Key,
    Kind,
    Resource,
)
from event_assets.quicksight.resources import mark
from event_assets.quicksight.target import QuickSightError, Target

_ATTEMPTS = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
_OVER = ("SUCCESSFUL", "FAILED", "COMPLETED", "CANCELLED", "DELETED")


@dataclass(frozen=True)
class State:
    """What there is of a resource. `hash` is of the version that AWS has taken, and None where it has taken none."""

    is_ours: bool
    hash: str | None = None
    status: str = ""
    drift: tuple[str, ...] = ()

    @property
    def has_failed(self) -> bool:
        """Whether AWS could not make it."""
        return self.status == "CREATION_FAILED"


@dataclass(frozen=True)
class Ingested:
    """The rows that were copied, and those that AWS left out."""

    rows: int
    dropped: int


class Ingestion(NamedTuple):
    """A copy of a data set's rows: how it ended or how far it is, since when, how many rows it has, what AWS says
    against it."""

    status: str
    began_at: dt.datetime
    rows: int | None
    words: str


@dataclass(frozen=True)
class Service:
    """QuickSight of an account. Throttling is retried by botocore; `patience` are the seconds that AWS may take for
    one thing."""

    target: Target
    patience: float = 900
    pause: Callable[[float], None] = time.sleep
    client: Any = field(default=None)

    @staticmethod
    def of(target: Target, patience: float = 900, pause: Callable[[float], None] = time.sleep) -> Service:
        """With the credentials of the environment, as boto3 finds them."""
        config = Config(retries={"mode": "standard", "max_attempts": _ATTEMPTS}, connect_timeout=10, read_timeout=60)
        client = boto3.client("quicksight", region_name=target.region, config=config)
        return Service(target, patience, pause, client)

    def state(self, key: Key, wanted: Resource | None = None) -> State | None:
        """What there is; None where there is nothing. Drift is from what is wanted."""
        found = self._read(f"Describe{key.kind.name}", key, requests.read_request(key, self.target))
        if found is None:
            return None
        answer: Json = found[key.kind.answer]
        if key.kind is GROUP:
            is_ours = answer.get("Description") == mark(self.target)
            return State(is_ours, requests.hash_of(wanted) if wanted and is_ours else None)
        if key.kind is SCHEDULE:
            drift = drift_of(wanted.request["Schedule"], answer) if wanted else ()
            return State(True, requests.hash_of(wanted) if wanted and not drift else None)
        status = str((answer.get("Version") or answer).get("Status", ""))
        if status == "DELETED":  # an analysis is told of for a while
            return None
        tags = {tag["Key"]: tag["Value"] for tag in self._tags(key)}
        is_ours = tags.get(requests.OWNER_TAG) == self.target.owner
        hash_ = tags.get(requests.HASH_TAG)
        drift = self._drift(key, wanted, answer) if wanted and is_ours and hash_ == requests.hash_of(wanted) else ()
        return State(is_ours, hash_ if is_ours and hash_ != requests.PENDING else None, status, drift)

    def ours(self) -> list[Key]:
        """All that is in the account and carries our tag, in the order in which one needs the other."""
        return [key for kind in KINDS for key in sorted(self._listed(kind), key=lambda key: key.id)]

    def _listed(self, kind: Kind) -> Iterator[Key]:
        if kind is SCHEDULE:
            for key in self._listed(DATA_SET):
                if self._read("DescribeRefreshSchedule", key, self._schedule(key)) is not None:
                    yield Key(SCHEDULE, key.id)
            return
        request: Json = {"AwsAccountId": self.target.account}
        request |= {"Namespace": self.target.namespace} if kind is GROUP else {}
        while True:
            answer = self._call(kind.list_operation, request, f"the list of each {kind}")
            for each in answer.get(kind.listed, ()):
                key = Key(kind, each[kind.id_field])
                if (kind is GROUP and each.get("Description") == mark(self.target)) or (
                    kind is not GROUP and self._is_listed_as_ours(key, each)
                ):
                    yield key
            if not answer.get("NextToken"):
                return
            request["NextToken"] = answer["NextToken"]

    def _is_listed_as_ours(self, key: Key, summary: Json) -> bool:
        if not key.id.startswith(self.target.owner) or summary.get("Status") == "DELETED":
            return False
        return {"Key": requests.OWNER_TAG, "Value": self.target.owner} in self._tags(key)

    def _schedule(self, key: Key) -> Json:
        return requests.read_request(Key(SCHEDULE, key.id), self.target)

    def create(self, wanted: Resource) -> None:
        """Makes it and waits until it is there. Raises `QuickSightError` with what AWS says of it."""
        key = wanted.key
        answer = self._call(f"Create{key.kind.name}", requests.create_request(wanted, self.target), str(key))
        self._finish(wanted, answer)

    def update(self, wanted: Resource) -> None:
        """Changes it, waits until that is done, and publishes a dashboard's new version."""
        key = wanted.key
        if key.kind.arn:
            self._tag(key, requests.PENDING)
        answer = self._call(f"Update{key.kind.name}", requests.update_request(wanted, self.target), str(key))
        if key.kind.permissions:
            self._permit(wanted)
        if key.kind is DASHBOARD:
            version = int(answer["VersionArn"].rsplit("/", 1)[1])
            self._wait(key, {"VersionNumber": version})
            publish = requests.identity(key, self.target) | {"VersionNumber": version}
            self._call("UpdateDashboardPublishedVersion", publish, str(key))
        self._finish(wanted, answer)

    def delete(self, key: Key) -> None:
        """Deletes it; what is not there is deleted already."""
        request = requests.read_request(key, self.target)
        if key.kind is ANALYSIS:
            request["ForceDeleteWithoutRecovery"] = True
        self._read(f"Delete{key.kind.name}", key, request)

    def ingest(self, key: Key, name: str) -> Ingested:
        """Copies a data set's rows anew and waits until they are there; a copy of that name is not begun twice. Raises
        `QuickSightError`."""
        request = requests.identity(key, self.target) | {"IngestionId": name}
        try:
            self.client.create_ingestion(**request, IngestionType="FULL_REFRESH")
        except self.client.exceptions.ResourceExistsException:
            pass
        except self.client.exceptions.ResourceNotFoundException:
            raise QuickSightError(f"{key}: it is not there. Run event-assets quicksight apply first.") from None
        except (ClientError, BotoCoreError) as fault:
            raise QuickSightError(f"{key}: CreateIngestion: {fault}") from None
        told = self._wait_for_rows(key, name).get("RowInfo") or {}
        return Ingested(told.get("RowsIngested", 0), told.get("RowsDropped", 0))

    def last_ingestion(self, key: Key) -> Ingestion | None:
        """The copy of a data set's rows that was begun last; None where there is none. Raises `QuickSightError`."""
        request, found = requests.identity(key, self.target), list[Json]()
        while True:
            answer = self._read("ListIngestions", key, request) or {}
            found += answer.get("Ingestions", ())
            if not answer.get("NextToken"):
                break
            request = {**request, "NextToken": answer["NextToken"]}
        if not found:
            return None
        last = max(found, key=lambda each: each["CreatedTime"])
        rows = (last.get("RowInfo") or {}).get("RowsIngested")
        return Ingestion(last["IngestionStatus"], last["CreatedTime"], rows, _words(last.get("ErrorInfo")))

    def _finish(self, wanted: Resource, answer: Json) -> None:
        key = wanted.key
        if key.kind is DATA_SET and answer.get("IngestionId"):
            self._wait_for_rows(key, answer["IngestionId"])
        elif key.kind.arn:
            self._wait(key, {})
        if key.kind.arn:
            self._tag(key, requests.hash_of(wanted))

    def _wait(self, key: Key, more: Json) -> None:
        """Until its status is a last one."""

        def asked() -> tuple[str, Any]:
            request = requests.read_request(key, self.target) | more
            answer = self._call(f"Describe{key.kind.name}", request, str(key))[key.kind.answer]
            answer = answer.get("Version") or answer
            return answer.get("Status", "SUCCESSFUL"), answer.get("Errors") or answer.get("ErrorInfo")

        self._until_over(key, asked)

    def _wait_for_rows(self, key: Key, ingestion: str) -> Json:
        request, last = requests.identity(key, self.target) | {"IngestionId": ingestion}, Json()

        def asked() -> tuple[str, Any]:
            last.update(self._call("DescribeIngestion", request, str(key))["Ingestion"])
            return last["IngestionStatus"], last.get("ErrorInfo")

        self._until_over(key, asked)
        return last

    def _until_over(self, key: Key, asked: Callable[[], tuple[str, Any]]) -> None:
        waited, pause = 0.0, _FIRST_PAUSE
        while True:
            status, errors = asked()
            if status.endswith(_OVER):
                if status.endswith(("FAILED", "CANCELLED", "DELETED")):
                    raise QuickSightError(f"{key}: {status}. AWS says: {_words(errors)}")
                return
            if waited >= self.patience:
                raise QuickSightError(f"{key}: still {status} after {waited:.0f} s. Apply again to go on.")
            self.pause(pause)
            waited, pause = waited + pause, min(pause * 1.5, _LONGEST_PAUSE)

    def _permit(self, wanted: Resource) -> None:
        """Grants what is wanted, and takes from groups what is not. What people were given by hand stays."""
        name, identity = wanted.key.kind.name, requests.identity(wanted.key, self.target)
        want, have = _actions(wanted.request), self._granted(wanted.key)
        groups = self.target.group_arn("")
        more = {who: want[who] - have.get(who, set()) for who in want}
        less = {who: have[who] - want.get(who, set()) for who in have if who in want or who.startswith(groups)}
        changes = {
            field_: [{"Principal": who, "Actions": sorted(those)} for who, those in sorted(by.items()) if those]
            for field_, by in (("GrantPermissions", more), ("RevokePermissions", less))
        }
        if any(changes.values()):
            request = identity | {field_: each for field_, each in changes.items() if each}
            self._call(f"Update{name}Permissions", request, str(wanted.key))

    def _granted(self, key: Key) -> dict[str, set[str]]:
        return _actions(
            self._call(f"Describe{key.kind.name}Permissions", requests.identity(key, self.target), str(key))
        )

    def _drift(self, key: Key, wanted: Resource, answer: Json) -> tuple[str, ...]:
        if key.kind in (ANALYSIS, DASHBOARD):
            answer = self._call(f"Describe{key.kind.name}Definition", requests.identity(key, self.target), str(key))
        found = drift_of({name: value for name, value in wanted.request.items() if name in answer}, answer)
        have = self._granted(key) if key.kind.permissions else {}
        lost = [who for who, actions in _actions(wanted.request).items() if actions - have.get(who, set())]
        return (*found, *(f"Permissions: {who.rsplit('/', 1)[-1]} may not what it should" for who in lost))

    def _tags(self, key: Key) -> list[Json]:
        request = {"ResourceArn": requests.arn_of(key, self.target)}
        found: list[Json] = self._call("ListTagsForResource", request, str(key)).get("Tags", [])
        return found

    def _tag(self, key: Key, value: str) -> None:
        request = {"ResourceArn": requests.arn_of(key, self.target), "Tags": requests.tags(self.target, value)}
        self._call("TagResource", request, str(key))

    def _read(self, operation: str, key: Key, request: Json) -> Json | None:
        try:
            found: Json = getattr(self.client, xform_name(operation))(**request)
        except self.client.exceptions.ResourceNotFoundException:
            return None
        except (ClientError, BotoCoreError) as fault:
            raise QuickSightError(f"{key}: {operation}: {fault}") from None
        return found

    def _call(self, operation: str, request: Json, what: str) -> Json:
        try:
            found: Json = getattr(self.client, xform_name(operation))(**request)
        except (ClientError, BotoCoreError) as fault:
            raise QuickSightError(f"{what}: {operation}: {fault}") from None
        return found


def _actions(told: Mapping[str, Any]) -> dict[str, set[str]]:
    """What each principal may do, of a request or an answer."""
    return {each["Principal"]: set(each["Actions"]) for each in told.get("Permissions", ())}


def _words(errors: Any) -> str:
    """What AWS says of a failure: kind and message of each error."""
    listed = errors if isinstance(errors, list) else [errors] if errors else []
    return "; ".join(f"{each.get('Type', '')} {each.get('Message', '')}".strip() for each in listed) or "nothing"
