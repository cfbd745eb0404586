"""The embedded engine finds in its environment what it needs, and what its owner has set there stays."""

from __future__ import annotations

import os

import pytest

from event_assets.stack.engine import open_engine


@pytest.fixture(autouse=True)
def _environment_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUST_LOG", "MIMALLOC_PURGE_DELAY", "AWS_REGION"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_the_lakes_place_is_set_and_freed_memory_is_given_back() -> None:
    open_engine({"AWS_REGION": "eu-west-1"}, "error")
    names = ("AWS_REGION", "RUST_LOG", "MIMALLOC_PURGE_DELAY")
    assert [os.environ[name] for name in names] == ["eu-west-1", "error", "0"]


def test_what_is_set_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIMALLOC_PURGE_DELAY", "1000")
    monkeypatch.setenv("RUST_LOG", "debug")
    open_engine({}, "error")
    assert os.environ["MIMALLOC_PURGE_DELAY"] == "1000"
    assert os.environ["RUST_LOG"] == "debug"


def test_an_engine_that_is_started_has_an_address() -> None:
    engine = open_engine({}, "error")
    engine.start(background=True)
    try:
        assert engine.listening_address[1] > 0
    finally:
        engine.stop()
