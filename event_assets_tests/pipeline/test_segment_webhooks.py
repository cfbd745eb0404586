"""Receivers know who is in a segment, whatever they did not take and whatever was killed in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.contract.tables.identity import IDENTITIES
from event_assets.contract.tables.people import USERS
from event_assets.contract.tables.schema import Table
from event_assets.contract.tables.segments import SEGMENT_MEMBERSHIPS, SEGMENT_WEBHOOKS
from event_assets.lake.lake import Lake
from event_assets.lake.progress import Consumed, Progress
from event_assets.lake.storage import Storage
from event_assets.pipeline import segment_webhooks
from event_assets.pipeline.segment_webhooks import Done, Receiver, is_up_to_date, tell
from event_assets.rules.condition import Step
from event_assets.rules.segment import Did, Segment
from event_assets.rules.segment_files import Segments
from event_assets.webhooks import headers_of
from event_assets_tests.examples import examples
from event_assets_tests.factories import row_of
from event_assets_tests.webhooks.receiving import LOOPBACK, Received, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
DAY = NOW.date()
BUYERS = Segment(name="buyers", who=Did(did=Step(event="buy")), webhooks=["crm"])


class House:
    """A lake with members of segments, and who is told of them."""

    def __init__(self, folder: Path, *segments: Segment) -> None:
        self.lake, self.segments, self.made = Lake(Storage(str(folder))), Segments(segments or (BUYERS,)), 0
        self.put(IDENTITIES, [row_of(IDENTITIES, id_type="user", id=f"u-{p}", person_id=p) for p in "abc"])

    def put(self, spec: Table, rows: list[dict[str, Any]]) -> None:
        """Has a table these rows alone."""
        self.made += 1
        table = self.lake.table(spec.name)
        base = table.snapshot()
        file = table.stage_arrow(pa.Table.from_pylist(rows, spec.arrow_schema()), f"f{self.made}", {})
        progress = Progress(upstreams={"enriched_events": Consumed(self.made)})
        table.commit(base, progress, add=[file] if rows else [], remove=base.files)

    def has(self, *people: str, segment: str = "buyers") -> None:
        """These people are in, and somebody was once."""
        stays = [{"person_id": person, "is_current": True} for person in people]
        rows = [
            row_of(SEGMENT_MEMBERSHIPS, segment=segment, from_date=DAY, **stay)
            for stay in (*stays, {"person_id": "once", "is_current": False})
        ]
        self.put(SEGMENT_MEMBERSHIPS, rows)

    def tell(self, received: Received, pause: Callable[[float], object] = lambda _: None) -> Done:
        return tell(self.lake, self.segments, [crm(received)], lambda: NOW, pause)


def crm(received: Received, name: str = "crm") -> Receiver:
    return Receiver(name, received.url, SECRET, LOOPBACK)


def changes(received: Received) -> list[tuple[str, str]]:
    found = [change for message in received.messages for change in message["data"]["changes"]]
    return [(change["change"], change["person_id"]) for change in found]


def test_a_receiver_is_told_who_entered_and_who_left_signed_and_once(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.has("a", "b")
    with receiving() as received:
        assert house.tell(received) == Done(1, 2, {})
        house.has("b", "c")
        assert house.tell(received) == Done(1, 2, {})
        assert house.tell(received) == Done(0, 0, {})
    assert changes(received) == [("entered", "a"), ("entered", "b"), ("left", "a"), ("entered", "c")]
    first, second = received.messages
    assert first["type"] == "segment.changed" and first["data"]["segment"] == "buyers"
    told = first["data"]["changes"][0]
    assert (told["user_ids"], told["since"]) == (["u-a"], str(DAY)) and second["data"]["changes"][0]["since"] is None
    ids = {change["id"] for message in received.messages for change in message["data"]["changes"]}
    assert len(ids) == 4 and len({headers["webhook-id"] for headers in received.headers}) == 2
    for headers, body in zip(received.headers, received.bodies, strict=True):
        expected = headers_of(SECRET, headers["webhook-id"], round(NOW.timestamp()), body)
        assert {name: headers[name] for name in expected} == expected


def test_what_was_not_taken_waits_and_holds_up_no_other_receiver(tmp_path: Path) -> None:
    both = BUYERS.model_copy(update={"webhooks": ["crm", "mail"]})
    house = House(tmp_path, both)
    house.has("a")
    with receiving(404) as bad, receiving() as good:
        receivers = [crm(bad), crm(good, "mail")]

        def run() -> Done:
            return tell(house.lake, house.segments, receivers, lambda: NOW, lambda _: None)

        done = run()
        assert done.deliveries == 1 and changes(good) == [("entered", "a")]
        assert done.faults == {"crm": "The webhook crm does not take what it is told: it answers 404"}
        assert not is_up_to_date(house.lake, house.segments, receivers)
        house.has("b")  # a is gone before crm took it, which may have heard of it all the same
        assert run().faults == {} and is_up_to_date(house.lake, house.segments, receivers)
        assert changes(bad)[1:] == [("left", "a"), ("entered", "b")]
        assert changes(good)[1:] == [("left", "a"), ("entered", "b")]


def test_a_delivery_that_comes_twice_has_the_ids_of_the_first_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    house.has("a", "b")
    with receiving() as received:
        with killed_after(monkeypatch, 0):
            house.tell(received)
        assert house.tell(received).deliveries == 1
    first, second = received.messages
    assert first["data"] == second["data"]
    assert received.headers[0]["webhook-id"] == received.headers[1]["webhook-id"]


def test_many_changes_are_several_deliveries_and_each_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_webhooks, "_MOST_CHANGES", 2)
    house = House(tmp_path)
    house.has("a", "b", "c")
    with receiving(204, 400) as received:
        assert house.tell(received).changes == 2
        assert house.tell(received) == Done(1, 1, {})
    assert changes(received) == [("entered", p) for p in "abcc"]


def test_a_receiver_that_no_setting_has_is_named_and_a_lost_table_tells_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, BUYERS.model_copy(update={"webhooks": ["crm", "erp"]}))
    house.has("a")
    with receiving() as received:
        assert "names the webhook erp, which EVENT_ASSETS_SEGMENT_WEBHOOKS" in house.tell(received).faults["erp"]
        table = house.lake.table(SEGMENT_MEMBERSHIPS.name)
        base = table.snapshot()
        table.commit(base, Progress(), remove=base.files)
        assert house.tell(received) == Done(0, 0, {})
    assert changes(received) == [("entered", "a")]


def test_many_small_files_are_put_together_and_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_webhooks, "_MOST_FILES", 2)
    house = House(tmp_path)
    with receiving() as received:
        for people in ("a", "", "ab", "b"):
            house.has(*people)
            house.tell(received)
        assert len(house.lake.table(SEGMENT_WEBHOOKS.name).snapshot().files) <= 2
        assert segment_webhooks.told(house.lake, "crm", "buyers") == {"a": (4, False, True), "b": (1, True, True)}
        house.has("a", "b")
        house.tell(received)
    assert changes(received)[-1] == ("entered", "a")


@contextmanager
def killed_after(monkeypatch: pytest.MonkeyPatch, deliveries: int) -> Iterator[None]:
    """A run that is killed once so many deliveries were taken, before they are remembered."""
    remember, left = segment_webhooks._remember, [deliveries]

    def forgetful(*given: Any, is_taken: bool) -> None:
        left[0] -= is_taken
        if left[0] < 0:
            raise KeyboardInterrupt
        remember(*given, is_taken=is_taken)

    with monkeypatch.context() as patched:
        patched.setattr(segment_webhooks, "_remember", forgetful)
        with suppress(KeyboardInterrupt):
            yield


@examples(8)
@given(
    steps=st.lists(
        st.tuples(
            st.sets(st.sampled_from("abc")), st.integers(0, 3), st.lists(st.sampled_from([204, 404]), max_size=3)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_who_applies_each_change_once_knows_who_is_in(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[set[str], int, list[int]]]
) -> None:
    house = House(tmp_path_factory.mktemp("lake"))
    with receiving() as received, pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(segment_webhooks, "_MOST_CHANGES", 1)
        for people, deliveries, statuses in steps:
            house.has(*people)
            received.statuses = list(statuses)
            with killed_after(monkeypatch, deliveries):
                house.tell(received)
        received.statuses = []
        assert house.tell(received).faults == {}
    assert known_to(received) == steps[-1][0]


def known_to(received: Received) -> set[str]:
    """Whom a receiver believes to be in that takes each change once, in their order, those that it said no to, too."""
    seen: dict[str, Mapping[str, Any]] = {}
    for message in received.messages:
        for change in message["data"]["changes"]:
            seen.setdefault(change["id"], change)
    people: set[str] = set()
    for change in seen.values():
        (people.add if change["change"] == "entered" else people.discard)(change["person_id"])
    return people


@pytest.mark.parametrize("purpose", ["marketing", "sell_or_share"])
def test_no_byte_that_a_receiver_gets_names_who_is_kept_from_others_and_who_was_named_has_left(
    tmp_path: Path, purpose: str
) -> None:
    house = House(tmp_path)

    def answer(**said: bool | None) -> None:
        none: dict[str, Any] = {"user_ids": "[]", "anonymous_ids": "[]"}
        none |= {"consent_marketing": None, "consent_sell_or_share": None}
        house.put(USERS, [row_of(USERS, person_id=p, **(none | {f"consent_{purpose}": a})) for p, a in said.items()])

    house.has("person-a", "person-b", "person-c")
    answer(**{"person-a": False, "person-b": None, "person-c": True})
    with receiving() as received:
        assert house.tell(received) == Done(1, 2, {})
        assert house.tell(received) == Done(0, 0, {})
        assert changes(received) == [("entered", "person-b"), ("entered", "person-c")]
        answer(**{"person-a": False, "person-b": None, "person-c": False})
        assert not is_up_to_date(house.lake, house.segments, [crm(received)])
        assert house.tell(received) == Done(1, 1, {})
        assert changes(received)[2:] == [("left", "person-c")]
        answer(**{"person-a": True, "person-b": None, "person-c": False})
        assert b"person-a" not in b"".join(received.bodies)
        house.tell(received)
        assert changes(received)[3:] == [("entered", "person-a")]
