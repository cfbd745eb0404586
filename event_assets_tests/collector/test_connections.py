"""Connections of strangers: bounded in number, time, bytes and headers before anything is known of who they are."""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_assets.collector import WriteKeys
from event_assets.collector.limits import MIB, CollectorLimits
from event_assets.collector.logs import OncePerSecond
from event_assets.settings import Settings, load_settings
from event_assets.streams import EventStream
from event_assets_tests.collector.serving import event, serving, written

LIMITS = CollectorLimits(ip_requests_per_second=0)
HEAD = b"GET /v1/health HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def hasty(settings: Settings, stream: EventStream, keys: WriteKeys) -> Iterator[httpx.Client]:
    """A collector of little patience."""
    limits = replace(LIMITS, head_seconds=1.0, keep_alive_seconds=1.0)
    with serving(settings, stream, keys, limits) as client:
        yield client


def connected(client: httpx.Client) -> socket.socket:
    return socket.create_connection((client.base_url.host, client.base_url.port or 0), timeout=60)


def answer_of(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65_536):
            received += part
    return received


def asked(client: httpx.Client, *parts: bytes) -> bytes:
    with connected(client) as connection:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
        return answer_of(connection)


def test_endless_headers_end_the_connection_after_a_few_kilobytes(client: httpx.Client) -> None:
    sent = 0
    with connected(client) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(HEAD)
        while sent < 600 * MIB:
            connection.sendall(b"X-Long: " + b"a" * 65_000 + b"\r\n")
            sent += 65_000
    assert sent < 20 * MIB  # what the kernel holds between the two
    assert 'code="head_too_large"' in client.get("/metrics").text


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"".join(b"X-%d: 1\r\n" % number for number in range(10_000)) + b"\r\n",
        HEAD + b"".join(b"X-%d: 1\r\n" % number for number in range(LIMITS.headers)) + b"\r\n",
        HEAD + b"X-Long: " + b"a" * LIMITS.head_bytes + b"\r\n\r\n",
        b"GET /v1/health?" + b"a" * LIMITS.head_bytes + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_a_head_that_is_too_large_is_refused_at_once(client: httpx.Client, head: bytes) -> None:
    assert asked(client, head).startswith(b"HTTP/1.1 431 ")


def test_as_many_headers_as_allowed_are_read(client: httpx.Client) -> None:
    headers = b"".join(b"X-%d: 1\r\n" % number for number in range(LIMITS.headers - 2))
    assert asked(client, HEAD + headers + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("line", [b"GET /v1/health\r\n\r\n", b"GET /v1/health HTTP/0.9\r\n\r\n"])
def test_http_0_9_is_not_spoken(client: httpx.Client, line: bytes) -> None:
    answer = asked(client, line)
    assert answer.startswith((b"HTTP/1.1 505 ", b"HTTP/1.1 400 "))
    assert b'"status"' not in answer


@pytest.mark.parametrize("begun", [b"", b"POST /v1/ev", HEAD, HEAD + b"X-Slow: 1"])
def test_a_connection_that_says_no_whole_request_is_ended(hasty: httpx.Client, begun: bytes) -> None:
    answer = asked(hasty, begun)
    assert answer == b"" if not begun else answer.startswith(b"HTTP/1.1 408 ")


def test_a_byte_now_and_then_buys_no_time(settings: Settings, stream: EventStream, keys: WriteKeys) -> None:
    limits = replace(LIMITS, head_seconds=1.5)  # which more than one look of the collector's lies within
    with serving(settings, stream, keys, limits) as client, connected(client) as connection:
        connection.sendall(HEAD + b"X-Slow: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(1_200):
                connection.sendall(b"a")
                time.sleep(0.05)
            raise AssertionError("it goes on")


def test_an_idle_connection_is_ended_after_its_last_answer(hasty: httpx.Client) -> None:
    assert asked(hasty, HEAD + b"\r\n").count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("proxies", "held"), [("", 10), ("127.0.0.0/8", 20), ("*", 20), ("proxy.example, 127.0.0.1", 20)]
)
def test_connections_are_counted_by_address_and_in_all_and_those_that_end_make_room(
    settings: Settings, stream: EventStream, keys: WriteKeys, proxies: str, held: int
) -> None:
    limits = replace(LIMITS, head_seconds=600.0, connections=20, ip_connections=10)
    strict = load_settings(home=settings.home, collector_ip_rate=0, collector_proxies=proxies)
    with serving(strict, stream, keys, limits) as client:
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(connected(client)) for _ in range(held + 3)]
            for refused in connections[held:]:
                assert answer_of(refused).startswith(b"HTTP/1.1 503 ")
            connections[0].sendall(HEAD + b"Connection: close\r\n\r\n")
            assert answer_of(connections[0]).startswith(b"HTTP/1.1 200 ")
        while not _is_let_in(client):
            time.sleep(0.02)


def _is_let_in(client: httpx.Client) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return client.get("/v1/health").status_code == 200
    return False


def test_requests_that_do_not_wait_for_answers_do_not_pile_up(client: httpx.Client) -> None:
    answer = asked(client, (HEAD + b"\r\n") * 20_000)
    assert answer.count(b"HTTP/1.1 200 ") <= LIMITS.pipelined + 1
    assert b"too_many_pipelined" in client.get("/metrics").content


def test_a_few_requests_may_be_sent_before_the_first_answer(client: httpx.Client) -> None:
    last = HEAD + b"Connection: close\r\n\r\n"
    assert asked(client, (HEAD + b"\r\n") * 9 + last).count(b"HTTP/1.1 200 ") == 10


def test_the_rest_of_a_body_that_was_refused_has_an_end(client: httpx.Client) -> None:
    head = (
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    sent = 0
    with connected(client) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(head)
        while sent < 600 * MIB:
            connection.sendall(b"10000\r\n" + b"a" * 65_536 + b"\r\n")
            sent += 65_536
    assert sent < 20 * MIB


def test_what_follows_a_body_is_no_header(client: httpx.Client, key: str, stream: EventStream) -> None:
    text = httpx.Request("POST", "http://x", json=event(1)).content
    body = b"%x\r\n%s\r\n0\r\n" % (len(text), text)
    head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
    trailer = b"X-Write-Key: " + key.encode() + b"\r\n\r\n"
    assert asked(client, head + b"\r\n" + body + trailer).startswith(b"HTTP/1.1 401 ")
    assert written(stream) == []
    assert asked(client, head + trailer + body + b"X-Trailer: 1\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@given(data=st.data())
def test_a_request_is_the_same_however_it_is_cut(data: st.DataObject, cut_client: tuple[httpx.Client, str]) -> None:
    client, key = cut_client
    text = httpx.Request("POST", "http://x", json=[event(1), event(2)]).content
    request = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nX-Write-Key: %s\r\nContent-Length: %d\r\n" % (
        key.encode(),
        len(text),
    )
    whole = request + b"\r\n" + text + request + b"Connection: close\r\n\r\n" + text
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    answer = asked(client, *parts)
    assert answer.count(b"HTTP/1.1 200 OK") == 2 and answer.count(b'"accepted":2') == 2


@pytest.fixture(scope="module")
def cut_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str]]:
    settings = load_settings(home=tmp_path_factory.mktemp("home"), collector_ip_rate=0)
    key = WriteKeys.of(settings).create("site", "web")
    with serving(settings) as client:
        yield client, key


def test_a_warning_that_repeats_is_logged_once_a_second_and_errors_always() -> None:
    now = [0.0]
    seldom = OncePerSecond(lambda: now[0])

    def passes(level: int, code: str) -> bool:
        return seldom.filter(logging.makeLogRecord({"name": "n", "msg": "refused", "levelno": level, "code": code}))

    assert [passes(logging.WARNING, "a") for _ in range(3)] == [True, False, False]
    assert passes(logging.WARNING, "b") and passes(logging.ERROR, "a") and passes(logging.ERROR, "a")
    now[0] = 1.0
    assert passes(logging.WARNING, "a")
