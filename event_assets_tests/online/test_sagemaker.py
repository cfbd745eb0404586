"""The online table in SageMaker Feature Store: what is written there, and what is left of who is gone."""

from __future__ import annotations

import datetime as dt

import pytest

from event_assets.online import Fact, OnlineError
from event_assets.online.sagemaker import SageMakerTable
from event_assets_tests.online.feature_store import feature_store

NOW = dt.datetime(2026, 3, 31, 12, 30, tzinfo=dt.UTC)


def put(table: SageMakerTable, people: dict[str, str], version: str) -> int:
    facts = [(person, "vip", said) for person, said in people.items()]
    return table.replace([facts], [[("user", person, person) for person in people]], version, NOW)


@pytest.mark.usefixtures("aws_credentials")
def test_who_is_gone_is_deleted_for_good_and_may_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    with feature_store(monkeypatch) as store:
        table = SageMakerTable("people-segments", "us-east-1", waits.append)
        many = {f"p{number}": "a" for number in range(120)}
        assert put(table, many, "1") == 120
        put(table, {"p0": "b"}, "2")
        assert sorted(store.groups["people-segments"]) == ["\x02head", "p0"] and waits == [2.0]
        put(table, {"p0": "b", "p7": "c"}, "3")
        assert table.find(["p7", "p8"]).facts == {"p7": [Fact("vip", "c")], "p8": []}
        assert {each["at"] for each in store.groups["people-segments"].values()} == {"1000000003.0"}


@pytest.mark.usefixtures("aws_credentials")
def test_readers_that_know_an_older_head_see_what_was_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    with feature_store(monkeypatch):
        writer, reader = (SageMakerTable("people-segments", "us-east-1", lambda seconds: None) for _ in range(2))
        put(writer, {"p0": "a"}, "1")
        monkeypatch.setattr("event_assets.online.sagemaker._HEAD_SECONDS", 1e9)
        assert reader.find(["p0"]).facts["p0"] == [Fact("vip", "a")]
        put(writer, {"p0": "b", "p1": "b"}, "2")
        assert reader.find(["p0", "p1"]).facts == {"p0": [Fact("vip", "a")], "p1": []}
        put(writer, {"p0": "c"}, "3")
        assert reader.find(["p0"]).facts["p0"] == [Fact("vip", "c")]  # two newer ones: it looks at the head again


@pytest.mark.usefixtures("aws_credentials")
def test_what_the_service_refuses_is_told_by_operation_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with feature_store(monkeypatch):
        table = SageMakerTable("people-segments", "us-east-1")
        with pytest.raises(OnlineError, match="people-segments cannot be used: batch_get_record: ResourceNotFound"):
            table.find(["p0"])
