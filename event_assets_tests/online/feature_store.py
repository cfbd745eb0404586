"""SageMaker Feature Store as far as an online table needs it: what is asked is checked and read by botocore's models,
and answered from memory instead of by AWS."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse

Answer = tuple[int, dict[str, Any]]
_REAL_CLIENT = boto3.session.Session.client


class FeatureStore:
    """Feature groups, each with its records: the latest of each id by event time."""

    def __init__(self) -> None:
        self.groups: dict[str, dict[str, dict[str, str]]] = {}
        self.deleted: dict[tuple[str, str], float] = {}
        self._turn = threading.Lock()

    def answer(self, request: AWSRequest, **_: object) -> AWSResponse:
        """The answer to a request, as it would come over the network."""
        place, body = urlsplit(request.url), json.loads(request.body or b"{}")
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        with self._turn:
            target = request.headers.get("X-Amz-Target")
            name = (target.decode() if isinstance(target, bytes) else target or "").rpartition(".")[2]
            status, said = self._of_group(name, body) if name else self._of_records(request, place.path, asked, body)
        return AWSResponse(request.url, status, {"content-type": "application/json"}, _Raw(json.dumps(said).encode()))

    def _of_group(self, name: str, body: dict[str, Any]) -> Answer:
        group = body["FeatureGroupName"]
        if name == "CreateFeatureGroup":
            self.groups[group] = {}
            return 200, {"FeatureGroupArn": f"arn:aws:sagemaker:us-east-1:123456789012:feature-group/{group}"}
        if group not in self.groups:
            return 400, {"__type": "ResourceNotFound", "message": "no such group"}
        return 200, {"FeatureGroupName": group, "FeatureGroupStatus": "Created"}

    def _of_records(self, request: AWSRequest, path: str, asked: dict[str, str], body: dict[str, Any]) -> Answer:
        if path == "/BatchGetRecord":
            return self._get(body)
        if path == "/BatchWriteRecord":
            for entry in body["Entries"]:
                self._put(
                    entry["FeatureGroupName"], {each["FeatureName"]: each["ValueAsString"] for each in entry["Record"]}
                )
            return 200, {"Errors": [], "UnprocessedEntries": []}
        group = unquote(path.split("/")[2])
        if path.endswith("/ListRecords"):
            first = int(body.get("NextToken", "0"))
            ids = sorted(self.groups[group])
            more = {"NextToken": str(first + 7)} if first + 7 < len(ids) else {}
            return 200, {"RecordIdentifiers": ids[first : first + 7], **more}
        assert request.method == "DELETE", path
        id_, at = asked["RecordIdentifierValueAsString"], float(asked["EventTime"])
        if float(self.groups[group][id_]["at"]) < at:
            del self.groups[group][id_]
            self.deleted[group, id_] = at
        return 200, {}

    def _get(self, body: dict[str, Any]) -> Answer:
        records = []
        for wanted in body["Identifiers"]:
            group = wanted["FeatureGroupName"]
            if group not in self.groups:
                return 404, {"Message": "no such group", "__type": "ResourceNotFound"}
            assert len(wanted["RecordIdentifiersValueAsString"]) <= 100
            for id_ in wanted["RecordIdentifiersValueAsString"]:
                if record := self.groups[group].get(id_):
                    values = [{"FeatureName": name, "ValueAsString": value} for name, value in record.items()]
                    records.append({"FeatureGroupName": group, "RecordIdentifierValueAsString": id_, "Record": values})
        return 200, {"Records": records, "Errors": [], "UnprocessedIdentifiers": []}

    def _put(self, group: str, record: dict[str, str]) -> None:
        held = self.groups[group].get(record["id"], {}).get("at", "0")
        if float(record["at"]) >= max(float(held), self.deleted.get((group, record["id"]), 0.0)):
            self.groups[group][record["id"]] = record


class _Raw:
    """A body that was read already."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body


@contextmanager
def feature_store(patch: pytest.MonkeyPatch) -> Iterator[FeatureStore]:
    """A store that every client of boto3 is answered by."""
    store = FeatureStore()

    def client(session: boto3.session.Session, *given: Any, **more: Any) -> Any:
        made: Any = _REAL_CLIENT(session, *given, **more)
        answer: Callable[..., AWSResponse] = store.answer
        made.meta.events.register("before-send.*", answer)
        return made

    patch.setattr(boto3.session.Session, "client", client)
    yield store
