"""The online table, in SQLite, PostgreSQL, DynamoDB and SageMaker: what is put in is found by every id, or not at
all."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from pydantic import SecretStr

from event_assets.online import Fact, OnlineError, OnlineTable, open_online
from event_assets.settings import Settings
from event_assets_tests.examples import examples
from event_assets_tests.online.feature_store import feature_store
from event_assets_tests.postgres import new_database

NOW = dt.datetime(2026, 3, 31, 12, 30, tzinfo=dt.UTC)
DAY = "2026-03-01"


@pytest.fixture(params=["sqlite", "postgres", "dynamodb", "sagemaker"])
def online(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OnlineTable]:
    if request.param == "dynamodb":
        request.getfixturevalue("aws_credentials")
        with mock_aws():
            table = open_online(Settings(segments_online_url=SecretStr("dynamodb://segments")))
            yield table
            table.close()
        return
    if request.param == "sagemaker":
        request.getfixturevalue("aws_credentials")
        with feature_store(request.getfixturevalue("monkeypatch")):
            table = open_online(Settings(segments_online_url=SecretStr("sagemaker://people")))
            yield table
            table.close()
        return
    url = new_database(request.getfixturevalue("postgres_url")) if request.param == "postgres" else None
    table = open_online(Settings(home=tmp_path, segments_online_url=url))
    yield table
    table.close()


def test_before_it_is_made_it_is_of_nothing_and_says_that_it_cannot_be_read(online: OnlineTable) -> None:
    assert online.version() == ""
    with pytest.raises(OnlineError):
        online.find(["u"])


def test_segments_are_found_by_every_id_and_a_user_id_comes_before_an_anonymous_one(online: OnlineTable) -> None:
    members = [[("ann", "vip", DAY), ("ann", "buyers", DAY)], [("bob", "new", DAY), ("bob", "vip", DAY)]]
    ids = [
        [("user", "ann", "ann"), ("anonymous", "d1", "ann"), ("anonymous", "bob", "ann"), ("user", "bob", "bob")],
        [("user", "eve", "eve"), ("anonymous", "it's \"%_\\ ä😀", "bob")],
    ]
    assert online.replace(members, ids, "1", NOW) == 5  # nobody asks for eve, who is in none
    found = online.find(["d1", "bob", "eve", "nobody", "it's \"%_\\ ä😀", "%", ""])
    ann, bob = [Fact("buyers", DAY), Fact("vip", DAY)], [Fact("new", DAY), Fact("vip", DAY)]
    assert {id_: list(stays) for id_, stays in found.facts.items()} == {
        "d1": ann, "bob": bob, "eve": [], "nobody": [], "it's \"%_\\ ä😀": bob, "%": [], "": [],
    }  # fmt: skip
    assert (found.made_at, online.version()) == (NOW, "1")


def test_what_is_put_in_takes_the_place_of_all_that_was_there_also_for_who_had_it_open(online: OnlineTable) -> None:
    online.replace([[("ann", "vip", DAY)]], [[("user", "ann", "ann")]], "1", NOW)
    assert online.find(["ann"]).facts["ann"] == [Fact("vip", DAY)]
    online.replace([[("ann", "new", DAY)]], [[("user", "ann", "ann")]], "2", NOW)
    assert online.find(["ann"]).facts["ann"] == [Fact("new", DAY)]
    online.replace([], [], "3", NOW)
    assert (online.find(["ann"]).facts, online.version()) == ({"ann": []}, "3")


def test_what_fails_on_the_way_leaves_the_table_as_it_was(online: OnlineTable, tmp_path: Path) -> None:
    def breaking() -> Iterator[list[tuple[str, str, str]]]:
        yield [("user", "ann", "ann")]
        raise RuntimeError("the lake is gone")

    online.replace([[("ann", "vip", DAY)]], [[("user", "ann", "ann")]], "1", NOW)
    with pytest.raises(RuntimeError, match="the lake is gone"):
        online.replace([[("ann", "new", DAY)]], breaking(), "2", NOW)
    assert (online.version(), online.find(["ann"]).facts["ann"]) == ("1", [Fact("vip", DAY)])
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.slow
def test_readers_see_the_table_as_it_was_or_as_it_is(online: OnlineTable) -> None:
    """Two people are in the same segments whatever is published meanwhile."""
    wrong: list[object] = []
    ends = threading.Event()

    def publish(number: int) -> None:
        both = [(person, f"s{number}", DAY) for person in ("ann", "bob")]
        online.replace([both], [[("user", "ann", "ann"), ("user", "bob", "bob")]], str(number), NOW)

    def ask() -> None:
        while not ends.is_set():
            try:
                stays = online.find(["ann", "bob"]).facts
                if stays["ann"] != stays["bob"] or len(stays["ann"]) != 1:
                    wrong.append(stays)
            except Exception as error:
                wrong.append(error)
        online.close()

    publish(0)
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 20):
        publish(number)
    ends.set()
    for thread in threads:
        thread.join()
    assert wrong == []


_NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=5)


@examples(20)
@given(
    members=st.sets(st.tuples(_NAMES, _NAMES)),
    ids=st.dictionaries(st.tuples(st.sampled_from(["anonymous", "user"]), _NAMES), _NAMES),
)
def test_any_members_are_found_as_the_definition_says(
    members: set[tuple[str, str]], ids: dict[tuple[str, str], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    online = open_online(Settings(home=tmp_path_factory.mktemp("home")))
    rows = [(id_type, id_, person) for (id_type, id_), person in ids.items()]
    online.replace([[(person, segment, DAY) for person, segment in members]], [rows], "1", NOW)
    asked = sorted({id_ for _, id_ in ids})
    for id_, stays in online.find(asked).facts.items():
        people = [person for person, _ in members]
        told = [ids.get((id_type, id_)) for id_type in ("user", "anonymous")]
        person = next((each for each in told if each in people), None)
        assert {stay.name for stay in stays} == {segment for each, segment in members if each == person}
    online.close()
