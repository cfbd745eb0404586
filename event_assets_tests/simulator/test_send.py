"""What the simulated SDKs do when the ingest API does not take what they send, over real connections."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Any

import pytest

from event_assets.simulator.batches import Batch, batches
from event_assets.simulator.generate import TimedEvent
from event_assets.simulator.send import SendError, TrafficSender
from event_assets.simulator.truth import Receipt

Answer = tuple[int, dict[str, str], Any] | None
"""Status, headers and JSON of an answer; None drops the connection without one."""


class Api:
    """An ingest API that answers as it is told, then accepts everything. `requests` are the lines of each."""

    def __init__(self, answers: list[Callable[[int], Answer]]) -> None:
        self.answers = answers
        self.requests: list[list[bytes]] = []

    def answer(self, lines: list[bytes]) -> Answer:
        self.requests.append(lines)
        return (self.answers.pop(0) if self.answers else accept)(len(lines))


def accept(count: int) -> Answer:
    return 200, {}, {"results": [{"event_id": None, "status": "accepted"}] * count}


def lose(count: int) -> Answer:
    return None


def throttle(count: int) -> Answer:
    return 429, {"Retry-After": "0"}, {"error": "key_rate"}


def take_the_first(count: int) -> Answer:
    results = [{"status": "accepted"}] + [{"status": "retry", "reason": "stream_unavailable"}] * (count - 1)
    return 503, {}, {"results": results}


@pytest.fixture
def serve() -> Iterator[Callable[[Api], str]]:
    servers: list[ThreadingHTTPServer] = []

    def start(api: Api) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = api.answer(gzip.decompress(body).split(b"\n"))
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                text = json.dumps(content).encode()
                lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(text)}"]
                lines += [f"{name}: {value}" for name, value in headers.items()]
                self.wfile.write("\r\n".join([*lines, "", ""]).encode() + text)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def batch(hour: list[TimedEvent]) -> Batch:
    """Some events of one install without faults."""
    sound = (event for event in hour if event.fault is None)
    return next(batch for batch in batches(sound) if len(batch.events) > 3)


def _send(endpoint: str, batch: Batch) -> list[Receipt]:
    receipts: list[Receipt] = []
    sender = TrafficSender(endpoint, "key", receipts.extend, threads=1)
    sender.send(batch)
    sender.finish()
    return receipts


@pytest.mark.parametrize(
    ("trouble", "maybe_taken"),
    [([], 0), ([throttle], 0), ([lose], 1), ([lose, throttle, lose], 2)],
    ids=["none", "throttled", "lost", "lost, throttled, lost"],
)
def test_a_batch_is_sent_again_with_the_same_ids_until_every_event_has_a_verdict(
    serve: Callable[[Api], str], batch: Batch, trouble: list[Callable[[int], Answer]], maybe_taken: int
) -> None:
    api = Api(list(trouble))
    receipts = _send(serve(api), batch)
    assert [receipt.event.event_id for receipt in receipts] == [event.event_id for event in batch.events]
    assert {(receipt.verdict, receipt.maybe_taken) for receipt in receipts} == {("accepted", maybe_taken)}
    ids = [[json.loads(line)["event_id"] for line in request] for request in api.requests]
    assert ids == [[event.event_id for event in batch.events]] * (len(trouble) + 1)


def test_only_the_events_that_the_stream_did_not_take_are_sent_again(serve: Callable[[Api], str], batch: Batch) -> None:
    api = Api([take_the_first])
    receipts = _send(serve(api), batch)
    assert [receipt.maybe_taken for receipt in receipts] == [0] + [1] * (len(batch.events) - 1)
    assert [len(request) for request in api.requests] == [len(batch.events), len(batch.events) - 1]


def test_every_request_says_anew_when_it_was_sent(serve: Callable[[Api], str], batch: Batch) -> None:
    api = Api([lose])
    _send(serve(api), batch)
    first, second = (json.loads(request[0])["sent_at"] for request in api.requests)
    assert first < second


def test_a_refused_key_ends_the_simulation(serve: Callable[[Api], str], batch: Batch) -> None:
    refuse: Callable[[int], Answer] = lambda count: (401, {}, {"error": "unknown_write_key"})  # noqa: E731
    with pytest.raises(SendError, match=r"401.*unknown_write_key"):
        _send(serve(Api([refuse])), batch)


def test_a_request_that_is_refused_whole_is_a_rejection_of_each_event(
    serve: Callable[[Api], str], batch: Batch
) -> None:
    refuse: Callable[[int], Answer] = lambda count: (413, {}, {"error": "body_too_large"})  # noqa: E731
    receipts = _send(serve(Api([refuse])), batch)
    assert {(receipt.verdict, receipt.reason) for receipt in receipts} == {("rejected", "http_413")}


def test_an_api_that_never_answers_leaves_events_unsent(batch: Batch) -> None:
    receipts: list[Receipt] = []
    sender = TrafficSender("http://127.0.0.1:9", "key", receipts.extend, threads=1, patience=0.0)
    sender.send(batch)
    sender.finish()
    assert {receipt.verdict for receipt in receipts} == {"unsent"}


def test_an_install_keeps_its_order(serve: Callable[[Api], str], hour: list[TimedEvent]) -> None:
    api = Api([])
    sent = list(islice(batches(event for event in hour if event.fault is None), 200))
    sender = TrafficSender(serve(api), "key", lambda receipts: None)
    for each in sent:
        sender.send(each)
    sender.finish()
    for install in {each.install for each in sent}:
        expected = [event.event_id for each in sent if each.install == install for event in each.events]
        ids = {event.event_id for each in sent if each.install == install for event in each.events}
        arrived = [json.loads(line)["event_id"] for request in api.requests for line in request]
        assert [event_id for event_id in arrived if event_id in ids] == expected
