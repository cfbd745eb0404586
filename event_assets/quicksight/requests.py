"""The requests by which a resource is made, changed, read and deleted. AWS's own model says what each takes."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel

from event_assets.quicksight.kinds import DATA_SET, GROUP, SCHEDULE, Json, Key, Resource
from event_assets.quicksight.target import Target

OWNER_TAG, HASH_TAG = "event-assets:owner", "event-assets:hash"
PENDING = "pending"
"""The hash of what is being made or changed: only what AWS has taken gets its own."""


@lru_cache(maxsize=1)
def service_model() -> ServiceModel:
    """AWS's model of the service, as botocore has it."""
    return botocore.session.Session().get_service_model("quicksight")


def operation(name: str) -> OperationModel:
    """The model of an operation."""
    return service_model().operation_model(name)


def hash_of(resource: Resource) -> str:
    """What tells a resource from another version of it."""
    text = json.dumps(resource.request, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def tags(target: Target, value: str) -> list[Json]:
    """The tags of what is ours."""
    return [{"Key": OWNER_TAG, "Value": target.owner}, {"Key": HASH_TAG, "Value": value}]


def identity(key: Key, target: Target) -> Json:
    """The fields of every request that say which resource is meant."""
    made: Json = {"AwsAccountId": target.account, key.kind.id_field: key.id}
    return made | ({"Namespace": target.namespace} if key.kind is GROUP else {})


def create_request(resource: Resource, target: Target) -> Json:
    """What `Create…` is given."""
    request = identity(resource.key, target) | dict(resource.request)
    return request | ({"Tags": tags(target, PENDING)} if resource.key.kind.arn else {})


def update_request(resource: Resource, target: Target) -> Json:
    """What `Update…` is given: what it takes of the same."""
    taken = operation(f"Update{resource.key.kind.name}").input_shape.members
    return identity(resource.key, target) | {k: v for k, v in resource.request.items() if k in taken}


def read_request(key: Key, target: Target) -> Json:
    """What `Describe…` and `Delete…` are given."""
    return identity(key, target) | ({"ScheduleId": target.owner} if key.kind is SCHEDULE else {})


def arn_of(key: Key, target: Target) -> str:
    """The resource as AWS writes it."""
    return target.arn(key.kind.arn, key.id)


def all_requests(resources: tuple[Resource, ...], target: Target) -> list[tuple[str, Json]]:
    """By operation what making and changing all of them takes."""
    made: list[tuple[str, Json]] = []
    for each in resources:
        made.append((f"Create{each.key.kind.name}", create_request(each, target)))
        made.append((f"Update{each.key.kind.name}", update_request(each, target)))
    return made


def columns_of(resources: tuple[Resource, ...], target: Target) -> dict[str, dict[str, str]]:
    """The columns of each data set with their types, by its ARN."""
    found: dict[str, dict[str, str]] = {}
    for each in resources:
        if each.key.kind is DATA_SET:
            tables: dict[str, Any] = each.request["PhysicalTableMap"]
            found[arn_of(each.key, target)] = {
                column["Name"]: column["Type"] for table in tables.values() for column in table["CustomSql"]["Columns"]
            }
    return found
