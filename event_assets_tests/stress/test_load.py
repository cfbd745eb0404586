"""The load counts what it is answered, over real connections to an API that answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from event_assets.stress.bodies import BATCH
from event_assets.stress.load import Senders, Tally, connections_for

Answer = tuple[int, dict[str, Any]] | None
ACCEPTED = {"accepted": BATCH, "rejected": 0, "results": [{"status": "accepted"}] * BATCH}


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[int], Answer]], str]]:
    """Starts an API; it is given the number of the request and gives status and JSON, or None to hang up."""
    servers = []

    def start(answer: Callable[[int], Answer]) -> str:
        count = iter(range(1_000_000))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                given = answer(next(count))
                if given is None:
                    self.close_connection = True
                    return
                body = json.dumps(given[1], separators=(",", ":")).encode()
                self.send_response(given[0])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def send(url: str, rate: float = 2_000.0, seconds: float = 0.5) -> Tally:
    with Senders(url, "key", [b"[@@@@@@@@@@]"], processes=2, connections=2) as senders:
        return senders.send(rate, seconds)


def test_an_api_that_takes_everything_is_offered_the_rate_and_no_more(serve: Any) -> None:
    tally = send(serve(lambda number: (200, ACCEPTED)))
    assert 0 < tally.sent <= 2_000 * 0.5 + 4 * BATCH
    assert tally.acknowledged == tally.sent
    assert len(tally.latencies) * BATCH == tally.sent
    assert tally.cpu > 0


def test_every_event_is_acknowledged_refused_by_reason_or_unanswered(serve: Any) -> None:
    mixed = (
        [{"status": "accepted"}] * 30 + [{"status": "rejected", "reason": "too_large"}] * 15 + [{"status": "retry"}] * 5
    )
    answers: list[Answer] = [
        (200, ACCEPTED),
        (503, {"results": mixed}),
        (429, {"error": "key_rate"}),
        None,
    ]
    tally = send(serve(lambda number: answers[number % 4]))
    assert tally.sent == tally.acknowledged + tally.refused.total() + tally.unanswered
    assert set(tally.refused) == {"too_large", "retry", "http_429"}
    assert tally.refused["too_large"] == 3 * tally.refused["retry"]
    assert tally.unanswered > 0 and tally.unanswered % BATCH == 0


def test_an_api_that_is_not_there_leaves_everything_unanswered() -> None:
    tally = send("http://127.0.0.1:9", seconds=0.2)
    assert tally.sent == tally.unanswered > 0


def test_there_are_connections_enough_while_answers_come_within_a_quarter_of_a_second() -> None:
    assert connections_for(100, 256) == 8
    assert connections_for(20_000, 256) == 100
    assert connections_for(1_000_000, 256) == 256
    assert connections_for(1_000_000, 4) == 4
