"""Of whom a request is does not depend on how many are made at once."""

from __future__ import annotations

import uuid
from typing import Any

import pyarrow as pa
import pytest

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USER_TRAITS
from event_assets.contract.tables.schema import Table
from event_assets.lake.lake import Lake
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules
from event_assets.privacy.closure import KnownPeople, LinkedUsers, Named, closure_of
from event_assets_tests.factories import row_of

PAIRS = [("d1", "u1"), ("d2", "u1"), ("d3", "u2"), ("shared", "u1"), ("shared", "u2"), ("d4", "u4"), ("d4", "u5")]
PERSONS = {"d1": "u1", "d2": "u1", "d3": "u2", "shared": "shared", "d4": "u4", "u5": "u4", "d6": "d6"}
ASKED = [
    Named(users=("u1",)),
    Named(users=("u2",), device_events="erase"),
    Named(emails=("One@mail.com",)),
    Named(devices=("shared", "d6")),
    Named(users=("u4",), linked_users="erase"),
    Named(users=("u4",), linked_users="keep"),
    Named(users=("unknown",)),
]


def put(lake: Lake, spec: Table, rows: list[dict[str, Any]], **partition: str) -> None:
    base = lake.table(spec.name).snapshot()
    made = pa.Table.from_pylist([row_of(spec, **row) for row in rows], spec.arrow_schema())
    base.table.commit(base, base.progress, [base.table.stage_arrow(made, uuid.uuid4().hex, partition)])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(Storage(str(tmp_path_factory.mktemp("lake"))))
    for part in (PAIRS[:3], PAIRS[3:]):
        rows = [{"anonymous_id": device, "user_id": user} for device, user in [*part, *part, ("d1", None)]]
        put(lake, ENRICHED_EVENTS, rows, event_date="2026-03-02")
    users = [{"id_type": "user", "id": each, "person_id": PERSONS.get(each, each)} for each in ("u1", "u2", "u4", "u5")]
    devices = [
        {"id_type": "anonymous", "id": each, "person_id": person, "is_shared": each == "shared"}
        for each, person in PERSONS.items()
        if not each.startswith("u")
    ]
    put(lake, IDENTITIES, [*users, *devices])
    put(lake, USER_TRAITS, [{"person_id": "u1", "value": '"one@mail.com"'}])
    return lake


@pytest.mark.parametrize("named", ASKED, ids=str)
def test_one_alone_and_one_of_many_are_of_the_same_ids(lake: Lake, named: Named) -> None:
    alone = closure_of(lake, ErasureRules(), named)
    assert closure_of(lake, ErasureRules(), named, KnownPeople(lake, for_many=True)) == alone
    assert alone.users or named == ASKED[3]


def test_ids_are_those_that_events_name_together_and_shared_devices_stay(lake: Lake) -> None:
    found = closure_of(lake, ErasureRules(), ASKED[0])
    assert [*map(set, (found.users, found.devices, found.shared))] == [{"u1"}, {"d1", "d2"}, {"shared"}]
    assert found.names == {"u1", "one@mail.com"}
    with pytest.raises(LinkedUsers, match="u5"):
        closure_of(lake, ErasureRules(), Named(users=("u4",)))
    empty = Lake(Storage(f"{lake.storage.path()}-empty"))
    assert closure_of(empty, ErasureRules(), ASKED[0], KnownPeople(empty, for_many=True)).users == {"u1"}
