"""Tells receivers who entered and who left a segment: what they know is held against who is in it now.

What is about to be told, and what each receiver took, is remembered in the table `segment_webhooks`: by a commit before
the deliveries of a segment, and one after each. So what was not taken is told again, whatever was killed or restarted
in between, and what may have been taken unnoticed is told again or, where it is no more so, taken back; nothing has to
be kept waiting. What comes twice has the ids of the first time.

Who refused to be known to others is in no segment for a receiver: one that knew them is told that they left, and no
more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS, SEGMENT_WEBHOOKS
from event_assets.lake.lake import Lake
from event_assets.lake.snapshot import Snapshot
from event_assets.lake.table import retry_on_conflict
from event_assets.pipeline.refusals import digest_of, kept_from_others, without
from event_assets.rules.segment_files import Segments
from event_assets.webhooks import Networks, NotTaken, headers_of, post, tried

NAME = SEGMENT_WEBHOOKS.name
CODE = "2"
"""Version of what is told; raise it when receivers are told otherwise."""
_MOST_CHANGES, _MOST_FILES = 200, 50
_ID_CHARACTERS = 32
_NOTHING = (0, False, True)
Told = Mapping[str, tuple[int, bool, bool]]
"""By person how many changes a receiver was told, and of the last one whether they are in, and whether it was taken."""


@dataclass(frozen=True)
class Receiver:
    """Who is told, where, and by which secret it knows us."""

    name: str
    url: str
    secret: str
    reachable: Networks = ()


class Change(NamedTuple):
    """Somebody entered a segment, or left it: which change of theirs it is for the receiver, and since when they are
    in."""

    person_id: str
    is_in: bool
    number: int
    since: dt.date | None


@dataclass(frozen=True)
class Done:
    """What was told: deliveries that were taken, changes in them, and by receiver why the others were not."""

    deliveries: int
    changes: int
    faults: Mapping[str, str]


def tell(
    lake: Lake,
    segments: Segments,
    receivers: Sequence[Receiver],
    clock: Callable[[], dt.datetime],
    pause: Callable[[float], object],
) -> Done:
    """Tells each receiver what it does not know yet of the segments whose files name it. One that does not take it
    holds up no other; what it is told waits for the next time."""
    if is_up_to_date(lake, segments, receivers):
        return Done(0, 0, {})
    members, kept = lake.table(SEGMENT_MEMBERSHIPS.name).snapshot(), kept_from_others(lake)
    deliveries = changes = 0
    faults = _unknown(segments, receivers)
    for receiver in receivers:
        try:
            for segment in _of(segments, receiver):
                now = _members(members, segment, kept)
                for told in _deliver(lake, now, receiver, segment, clock, pause):
                    deliveries, changes = deliveries + 1, changes + told
        except NotTaken as fault:
            faults[receiver.name] = f"The webhook {receiver.name} does not take what it is told: {fault}"
    if not faults:
        retry_on_conflict(lambda: _settle(lake, _version(members, kept, segments, receivers)))
    return Done(deliveries, changes, faults)


def is_up_to_date(lake: Lake, segments: Segments, receivers: Sequence[Receiver]) -> bool:
    """Whether all receivers know who is in which segment; so it is where there is nobody to tell, or nothing yet."""
    if not receivers or not any(segment.webhooks for segment in segments.usable):
        return True
    if not lake.table(SEGMENT_MEMBERSHIPS.name).exists():
        return True
    members, table = lake.table(SEGMENT_MEMBERSHIPS.name).snapshot(), lake.table(NAME)
    if not members.progress.upstreams:  # it was lost, and is not made again yet
        return True
    if not table.exists():
        return False
    return table.snapshot().progress.code == _version(members, kept_from_others(lake), segments, receivers)


def _version(members: Snapshot, kept: frozenset[str], segments: Segments, receivers: Sequence[Receiver]) -> str:
    wanted = {each.name: each.webhooks for each in segments.usable if each.webhooks}
    asked = json.dumps([wanted, sorted(each.name for each in receivers), digest_of(kept)])
    return f"{CODE}-{members.id}-{members.version}-{hashlib.sha256(asked.encode()).hexdigest()[:12]}"


def _of(segments: Segments, receiver: Receiver) -> list[str]:
    return [segment.name for segment in segments.usable if receiver.name in segment.webhooks]


def _unknown(segments: Segments, receivers: Sequence[Receiver]) -> dict[str, str]:
    """Receivers that a file names, and no setting."""
    known = {receiver.name for receiver in receivers}
    return {
        name: f"The segment {segment.name} names the webhook {name}, which EVENT_ASSETS_SEGMENT_WEBHOOKS does not have."
        for segment in segments.usable
        for name in segment.webhooks
        if name not in known
    }


def _deliver(
    lake: Lake,
    members: Mapping[str, dt.date],
    receiver: Receiver,
    segment: str,
    clock: Callable[[], dt.datetime],
    pause: Callable[[float], object],
) -> Iterator[int]:
    """Tells a receiver all changes of a segment. Gives of each delivery that it took how many changes it had."""
    memory, known = lake.table(NAME).snapshot().id, told(lake, receiver.name, segment)
    waiting = list(changes_of(members, known))
    fresh = [each for each in waiting if each.number > known.get(each.person_id, _NOTHING)[0]]
    if fresh:
        _remember(lake, receiver.name, segment, fresh, clock(), is_taken=False)
    for first in range(0, len(waiting), _MOST_CHANGES):
        changes = waiting[first : first + _MOST_CHANGES]
        ids = _ids_of(lake, [change.person_id for change in changes])
        numbered = [(_change_id(memory, receiver.name, segment, change), change) for change in changes]
        id_ = "msg_" + _short("\0".join(id_ for id_, _ in numbered))
        body = _body(segment, numbered, ids, clock())

        def send(id_: str = id_, body: bytes = body) -> None:
            headers = headers_of(receiver.secret, id_, round(clock().timestamp()), body)
            post(receiver.url, body, headers, receiver.reachable)

        tried(send, pause)
        _remember(lake, receiver.name, segment, changes, clock(), is_taken=True)
        yield len(changes)


def changes_of(members: Mapping[str, dt.date], known: Told) -> Iterator[Change]:
    """What a receiver does not know yet, by person: who is in since when, held against what it was told."""
    for person in sorted(members.keys() | known.keys()):
        number, was_in, is_taken = known.get(person, _NOTHING)
        is_in = person in members
        if is_in != was_in:
            yield Change(person, is_in, number + 1, members.get(person))
        elif not is_taken:
            yield Change(person, is_in, number, members.get(person))


def _members(snapshot: Snapshot, segment: str, kept: frozenset[str]) -> dict[str, dt.date]:
    """Who is in the segment, but for those who are kept from others, and since when."""
    found: dict[str, dt.date] = {}
    for file in snapshot.files:
        rows = snapshot.arrow([file], ("segment", "person_id", "from_date", "is_current"))
        rows = without(rows.filter(pc.and_(pc.equal(rows["segment"], segment), rows["is_current"])), kept)
        found.update(zip(rows["person_id"].to_pylist(), rows["from_date"].to_pylist(), strict=True))
    return found


def told(lake: Lake, receiver: str, segment: str) -> dict[str, tuple[int, bool, bool]]:
    """What a receiver was told of a segment last."""
    said = ("person_id", "number", "is_in", "is_taken")
    rows = lake.table(NAME).snapshot().arrow(columns=("receiver", "segment", *said))
    rows = rows.filter(pc.and_(pc.equal(rows["receiver"], receiver), pc.equal(rows["segment"], segment)))
    found: dict[str, tuple[int, bool, bool]] = {}
    for person, *last in zip(*(rows[name].to_pylist() for name in said), strict=True):
        number, is_in, is_taken = last  # one number is one change, whether taken or not
        found[person] = max(found.get(person, _NOTHING), (number, is_in, is_taken))
    return found


def _ids_of(lake: Lake, people: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """The ids of people by their type."""
    identities = lake.table(IDENTITIES.name).snapshot()
    wanted, found = pa.array(people, pa.string()), defaultdict[str, dict[str, list[str]]](lambda: defaultdict(list))
    for file in identities.files:
        rows = identities.arrow([file], ("id_type", "id", "person_id"))
        for row in rows.filter(pc.is_in(rows["person_id"], value_set=wanted)).to_pylist():
            found[row["person_id"]][row["id_type"]].append(row["id"])
    return found


def _body(
    segment: str,
    changes: Iterable[tuple[str, Change]],
    ids: Mapping[str, Mapping[str, Sequence[str]]],
    now: dt.datetime,
) -> bytes:
    told_of: list[dict[str, Any]] = [
        {
            "id": id_,
            "change": "entered" if change.is_in else "left",
            "person_id": change.person_id,
            "user_ids": sorted(ids[change.person_id]["user"]),
            "anonymous_ids": sorted(ids[change.person_id]["anonymous"]),
            "since": None if change.since is None else change.since.isoformat(),
        }
        for id_, change in changes
    ]
    data = {"segment": segment, "changes": told_of}
    message = {"type": "segment.changed", "timestamp": now.isoformat(timespec="seconds"), "data": data}
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def _change_id(memory: str, receiver: str, segment: str, change: Change) -> str:
    """The id of a change, as long as the same table remembers: numbers begin again with another one."""
    return "chg_" + _short("\0".join((memory, receiver, segment, change.person_id, str(change.number))))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_CHARACTERS]


def _remember(
    lake: Lake, receiver: str, segment: str, changes: Sequence[Change], now: dt.datetime, *, is_taken: bool
) -> None:
    rows = [
        {
            "receiver": receiver,
            "segment": segment,
            "person_id": change.person_id,
            "number": change.number,
            "is_in": change.is_in,
            "is_taken": is_taken,
            "at": now,
        }
        for change in changes
    ]
    table = lake.table(NAME)
    file = table.stage_arrow(pa.Table.from_pylist(rows, SEGMENT_WEBHOOKS.arrow_schema()), uuid.uuid4().hex, {})

    def commit() -> None:
        base = table.snapshot()
        table.commit(base, base.progress, add=[file])

    retry_on_conflict(commit)


def _settle(lake: Lake, version: str) -> None:
    """Notes of what all know now, and puts many small files together, without what was superseded."""
    table = lake.table(NAME)
    base = table.snapshot()
    add, remove = [], []
    if len(base.files) > _MOST_FILES:
        rows = base.arrow()
        whose = ["receiver", "segment", "person_id"]
        rank = pc.add(pc.multiply(rows["number"], 2), rows["is_taken"].cast(pa.int64()))
        last = rows.append_column("rank", rank).group_by(whose).aggregate([("rank", "max")])
        last = last.rename_columns([*whose, "rank"])
        kept = rows.append_column("rank", rank).join(last, [*whose, "rank"], join_type="inner")
        add, remove = [table.stage_arrow(kept.select(rows.column_names), f"known-{base.version}", {})], [*base.files]
    table.commit(base, replace(base.progress, code=version), add=add, remove=remove)
