"""Which people of a batch go whole, and which share something with others: a device, an account, or themselves as they
came back after their request. Of those no row about a thing may be taken away as it stands; it is made again without
them the ordinary way. Nothing is changed here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.events import ENRICHED_EVENTS
from event_assets.contract.tables.identity import IDENTITIES
from event_assets.lake.coded import among, coded
from event_assets.lake.files import LakeFile
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.privacy.batches import POSITION, position_keys
from event_assets.privacy.finding import People

_CARRIERS = ("anonymous_id", "user_id")
_Requests = dict[str, set[int]]


def mixed(lake: Lake, people: People, places: pa.Table) -> list[int]:
    """The places of the requests whose people share anything with others."""
    touched: _Requests = defaultdict(set)
    for ids in (people.users, people.devices):
        for id_, request in ids.items():
            touched[id_].add(request)
    found = _by_identities(lake, touched)
    table = lake.table(ENRICHED_EVENTS.name)
    if table.exists():
        snapshot = table.snapshot()
        requests = dict(zip(position_keys(places).to_pylist(), places["request"].to_pylist(), strict=True))
        mine = [rows for _, rows in _carrying(snapshot, people.ids)]
        for id_, request in _named_by_erased(mine, requests):
            touched[id_].add(request)
        others = touched.keys() - people.ids  # nothing is read once more where nobody else is named
        mine += [rows for _, rows in _carrying(snapshot, others)] if others else []
        found |= _by_events(mine, touched, requests) | _by_aliases(snapshot, touched, requests)
    return sorted(found)


def came_back(lake: Lake, people: People) -> set[int]:
    """The places of the requests of whose people there are events from after them: they are known again."""
    table = lake.table(ENRICHED_EVENTS.name)
    found: set[int] = set()
    if table.exists() and people.requests:
        snapshot, first = table.snapshot(), min(request.requested_at for request in people.requests).date()
        since = [file for file in snapshot.files if file.partition["event_date"] >= str(first)]
        for _, rows in _carrying(snapshot, people.ids, since):
            for device, user in zip(*(rows[name].to_pylist() for name in _CARRIERS), strict=True):
                request = people.users.get(user) if user is not None else people.devices.get(device)
                found |= set() if request is None else {request}
    return found


def _by_identities(lake: Lake, touched: _Requests) -> set[int]:
    """Those of whose person identities know further ids."""
    others = strangers(lake, touched)
    return {request for id_ in others for request in touched[id_]}


def strangers(lake: Lake, ids: _Requests | set[str]) -> set[str]:
    """Those of the ids by whose person, or as whose person, identities know ids that are not among them."""
    table = lake.table(IDENTITIES.name)
    if not table.exists():
        return set()
    rows = table.snapshot().arrow(columns=("id", "person_id"))
    wanted = pa.array(sorted(ids), pa.string())
    mine = pc.is_in(rows["id"], value_set=wanted)
    persons = {*rows.filter(mine)["person_id"].to_pylist(), *ids}
    of_persons = pc.is_in(rows["person_id"], value_set=pa.array(sorted(persons), pa.string()))
    torn = set(rows.filter(pc.and_(of_persons, pc.invert(mine)))["person_id"].to_pylist())
    named = {row["id"] for row in rows.filter(mine).to_pylist() if row["person_id"] in torn}
    return {*named, *(torn & set(ids))}


def _named_by_erased(carrying: Sequence[pa.Table], requests: dict[str, int]) -> Iterator[tuple[str, int]]:
    """The ids on events that go, each with the request that the event is of."""
    for rows in carrying:
        keys = position_keys(rows).to_pylist()
        for key, *ids in zip(keys, *(rows[name].to_pylist() for name in _CARRIERS), strict=True):
            if key in requests:
                yield from ((id_, requests[key]) for id_ in ids if id_ is not None)


def _by_events(carrying: Sequence[pa.Table], touched: _Requests, erased: dict[str, int]) -> set[int]:
    """Those of whose ids an event that stays names one."""
    found: set[int] = set()
    for rows in carrying:
        keys = position_keys(rows).to_pylist()
        for key, *ids in zip(keys, *(rows[name].to_pylist() for name in _CARRIERS), strict=True):
            if key not in erased:
                found |= {request for id_ in ids if id_ in touched for request in touched[id_]}
    return found


def _by_aliases(snapshot: Snapshot, touched: _Requests, erased: dict[str, int]) -> set[int]:
    """Those of whom an `alias` that stays says that one of the ids was somebody's before."""
    found: set[int] = set()
    for file in snapshot.files:
        events = snapshot.arrow([file], ("event",))["event"]
        if pc.any(pc.equal(events, "alias")).as_py():
            rows = snapshot.arrow([file], ("event", "properties", *POSITION))
            rows = rows.filter(pc.equal(rows["event"], "alias"))
            for key, text in zip(position_keys(rows).to_pylist(), rows["properties"].to_pylist(), strict=True):
                previous = msgspec.json.decode(text or "{}").get("previous_id")
                if key not in erased and isinstance(previous, str) and previous in touched:
                    found |= touched[previous]
    return found


def _carrying(
    snapshot: Snapshot, ids: set[str], files: Sequence[LakeFile] | None = None
) -> Iterator[tuple[LakeFile, pa.Table]]:
    """Of each of these files (all by default) the rows that carry one of these ids: the ids, and the event's place."""
    wanted = pa.array(sorted(ids), pa.string())
    for file in snapshot.files if files is None else files:
        narrow = coded(snapshot, file, _CARRIERS)
        mask = pc.or_(*(among(narrow[name], wanted) for name in _CARRIERS))
        if pc.any(mask).as_py():
            yield file, snapshot.arrow([file], (*_CARRIERS, *POSITION)).filter(mask)
