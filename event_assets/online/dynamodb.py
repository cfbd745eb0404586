"""The online table in Amazon DynamoDB: an item an id, of which only those are written that say something else now.

Every item has the number of the publication that wrote it, what it says, and what it said before. One more item, the
head, says which publication holds. So readers see the table as of one publication, while the next one is written and
when it is broken off: of an item that is newer than the head they take what it said before. Publications take turns by
a lease on the head.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from event_assets.online.sqlite import SqliteTable
from event_assets.online.table import Fact, Facts, Found, Ids, OnlineError

_HEAD = {"pk": {"S": "head"}}
_READ, _WRITTEN = 100, 25
"""The most items of a request."""
_LEASE_SECONDS, _HEAD_SECONDS = 900, 1.0
_ATTEMPTS = 8
_WANTED = """
CREATE TABLE wanted AS
SELECT id, json_group_object(segment, since) AS stays
FROM (SELECT id, person_id, max(id_type) FROM ids GROUP BY id) JOIN members USING (person_id) GROUP BY id;
CREATE UNIQUE INDEX wanted_id ON wanted (id);
"""
_CONFIG = Config(
    connect_timeout=2, read_timeout=2, max_pool_connections=32, retries={"total_max_attempts": 3, "mode": "standard"}
)
Item = dict[str, Any]


class DynamoTable:
    """A table of DynamoDB with the key `pk`; it is made by the first that is published, paid by request."""

    waits = True

    def __init__(self, name: str, region: str, pause: Callable[[float], object] = time.sleep) -> None:
        self._name, self._region, self._pause = name, region, pause
        self._making, self._made_client = threading.Lock(), None
        self._head: tuple[float, Item | None] = (0.0, None)

    def version(self) -> str:
        try:
            return str(self._head_now()["version"]["S"])
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
                self._require_table()
                number = self._lease() + 1
                try:
                    gone = self._write(wanted, number)
                except BaseException:
                    self._give_back(number)
                    raise
                self._publish(number, version, made_at)
        if gone:  # nobody looks at them any more, once the head is known to all
            self._pause(2 * _HEAD_SECONDS)
            self._send({"DeleteRequest": {"Key": {"pk": {"S": pk}}}} for pk in gone)
        return int(count)

    def find(self, ids: Sequence[str]) -> Found:
        for _ in range(_ATTEMPTS):
            head = self._head_lately()
            number, items = int(head["number"]["N"]), self._items(dict.fromkeys(ids))
            if all(int(item["number"]["N"]) <= number + 1 for item in items.values()):
                found = {id_: _facts(items.get(id_), number) for id_ in ids}
                return Found(found, dt.datetime.fromisoformat(head["at"]["S"]))
            self._head = (0.0, None)  # it was published anew twice meanwhile
        raise OnlineError(f"the table {self._name} changes faster than it can be read")

    def close(self) -> None:
        self._head = (0.0, None)

    @property
    def _client(self) -> Any:
        with self._making:
            if self._made_client is None:
                self._made_client = boto3.session.Session().client("dynamodb", region_name=self._region, config=_CONFIG)
            return self._made_client

    def _ask(self, operation: str, **request: Any) -> Any:
        try:
            return getattr(self._client, operation)(**request)
        except (BotoCoreError, ClientError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise OnlineError(f"the table {self._name} of DynamoDB cannot be used: {operation}: {code}") from error

    def _head_now(self) -> Item:
        found = self._ask("get_item", TableName=self._name, Key=_HEAD, ConsistentRead=True).get("Item")
        if found is None or "version" not in found:
            raise OnlineError(f"nothing was published to the table {self._name} yet")
        return dict(found)

    def _head_lately(self) -> Item:
        """The head, which is looked at once a second: what is read by it is whole, and that much older."""
        at, head = self._head
        if head is None or time.monotonic() - at > _HEAD_SECONDS:
            at, head = time.monotonic(), self._head_now()
            self._head = at, head
        return head

    def _items(self, ids: Iterable[str]) -> dict[str, Item]:
        keys, found = [{"pk": {"S": _key(id_)}} for id_ in ids], {}
        for first in range(0, len(keys), _READ):
            asked: Mapping[str, Any] = {self._name: {"Keys": keys[first : first + _READ], "ConsistentRead": True}}
            for attempt in range(_ATTEMPTS):
                answer = self._ask("batch_get_item", RequestItems=asked)
                found.update({item["pk"]["S"][2:]: item for item in answer["Responses"].get(self._name, [])})
                asked = answer.get("UnprocessedKeys") or {}
                if not asked:
                    break
                self._pause(0.01 * 2**attempt)
            if asked:
                raise OnlineError(f"the table {self._name} of DynamoDB takes no more requests just now")
        return found

    def _require_table(self) -> None:
        try:
            self._client.describe_table(TableName=self._name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise OnlineError(f"the table {self._name} of DynamoDB cannot be used: {error}") from error
            self._ask(
                "create_table",
                TableName=self._name,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                SSESpecification={"Enabled": True},
            )
            self._client.get_waiter("table_exists").wait(TableName=self._name)

    def _lease(self) -> int:
        """Takes the turn; gives the number of the publication that holds."""
        now = int(time.time())
        answer = self._ask(
            "update_item",
            TableName=self._name,
            Key=_HEAD,
            UpdateExpression="SET lease = :until ADD #number :zero",
            ConditionExpression="attribute_not_exists(lease) OR lease < :now",
            ExpressionAttributeNames={"#number": "number"},
            ExpressionAttributeValues={
                ":until": {"N": str(now + _LEASE_SECONDS)}, ":now": {"N": str(now)}, ":zero": {"N": "0"},
            },
            ReturnValues="ALL_NEW",
        )  # fmt: skip
        return int(answer["Attributes"]["number"]["N"])

    def _give_back(self, number: int) -> None:
        self._turn("REMOVE lease", number, {})

    def _publish(self, number: int, version: str, made_at: dt.datetime) -> None:
        said = {":number": {"N": str(number)}, ":version": {"S": version}, ":at": {"S": made_at.isoformat()}}
        self._turn("SET #number = :number, version = :version, #at = :at REMOVE lease", number, said)

    def _turn(self, update: str, number: int, said: Item) -> None:
        names = {"#number": "number", "#at": "at"}
        self._ask(
            "update_item",
            TableName=self._name,
            Key=_HEAD,
            UpdateExpression=update,
            ConditionExpression="#number = :before",
            ExpressionAttributeNames={name: word for name, word in names.items() if name in f"{update} #number"},
            ExpressionAttributeValues={**said, ":before": {"N": str(number - 1)}},
        )
        self._head = (0.0, None)

    def _write(self, wanted: sqlite3.Connection, number: int) -> list[str]:
        """Writes what is other than wanted, and gives the keys of the ids that are no more."""
        gone: list[str] = []
        self._send(self._changed(wanted, number, gone))
        rows = wanted.execute("SELECT id, stays FROM wanted")
        self._send(_put(_key(id_), number, json.loads(stays), {}) for id_, stays in rows)
        return gone

    def _changed(self, wanted: sqlite3.Connection, number: int, gone: list[str]) -> Iterator[Item]:
        """Of what is there what must be written; it is not wanted any more then."""
        for item in self._all():
            pk, before = item["pk"]["S"], _said(item, number - 1)
            row = wanted.execute("DELETE FROM wanted WHERE id = ? RETURNING stays", (pk[2:],)).fetchone()
            stays = json.loads(row[0]) if row else {}
            if not stays:
                gone.append(pk)
            if stays != json.loads(item["stays"]["S"]):
                yield _put(pk, number, stays, before)

    def _all(self) -> Iterator[Item]:
        asked: Item = {"TableName": self._name, "ConsistentRead": True}
        while True:
            answer = self._ask("scan", **asked)
            yield from (item for item in answer["Items"] if item["pk"] != _HEAD["pk"])
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _send(self, requests: Iterable[Item]) -> None:
        waiting: list[Item] = []
        for request in requests:
            waiting.append(request)
            if len(waiting) == _WRITTEN:
                self._send_some(waiting)
                waiting = []
        if waiting:
            self._send_some(waiting)

    def _send_some(self, requests: list[Item]) -> None:
        left: Mapping[str, Any] = {self._name: requests}
        for attempt in range(_ATTEMPTS):
            left = self._ask("batch_write_item", RequestItems=left).get("UnprocessedItems") or {}
            if not left:
                return
            self._pause(0.05 * 2**attempt)
        raise OnlineError(f"the table {self._name} of DynamoDB takes no more writes just now")


def _key(id_: str) -> str:
    return f"i/{id_}"


def _put(pk: str, number: int, stays: Mapping[str, str], before: Mapping[str, str]) -> Item:
    said = {
        name: {"S": json.dumps(value, ensure_ascii=False)} for name, value in (("stays", stays), ("before", before))
    }
    return {"PutRequest": {"Item": {"pk": {"S": pk}, "number": {"N": str(number)}, **said}}}


def _said(item: Item, number: int) -> dict[str, str]:
    """What an item says by the publication of that number."""
    name = "stays" if int(item["number"]["N"]) <= number else "before"
    found: dict[str, str] = json.loads(item[name]["S"])
    return found


def _facts(item: Item | None, number: int) -> list[Fact]:
    said = {} if item is None else _said(item, number)
    return [Fact(name, value) for name, value in sorted(said.items())]
