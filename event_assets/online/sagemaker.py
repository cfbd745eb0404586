"""The online table in Amazon SageMaker Feature Store: a record an id, in a feature group with an online store.

Every record has the number of the publication that wrote it, what it says, and what it said before; one more, the head,
says which publication holds. So readers see the table as of one publication, as in dynamodb.py. All records are written
each time, since what an older publication wrote is there no more; then those of ids that are gone are deleted. Event
times are those numbers, so that no clock decides which record is the latest.

It keeps to botocore's models of the service, by which the tests check each request. It never ran on AWS.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from event_assets.online.sqlite import SqliteTable
from event_assets.online.table import Fact, Facts, Found, Ids, OnlineError

_HEAD = "\x02head"
_READ, _WRITTEN = 100, 25
"""The most records of a request."""
_HEAD_SECONDS, _ATTEMPTS, _BEGAN = 1.0, 8, 1_000_000_000
_FEATURES = ("id", "at", "number", "facts", "before")
_TYPES = {"at": "Fractional", "number": "Integral"}
_WANTED = """
CREATE TABLE wanted AS
SELECT id, json_group_object(segment, since) AS facts
FROM (SELECT id, person_id, max(id_type) FROM ids GROUP BY id) JOIN members USING (person_id) GROUP BY id;
CREATE UNIQUE INDEX wanted_id ON wanted (id);
"""
_CONFIG = Config(
    connect_timeout=2, read_timeout=2, max_pool_connections=32, retries={"total_max_attempts": 3, "mode": "standard"}
)
Record = dict[str, str]


class SageMakerTable:
    """A feature group of that name; it is made by the first that is published."""

    waits = True

    def __init__(self, group: str, region: str, pause: Callable[[float], object] = time.sleep) -> None:
        self._group, self._region, self._pause = group, region, pause
        self._making = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._head: tuple[float, Record | None] = (0.0, None)

    def version(self) -> str:
        try:
            return str(json.loads(self._head_now()["facts"])["version"])
        except OnlineError:
            return ""

    def replace(self, facts: Facts, ids: Ids, version: str, made_at: dt.datetime) -> int:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "wanted.sqlite"
            joined = SqliteTable(path)
            joined.replace(facts, ids, version, made_at)
            joined.close()
            with closing(sqlite3.connect(path, isolation_level=None)) as wanted:
                wanted.executescript(_WANTED)
                [[count]] = wanted.execute("SELECT count(*) FROM ids").fetchall()
                self._require_group()
                number = self._number() + 1
                # No text of theirs has a line break, and no id of an event has one.
                for rows in _batches(wanted.execute("SELECT id, facts FROM wanted WHERE instr(id, char(10)) = 0")):
                    before = self._records([id_ for id_, _ in rows])
                    self._put([_record(id_, number, said, _said(before.get(id_), number - 1)) for id_, said in rows])
                head = {"version": version, "at": made_at.isoformat()}
                self._put([_record(_HEAD, number, json.dumps(head), {})])
                self._head = (0.0, None)
                self._delete_others(wanted, number)
        return int(count)

    def find(self, ids: Sequence[str]) -> Found:
        for _ in range(_ATTEMPTS):
            head = self._head_lately()
            number, records = int(head["number"]), self._records(list(dict.fromkeys(ids)))
            if all(int(each["number"]) <= number + 1 for each in records.values()):
                found = {id_: _facts(records.get(id_), number) for id_ in ids}
                return Found(found, dt.datetime.fromisoformat(json.loads(head["facts"])["at"]))
            self._head = (0.0, None)  # it was published anew twice meanwhile
        raise OnlineError(f"the feature group {self._group} changes faster than it can be read")

    def close(self) -> None:
        self._head = (0.0, None)

    def _ask(self, service: str, operation: str, **request: Any) -> Any:
        with self._making:
            if service not in self._clients:
                session = boto3.session.Session()
                self._clients[service] = session.client(service, region_name=self._region, config=_CONFIG)
        try:
            return getattr(self._clients[service], operation)(**request)
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise OnlineError(f"the feature group {self._group} cannot be used: {operation}: {code}") from error

    def _runtime(self, operation: str, **request: Any) -> Any:
        return self._ask("sagemaker-featurestore-runtime", operation, **request)

    def _require_group(self) -> None:
        """Makes the group, and waits until it takes records."""
        for attempt in range(_ATTEMPTS):
            try:
                answer = self._ask("sagemaker", "describe_feature_group", FeatureGroupName=self._group)
            except OnlineError as error:
                if not str(error).endswith("ResourceNotFound"):
                    raise
                self._create()
                continue
            if answer["FeatureGroupStatus"] == "Created":
                return
            self._pause(2.0**attempt)
        raise OnlineError(f"the feature group {self._group} is not made yet")

    def _create(self) -> None:
        self._ask(
            "sagemaker",
            "create_feature_group",
            FeatureGroupName=self._group,
            RecordIdentifierFeatureName="id",
            EventTimeFeatureName="at",
            FeatureDefinitions=[{"FeatureName": name, "FeatureType": _TYPES.get(name, "String")} for name in _FEATURES],
            OnlineStoreConfig={"EnableOnlineStore": True},
        )

    def _number(self) -> int:
        """The number of the publication that holds; 0 where there is none."""
        found = self._records([_HEAD])
        return int(found[_HEAD]["number"]) if found else 0

    def _head_now(self) -> Record:
        found = self._records([_HEAD])
        if not found:
            raise OnlineError(f"nothing was published to the feature group {self._group} yet")
        return found[_HEAD]

    def _head_lately(self) -> Record:
        at, head = self._head
        if head is None or time.monotonic() - at > _HEAD_SECONDS:
            at, head = time.monotonic(), self._head_now()
            self._head = at, head
        return head

    def _records(self, ids: Sequence[str]) -> dict[str, Record]:
        found: dict[str, Record] = {}
        asked_for = [id_ for id_ in ids if id_ and "\n" not in id_]
        for first in range(0, len(asked_for), _READ):
            asked: Any = [
                {"FeatureGroupName": self._group, "RecordIdentifiersValueAsString": asked_for[first : first + _READ]}
            ]
            for attempt in range(_ATTEMPTS):
                answer = self._runtime("batch_get_record", Identifiers=asked)
                if answer["Errors"]:
                    code = answer["Errors"][0]["ErrorCode"]
                    raise OnlineError(f"the feature group {self._group} cannot be read: {code}")
                for each in answer["Records"]:
                    found[each["RecordIdentifierValueAsString"]] = _read(each["Record"])
                asked = answer["UnprocessedIdentifiers"]
                if not asked:
                    break
                self._pause(0.01 * 2**attempt)
            if asked:
                raise OnlineError(f"the feature group {self._group} takes no more requests just now")
        return found

    def _put(self, records: Sequence[Record]) -> None:
        for first in range(0, len(records), _WRITTEN):
            left: Any = [
                {
                    "FeatureGroupName": self._group,
                    "Record": [{"FeatureName": name, "ValueAsString": value} for name, value in each.items()],
                }
                for each in records[first : first + _WRITTEN]
            ]
            for attempt in range(_ATTEMPTS):
                answer = self._runtime("batch_write_record", Entries=left)
                left = [*answer["UnprocessedEntries"], *(each["Entry"] for each in answer["Errors"])]
                if not left:
                    break
                self._pause(0.05 * 2**attempt)
            if left:
                raise OnlineError(f"the feature group {self._group} takes no more records just now")

    def _delete_others(self, wanted: sqlite3.Connection, number: int) -> None:
        """Deletes the records of ids that are no more, for good: somebody may have been erased."""
        gone: list[str] = []
        more: dict[str, str] = {}
        while True:
            answer = self._runtime("list_records", FeatureGroupName=self._group, MaxResults=_READ, **more)
            for id_ in answer["RecordIdentifiers"]:
                if id_ != _HEAD and not wanted.execute("SELECT 1 FROM wanted WHERE id = ?", (id_,)).fetchone():
                    gone.append(id_)
            if not answer.get("NextToken"):
                break
            more = {"NextToken": answer["NextToken"]}
        if gone:  # nobody looks at them any more, once the head is known to all
            self._pause(2 * _HEAD_SECONDS)
        for id_ in gone:
            self._runtime(
                "delete_record",
                FeatureGroupName=self._group,
                RecordIdentifierValueAsString=id_,
                EventTime=f"{_BEGAN + number}.5",
                DeletionMode="HardDelete",
            )


def _batches(rows: Iterator[tuple[str, str]] | sqlite3.Cursor) -> Iterator[list[tuple[str, str]]]:
    some: list[tuple[str, str]] = []
    for row in rows:
        some.append(row)
        if len(some) == _READ:
            yield some
            some = []
    if some:
        yield some


def _record(id_: str, number: int, facts: str, before: Mapping[str, str]) -> Record:
    said = json.dumps(before, ensure_ascii=False)
    return {"id": id_, "at": f"{_BEGAN + number}.0", "number": str(number), "facts": facts, "before": said}


def _read(record: Sequence[Mapping[str, str]]) -> Record:
    return {each["FeatureName"]: each["ValueAsString"] for each in record}


def _said(record: Record | None, number: int) -> dict[str, str]:
    """What a record says by the publication of that number; nothing where an older one wrote it."""
    if record is None or int(record["number"]) < number:
        return {}
    found: dict[str, str] = json.loads(record["facts" if int(record["number"]) == number else "before"])
    return found


def _facts(record: Record | None, number: int) -> list[Fact]:
    return [Fact(name, value) for name, value in sorted(_said(record, number).items())]
