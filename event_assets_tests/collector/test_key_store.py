"""Keys in a secret, an object or a table: every machine that names the store sees the same, and none serves less while
it is out of reach."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from event_assets.collector.key_secret import SECRET_BYTES, KeySecret
from event_assets.collector.key_store import KeyStore, KeyStoreError
from event_assets.collector.key_stores import key_store_of
from event_assets.collector.keys import KeyFileError, WriteKeys
from event_assets.settings import Settings, SettingsError, load_settings

REGION = "us-east-1"


class Place:
    """A store on the emulator: its settings, the right that reading takes, and how it goes."""

    def __init__(self, settings: dict[str, Any], right: str, lose: Callable[[], object]) -> None:
        self.settings, self.right, self.lose = settings, right, lose

    def store(self) -> KeyStore:
        store = key_store_of(Settings(aws_region=REGION, **self.settings))
        assert store is not None
        return store

    def machine(self, folder: Path) -> WriteKeys:
        return WriteKeys.of(Settings(home=folder, aws_region=REGION, **self.settings))


def secret(url: str) -> Place:
    client = boto3.client("secretsmanager", endpoint_url=url, region_name=REGION)
    name = f"keys-{uuid.uuid4().hex}"
    client.create_secret(Name=name, SecretString='{"keys":[]}')

    def lose() -> None:
        client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    return Place({"keys_secret": name}, "secretsmanager:GetSecretValue", lose)


def bucket(url: str) -> Place:
    client = boto3.client("s3", endpoint_url=url, region_name=REGION)
    name = f"keys-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)

    def lose() -> None:
        for each in client.list_objects_v2(Bucket=name).get("Contents", ()):
            client.delete_object(Bucket=name, Key=each["Key"])
        client.delete_bucket(Bucket=name)

    return Place({"keys_url": f"s3://{name}/of/keys.json", "s3_endpoint_url": url}, "s3:GetObject", lose)


def table(url: str) -> Place:
    client = boto3.client("dynamodb", endpoint_url=url, region_name=REGION)
    name = f"keys-{uuid.uuid4().hex}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Place({"keys_url": f"dynamodb://{name}"}, "dynamodb:Scan", lambda: client.delete_table(TableName=name))


@pytest.fixture
def emulator(s3_emulator: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for service in ("SECRETS_MANAGER", "DYNAMODB"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", s3_emulator)
    return s3_emulator


@pytest.fixture(params=[secret, bucket, table], ids=lambda make: make.__name__)
def place(request: pytest.FixtureRequest, emulator: str) -> Place:
    made: Place = request.param(emulator)
    return made


def test_a_key_that_one_machine_makes_is_taken_by_another(tmp_path: Path, place: Place) -> None:
    key = place.machine(tmp_path / "here").create("site", "web")
    found = place.machine(tmp_path / "there").find(key)
    assert found is not None and found.name == "site"
    assert (tmp_path / "there" / "keys.json").stat().st_mode & 0o077 == 0


def test_a_store_without_a_key_lets_nobody_in_and_has_no_fault(tmp_path: Path, place: Place) -> None:
    keys = place.machine(tmp_path)
    assert keys.sources() == [] and keys.find("ea_0123456789ab_0") is None and keys.fault is None


def test_a_key_is_made_beside_those_that_others_made_and_is_revoked_once(tmp_path: Path, place: Place) -> None:
    here, there = place.machine(tmp_path / "here"), place.machine(tmp_path / "there")
    first, second = here.create("one", "web"), there.create("two", "ios", allowed_origins=("https://a.example",))
    assert here.revoke(first) and not here.revoke(first) and not here.revoke("nobody")
    third = place.machine(tmp_path / "third")
    assert third.find(first) is None and third.find(second) is not None
    assert [source.name for source in third.sources()] == ["one", "two"]
    assert third.allows_origin("https://a.example")


def test_a_machine_that_never_read_the_store_says_why_it_takes_nothing(tmp_path: Path, place: Place) -> None:
    place.lose()
    keys = place.machine(tmp_path)
    keys.look()
    assert keys.fault is not None and place.right in keys.fault and not keys.were_read


def test_a_store_that_is_gone_leaves_the_keys_that_were_read(tmp_path: Path, place: Place) -> None:
    key = place.machine(tmp_path / "here").create("site", "web")
    keys = place.machine(tmp_path / "there")
    assert keys.find(key) is not None and keys._copy is not None
    place.lose()
    keys._copy._next = keys._next_look = 0.0  # half a minute later
    assert keys.find(key) is not None and keys.fault is None


def test_a_key_that_is_revoked_elsewhere_is_refused_once_the_copy_was_refreshed(tmp_path: Path, place: Place) -> None:
    here, there = place.machine(tmp_path / "here"), place.machine(tmp_path / "there")
    key = here.create("site", "web")
    assert there.find(key) is not None and there._copy is not None
    here.revoke(key)
    assert there.find(key) is not None, "it asks no store at every request"
    there._copy._next = 0.0
    while there.find(key) is not None:
        there._next_look = 0.0


def test_a_key_that_the_store_does_not_take_is_made_nowhere(tmp_path: Path, place: Place) -> None:
    place.lose()
    with pytest.raises(KeyFileError, match=place.right):
        place.machine(tmp_path).create("site", "web")
    assert not (tmp_path / "keys.json").exists()


@pytest.mark.parametrize("make", [bucket, table], ids=lambda make: make.__name__)
def test_of_many_who_make_keys_at_once_none_loses_its_own(
    make: Callable[[str], Place], emulator: str, tmp_path: Path
) -> None:
    place, made = make(emulator), []

    def work(number: int) -> None:
        for key in range(3):
            made.append(place.machine(tmp_path / str(number)).create(f"{number}-{key}", "web"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = place.machine(tmp_path / "all")
    assert len(made) == 12 and all(keys.find(key) for key in made)


def test_a_table_that_is_read_in_pages_is_read_whole(emulator: str, tmp_path: Path) -> None:
    place = table(emulator)
    long = tuple(f"https://{number}.{'x' * 200}.example" for number in range(1_500))
    keys = [place.machine(tmp_path / "here").create(str(n), "web", allowed_origins=long) for n in range(5)]
    there = place.machine(tmp_path / "there")
    assert len((tmp_path / "here" / "keys.json").read_bytes()) > 1_000_000, "more than a page holds"
    assert all(there.find(key) for key in keys)


def test_more_than_a_secret_holds_is_refused_with_the_way_out(emulator: str) -> None:
    store = secret(emulator).store()
    assert isinstance(store, KeySecret)
    with pytest.raises(KeyStoreError, match="EVENT_ASSETS_KEYS_URL"):
        store.change(lambda before: b"x" * (SECRET_BYTES + 1))


@pytest.mark.parametrize("url", ["s3://bucket", "s3:///key", "dynamodb://a b", "https://keys.example/keys.json"])
def test_an_address_that_can_be_no_store_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="KEYS_URL"):
        load_settings(keys_url=url)


def test_keys_are_in_one_place() -> None:
    with pytest.raises(SettingsError, match="exclude each other"):
        load_settings(keys_url="dynamodb://keys", keys_secret="keys")
    assert key_store_of(Settings()) is None
