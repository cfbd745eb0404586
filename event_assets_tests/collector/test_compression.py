"""Bodies in parts: any number of members reads as one text, and neither parts nor elements are many for nothing."""

from __future__ import annotations

import gzip
import random
import threading
import tracemalloc
import zlib
from collections.abc import Callable

import httpx
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from event_assets.collector import ingest
from event_assets.collector.bodies import split
from event_assets.collector.compression import unpack
from event_assets.collector.errors import RequestRefused
from event_assets.collector.fast_path import FastPath
from event_assets.collector.limits import MIB, CollectorLimits
from event_assets.collector.validator import Validator
from event_assets_tests.collector.serving import event

LIMITS = CollectorLimits()
SKIPPABLE = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
PACKS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstandard.compress}
texts_of_a_size = st.integers(0, 3_000).map(lambda size: b"ab" * size)
noise = st.integers(0, 20_000).map(lambda size: random.Random(size).randbytes(size))
parts = st.lists(st.binary(max_size=200) | texts_of_a_size | noise, min_size=1, max_size=6)


@pytest.mark.parametrize("encoding", PACKS)
@given(texts=parts, skipped=st.booleans())
def test_members_read_as_one_text(encoding: str, texts: list[bytes], skipped: bool) -> None:
    packed = [PACKS[encoding](text) for text in texts]
    between = SKIPPABLE if skipped and encoding == "zstd" else b""
    assert unpack(between.join(packed), encoding, LIMITS) == b"".join(texts)


@pytest.mark.parametrize("encoding", PACKS)
@given(texts=parts, data=st.data())
def test_a_body_whose_end_is_missing_is_refused_wherever_it_was_cut(
    encoding: str, texts: list[bytes], data: st.DataObject
) -> None:
    packed = [PACKS[encoding](text) for text in texts]
    last = data.draw(st.integers(1, len(packed[-1]) - 1))
    with pytest.raises(RequestRefused) as refused:
        unpack(b"".join(packed)[:-last], encoding, LIMITS)
    assert refused.value.code == "bad_encoding"


@pytest.mark.parametrize(
    ("encoding", "member"),
    [
        ("gzip", gzip.compress(b"", mtime=0)),
        ("zstd", zstandard.ZstdCompressor(write_content_size=False, write_checksum=False).compress(b"")),
        ("zstd", b"\x50\x2a\x4d\x18\0\0\0\0"),
        ("zstd", b"\x5f\x2a\x4d\x18\0\0\0\0"),
    ],
)
def test_a_body_of_empty_members_is_refused_before_any_is_unpacked(
    encoding: str, member: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("unpacked")

    whole = unpack(member * LIMITS.members, encoding, LIMITS)
    monkeypatch.setattr(zlib, "decompressobj", never)
    monkeypatch.setattr(zstandard, "ZstdDecompressor", never)
    for members in (LIMITS.members + 1, MIB // len(member)):
        with pytest.raises(RequestRefused) as refused:
            unpack(member * members, encoding, LIMITS)
        assert (refused.value.status, refused.value.code) == (413, "too_many_members")
    assert whole == b""


@pytest.mark.parametrize("text", [b"[" + b"1," * 5_000_000 + b"1]", b"1" + b"\n" * 5_000_000 + b"1"])
def test_a_text_of_millions_of_elements_or_lines_is_refused_without_making_them(text: bytes) -> None:
    def peak() -> int:
        tracemalloc.start()
        try:
            with pytest.raises(RequestRefused) as refused:
                split(text, LIMITS)
            assert refused.value.code == "too_many_events"
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Other threads of the tests' process are measured with it: the least of a few is its own.
    assert min(peak() for _ in range(5)) < MIB


def test_as_many_elements_as_allowed_are_events_and_one_more_are_not() -> None:
    assert split(b"[" + b",".join([b"1"] * LIMITS.events) + b"]", LIMITS) == [b"1"] * LIMITS.events
    with pytest.raises(RequestRefused):
        split(b"[" + b",".join([b"1"] * (LIMITS.events + 1)) + b"]", LIMITS)


@pytest.mark.parametrize("step", ["unpack", "of_array", "validate"])
def test_others_are_answered_while_a_large_body_is_worked_on(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    place = {"unpack": ingest, "of_array": FastPath, "validate": Validator}[step]
    work = getattr(place, step)

    def slowly(*args: object, **kwargs: object) -> object:
        if threading.current_thread().name.startswith("large-body"):
            begun.set()
            go_on.wait()
        return work(*args, **kwargs)

    monkeypatch.setattr(place, step, slowly)
    many = [event(number, properties={"text": f"{number:03}" * 300}) for number in range(400)]
    content = gzip.compress(httpx.Request("POST", "http://x", json=many).content, 0)
    answers: list[int] = []
    large = threading.Thread(
        target=lambda: answers.append(
            httpx.post(
                f"{client.base_url}/v1/events",
                content=content,
                headers={**client.headers, "content-encoding": "gzip"},
                timeout=60,
            ).status_code
        )
    )
    large.start()
    try:
        assert begun.wait(300)
        assert client.post("/v1/events", json=event(1)).status_code == 200
        assert answers == []
    finally:
        go_on.set()
        large.join()
    assert answers == [200]
