"""In DynamoDB only what changes is written, and a publication that broke off is neither seen nor in the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from event_assets.online import Fact, OnlineError
from event_assets.online.dynamodb import DynamoTable
from event_assets_tests.examples import examples

NOW = dt.datetime(2026, 3, 31, 12, 30, tzinfo=dt.UTC)
DAY = "2026-03-01"


class Place:
    """A table that counts what is written, and may break off."""

    def __init__(self, name: str) -> None:
        self.table, self.written, self.breaks_after = DynamoTable(name, "us-east-1", lambda _: None), 0, 10**9
        ask = self.table._ask

        def counting(operation: str, **request: Any) -> Any:
            if operation == "batch_write_item":
                if self.breaks_after == 0:
                    raise OnlineError("broken off")
                self.breaks_after -= 1
                self.written += sum(map(len, request["RequestItems"].values()))
            return ask(operation, **request)

        self.table._ask = counting  # type: ignore[method-assign]

    def publish(self, segments: dict[str, set[str]], version: str = "1") -> int:
        members = [(person, segment, DAY) for person, names in segments.items() for segment in names]
        return self.table.replace([members], [[("user", person, person) for person in segments]], version, NOW)

    def found(self, *people: str) -> dict[str, set[str]]:
        return {id_: {stay.name for stay in stays} for id_, stays in self.table.find(people).facts.items()}


@pytest.fixture
def place(aws_credentials: None) -> Iterator[Place]:
    with mock_aws():
        yield Place("segments")


def test_only_what_changes_is_written_and_who_is_gone_leaves_nothing(place: Place) -> None:
    assert place.publish({"ann": {"vip"}, "bob": {"new"}, "eve": {"vip"}}) == 3
    place.written = 0
    place.publish({"ann": {"vip"}, "bob": {"vip"}, "eve": {"vip"}})
    assert place.written == 1
    place.publish({"ann": {"vip"}, "bob": {"vip"}})
    left = boto3.client("dynamodb", region_name="us-east-1").scan(TableName="segments")["Items"]
    assert sorted(item["pk"]["S"] for item in left) == ["head", "i/ann", "i/bob"]
    assert place.found("eve", "bob") == {"eve": set(), "bob": {"vip"}}


def test_publications_take_turns(place: Place) -> None:
    place.publish({"ann": {"vip"}})
    place.table._lease()
    with pytest.raises(OnlineError, match="ConditionalCheckFailed"):
        place.publish({"ann": {"new"}})
    assert place.found("ann") == {"ann": {"vip"}}


def test_more_ids_than_a_request_takes_are_found(place: Place) -> None:
    people = {f"p{n}": {f"s{n % 3}"} for n in range(230)}
    place.publish(people)
    assert place.found(*people) == people
    assert place.table.find(["p0"]).facts["p0"] == [Fact("s0", DAY)]


_PEOPLE = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]), st.sets(st.sampled_from("xyz"), min_size=1), max_size=4
)


@pytest.mark.slow
@examples(15)
@given(st.lists(st.tuples(_PEOPLE, st.sampled_from([0, 1, 99])), min_size=1, max_size=6))
def test_what_is_found_is_what_was_published_last_whatever_broke_off(
    aws_credentials: None, publications: list[tuple[dict[str, set[str]], int]]
) -> None:
    with mock_aws():
        place, holds = Place("segments"), dict[str, set[str]]()
        place.publish({})
        for people, breaks_after in publications:
            place.breaks_after = breaks_after
            try:
                place.publish(people)
            except OnlineError:
                if not _is_published(place, people, holds):
                    people = holds
            holds = people
            place.breaks_after = 10**9
            assert place.found("a", "b", "c", "d") == {name: holds.get(name, set()) for name in "abcd"}


def _is_published(place: Place, people: dict[str, set[str]], before: dict[str, set[str]]) -> bool:
    """Whether it broke off after it was published, when it took away what nobody looks at any more."""
    found = place.found("a", "b", "c", "d")
    assert found in [{name: of.get(name, set()) for name in "abcd"} for of in (people, before)]
    return found == {name: people.get(name, set()) for name in "abcd"}
