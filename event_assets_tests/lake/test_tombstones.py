"""Who was erased is told by hashes, until the time of the request, and never by another key."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from event_assets.contract.erasure import Owner
from event_assets.enrichment.pseudonyms import Pseudonyms
from event_assets.lake.storage import Storage
from event_assets.lake.tombstones import ErasureRules, WrongPrivacyKey, read_tombstones, write_tombstones

THEN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
BEFORE, AFTER = THEN - dt.timedelta(days=1), THEN + dt.timedelta(days=1)
RULES = ErasureRules(b"a key of this test")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(str(tmp_path))
    write_tombstones(storage, RULES, "one", THEN, ["user-1"], ["device-1"])
    return storage


@pytest.mark.parametrize(
    ("owner", "is_erased"),
    [
        (Owner("user-1", None, BEFORE), True),
        (Owner("user-1", "another", THEN), True),
        (Owner("user-1", None, AFTER), False),
        (Owner(None, "device-1", BEFORE), True),
        (Owner("user-2", "device-1", BEFORE), False),
        (Owner("device-1", None, BEFORE), False),
        (Owner(None, "user-1", BEFORE), False),
        (Owner(None, None, BEFORE), False),
    ],
)
def test_a_users_events_go_on_any_device_and_a_devices_where_no_user_is_named(
    storage: Storage, owner: Owner, is_erased: bool
) -> None:
    assert read_tombstones(storage, RULES).is_erased(owner) == is_erased


def test_a_second_request_reaches_as_far_as_it_was_made(storage: Storage) -> None:
    write_tombstones(storage, RULES, "two", AFTER, ["user-1"], [])
    erased = read_tombstones(storage, RULES)
    assert erased.is_erased(Owner("user-1", None, AFTER))
    assert not erased.is_erased(Owner(None, "device-1", AFTER))


def test_a_file_is_read_once_and_again_when_it_was_written_anew(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    original = Storage.read

    def noted(self: Storage, relative: str) -> bytes:
        read.append(relative)
        return original(self, relative)

    monkeypatch.setattr(Storage, "read", noted)
    assert all(read_tombstones(storage, RULES) for _ in range(3)) and len(read) == 1
    write_tombstones(storage, RULES, "two", THEN, ["user-2"], [])
    write_tombstones(storage, RULES, "one", AFTER, ["user-1", "user-3"], [])
    erased = read_tombstones(storage, RULES)
    assert [erased.is_erased(Owner(f"user-{n}", None, AFTER)) for n in (1, 2, 3)] == [True, False, True]
    assert len(read) == 3 and not read_tombstones(Storage(f"{storage.url}-other"), RULES)


def test_nothing_that_is_kept_names_anybody(storage: Storage, tmp_path: Path) -> None:
    [kept] = (tmp_path / "privacy" / "tombstones").iterdir()
    assert b"user-1" not in kept.read_bytes()
    assert b"device-1" not in kept.read_bytes()


@pytest.mark.parametrize("key", [b"", b"another key"])
def test_without_the_key_nothing_is_taken_for_somebody_elses(storage: Storage, key: bytes) -> None:
    with pytest.raises(WrongPrivacyKey, match="EVENT_ASSETS_PRIVACY_KEY"):
        read_tombstones(storage, ErasureRules(key))


def test_whoever_has_a_pseudonym_in_the_tables_is_told_by_the_id_that_arrives(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path))
    rules = ErasureRules(b"a key of this test", pseudonyms=Pseudonyms(("user_id",), (b"pii",)))
    write_tombstones(storage, rules, "one", THEN, [rules.known_as("user-1")], [])
    assert read_tombstones(storage, rules).is_erased(Owner("user-1", None, BEFORE))
    rotated = ErasureRules(b"a key of this test", pseudonyms=Pseudonyms(("user_id",), (b"pii", b"next")))
    assert read_tombstones(storage, rotated).is_erased(Owner("user-1", None, BEFORE))
    assert not read_tombstones(storage, rotated).is_erased(Owner("user-2", None, BEFORE))
