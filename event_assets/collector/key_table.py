"""The file of keys in a table of Amazon DynamoDB, an item a key: of any number, and two who change other keys than one
another do not meet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from event_assets.collector.key_store import ATTEMPTS, AwsClient, KeyStoreError, fault_of


class KeyTable:
    """The table `name`, whose partition key is the text `id`. AWS_ENDPOINT_URL_DYNAMODB names an emulator."""

    def __init__(self, name: str, region: str) -> None:
        self._name, self._client = name, AwsClient("dynamodb", region)

    def read(self) -> bytes:
        """The keys that the table holds, as a file."""
        return _file_of(self._items(is_latest=False))

    def change(self, change: Callable[[bytes], bytes]) -> bytes:
        """Puts the keys that this adds or changes, if they still are what that was made of; else it is done again. None
        is taken out: keys are revoked."""
        for _ in range(ATTEMPTS):
            before = self._items(is_latest=True)
            data = change(_file_of(before))
            after = {key["id"]: key for key in json.loads(data)["keys"]}
            if all(self._put(key, before.get(key_id)) for key_id, key in after.items()):
                return data
        raise KeyStoreError(f"The table {self._name} of write keys is changed by others all the time: try again.")

    def _put(self, key: dict[str, Any], before: str | None) -> bool:
        """Whether the key is in the table now: False where it is not there as it was any more."""
        if before is not None and json.loads(before) == key:
            return True
        item = {"id": {"S": key["id"]}, "source": {"S": json.dumps(key)}}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(id)"}
        if before is not None:
            condition = {
                "ConditionExpression": "#source = :before",
                "ExpressionAttributeNames": {"#source": "source"},
                "ExpressionAttributeValues": {":before": {"S": before}},
            }
        try:
            self._client().put_item(TableName=self._name, Item=item, **condition)
        except Exception as error:
            if fault_of(error) == "ConditionalCheckFailedException":
                return False
            raise KeyStoreError(
                f"The table {self._name} of write keys cannot be written ({error}): whoever makes keys has to be "
                "allowed dynamodb:PutItem on it, and its KMS key through DynamoDB."
            ) from error
        return True

    def _items(self, *, is_latest: bool) -> dict[str, str]:
        """Each key's text by its id. `is_latest` costs twice as much: what others have written just now is in it."""
        found: dict[str, str] = {}
        page: dict[str, Any] = {}
        try:
            while True:
                answer = self._client().scan(TableName=self._name, ConsistentRead=is_latest, **page)
                found |= {item["id"]["S"]: item["source"]["S"] for item in answer["Items"]}
                if "LastEvaluatedKey" not in answer:
                    return found
                page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        except Exception as error:
            raise KeyStoreError(
                f"The table {self._name} of write keys cannot be read ({error}): see that it is there with the key "
                "`id`, and that this role may call dynamodb:Scan on it and kms:Decrypt on its key."
            ) from error


def _file_of(items: dict[str, str]) -> bytes:
    """Keys as a file, in the order in which they were made."""
    keys = [json.loads(text) for text in items.values()]
    return json.dumps({"keys": sorted(keys, key=lambda key: (key["created_at"], key["id"]))}).encode()
