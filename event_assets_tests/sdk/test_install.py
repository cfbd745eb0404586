"""What is remembered about an install: over restarts, between processes, and where nothing can be written."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from event_assets_sdk import install
from event_assets_sdk.bounds import Bounds
from event_assets_sdk.install import Install
from event_assets_sdk.queue import EventQueue
from event_assets_sdk.report import Report

numbers = itertools.count()


def install_of(path: Path | None, is_one_person: bool = True) -> Install:
    return Install(EventQueue(path, Bounds(10**6, "drop_oldest"), Report()), is_one_person, lambda: f"a{next(numbers)}")


def test_an_anonymous_id_is_made_once_and_shared(tmp_path: Path) -> None:
    first = install_of(tmp_path / "q").person()
    assert first == install_of(tmp_path / "q").person()
    assert first["anonymous_id"]


def test_on_a_server_nothing_is_remembered_about_people(tmp_path: Path) -> None:
    server = install_of(tmp_path / "q", is_one_person=False)
    server.sign_in("u")
    assert server.agree({"analytics": False}) == {"analytics": False}
    assert server.agree({"marketing": True}) == {"marketing": True}
    server.reset()
    assert server.person() == {}


def test_what_another_process_changes_is_seen_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = install_of(tmp_path / "q"), install_of(tmp_path / "q")
    assert not one.opted_out
    other.opt(out=True)
    monkeypatch.setattr(install, "_LOOK_SECONDS", 0.0)
    assert one.refresh()["opted_out"]
    assert one.opted_out
    other.opt(out=False)
    assert not one.opted_out


@pytest.mark.parametrize("place", ["nowhere", "a folder that cannot be made"])
def test_where_nothing_can_be_written_it_is_remembered_for_the_life_of_the_process(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "_LOOK_SECONDS", 0.0)
    (tmp_path / "file").write_text("")
    known = install_of(None if place == "nowhere" else tmp_path / "file" / "q")
    known.sign_in("u")
    known.agree({"analytics": True})
    assert known.person() == known.person()
    assert known.person()["user_id"] == "u" and known.person()["consent"] == {"analytics": True}
    known.opt(out=True)
    assert known.opted_out
    known.opt(out=False)
    assert not known.opted_out


def test_a_choice_that_the_file_could_not_keep_is_not_undone_by_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "_LOOK_SECONDS", 0.0)
    known = install_of(tmp_path / "q")
    known.sign_in("u")
    disk = known._queue._disk
    assert disk is not None
    disk._connect().execute("PRAGMA query_only = ON")
    known.opt(out=True)
    assert known.opted_out and known.person()["user_id"] == "u"
