"""Events to measure with: as many as wanted, about 600 bytes each, the same for the same seed.

`python -m benchmarks.data OUT --events 2000000` writes NDJSON, compressed when OUT ends in `.zst`. They look like what
the collector writes: in the order of arrival, `received_at` set, copies among them. Made column by column and put into
templates: a simulator that thinks about each event is too slow for millions. Realism is `event_assets.simulator`'s.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
BLOCK_EVENTS = 50_000
_SECONDS = 86_400
_EVENTS_PER_SESSION = 12
_VIEW, _PING, _SEARCH, _CART, _PURCHASE = range(5)

Ints = npt.NDArray[np.int64]

_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_AGENTS = (
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36",
    b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/%d.6 Safari/605.1.15",
    b"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36",
    b"Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/%d.0",
)
_CAMPAIGNS = (
    b"",
    b"?utm_source=google&utm_medium=cpc&utm_campaign=brand",
    b"?utm_source=newsletter&utm_medium=email",
    b"",
)
_REFERRERS = (
    b"",
    b',"referrer":"https://www.google.com/"',
    b',"referrer":"https://www.plotto.example/p/%d"',
    b',"referrer":"https://blog.friend.example/post/%d?ref=plotto"',
    b"",
)
_LINE = (
    b'{"event_id":"%b","event":"%b",%b"sequence":%d,"occurred_at":"%b%b","sent_at":"%b%b",%b%b"received_at":"%b%b"}\n'
)
_NAMES = (b"page_view", b"page_ping", b"search", b"add_to_cart", b"purchase")
_BODIES = (
    b'"properties":{"page_type":"product","load_ms":842,"lcp_ms":1312.5},',
    b'"scroll":{"y_max":1240},"viewport":{"height":992},"document":{"height":4210},',
    b'"properties":{"query":"wedding","results":31,"scope":"templates"},',
    b'"properties":{"cart_id":"c_47b4c0a536","product_id":"tpl-aurora","quantity":1,"price":49.0,"currency":"EUR"},',
    b'"properties":{"order_id":"o_47b4c0a536","revenue":49.0,"currency":"EUR","items":[{"product_id":"tpl-aurora"}]},',
)


class Written(NamedTuple):
    """What was written: lines, distinct events among them, bytes of NDJSON before compression, seconds it took."""

    lines: int
    distinct: int
    bytes: int
    seconds: float


def event_blocks(
    events: int = 2_000_000, *, seed: int = 7, duplicates: float = 0.02, start: dt.datetime = START
) -> Iterator[bytes]:
    """NDJSON in blocks of up to 50,000 lines: `events` lines of one day, of which the share `duplicates` are copies."""
    plan = _Plan(events, seed, duplicates)
    seconds = _second_texts(start)
    millis = [b".%03dZ" % n for n in range(1000)]
    sessions, views = plan.session_texts(), plan.view_texts()
    for first in range(0, events, BLOCK_EVENTS):
        chosen = plan.order[first : first + BLOCK_EVENTS]
        source = plan.source[chosen]
        happened, received = plan.happened[source], plan.received[chosen]
        sent = received - 40
        columns = (
            _uuid_texts(plan.seed, source, happened),
            plan.kind[source].tolist(),
            plan.session[source].tolist(),
            plan.view[source].tolist(),
            plan.sequence[source].tolist(),
            *(part.tolist() for moment in (happened, sent, received) for part in np.divmod(moment, 1000)),
        )
        yield b"".join(
            [
                _LINE % (
                    event_id, _NAMES[kind], sessions[session], sequence, seconds[a], millis[b], seconds[c], millis[d],
                    views[view], _BODIES[kind], seconds[e], millis[f],
                )
                for event_id, kind, session, view, sequence, a, b, c, d, e, f in zip(*columns, strict=True)
            ]
        )  # fmt: skip


def write_events(path: Path, events: int = 2_000_000, *, seed: int = 7, duplicates: float = 0.02) -> Written:
    """Writes the events to a file, compressed with zstd when its name ends in `.zst`, a block at a time."""
    began = time.perf_counter()
    size = 0
    with path.open("wb") as file, _packed(file, path) as out:
        for block in event_blocks(events, seed=seed, duplicates=duplicates):
            out.write(block)
            size += len(block)
    return Written(events, events - _copies(events, duplicates), size, time.perf_counter() - began)


def _packed(file: BinaryIO, path: Path) -> Any:
    if path.suffix == ".zst":
        return zstandard.ZstdCompressor(level=1).stream_writer(file, closefd=False)
    return io.BufferedWriter(file)


def _copies(events: int, duplicates: float) -> int:
    return int(events * duplicates)


class _Plan:
    """The columns of all events. Times are milliseconds since the start; `order` is that of arrival."""

    def __init__(self, lines: int, seed: int, duplicates: float) -> None:
        self.seed = seed
        rng = np.random.Generator(np.random.PCG64(seed))
        distinct = lines - _copies(lines, duplicates)
        lengths = _session_lengths(rng, distinct)
        self.session: Ints = np.repeat(np.arange(len(lengths)), lengths)
        first = np.cumsum(lengths) - lengths
        self.sequence: Ints = np.arange(distinct) - first[self.session]
        starts = np.sort(rng.integers(0, (_SECONDS - 3600) * 1000, len(lengths)))
        pauses = np.where(rng.random(distinct) < 0.7, 10_000, rng.integers(500, 60_000, distinct))
        pauses[first] = 0
        elapsed = np.cumsum(pauses)
        self.happened: Ints = np.minimum(
            starts[self.session] + elapsed - elapsed[first][self.session], (_SECONDS - 60) * 1000
        )
        draw = rng.random(distinct)
        self.kind: Ints = np.select(
            [draw < 0.28, draw < 0.95, draw < 0.97, draw < 0.99], [_VIEW, _PING, _SEARCH, _CART], _PURCHASE
        )
        self.kind[first] = _VIEW
        self.view: Ints = np.cumsum(self.kind == _VIEW) - 1
        self.visitor: Ints = (rng.pareto(1.2, len(lengths)) * len(lengths) / 40).astype(np.int64) % max(1, len(lengths))
        self._views = int(self.view[-1]) + 1
        again = rng.choice(distinct, lines - distinct, replace=False)
        self.source: Ints = np.concatenate([np.arange(distinct), again])
        arrived = self.happened + rng.integers(60, 900, distinct)
        later = (10 ** rng.uniform(3, 7, len(again))).astype(np.int64)
        self.received: Ints = np.minimum(np.concatenate([arrived, arrived[again] + later]), _SECONDS * 1000 - 1)
        self.order: Ints = np.argsort(self.received, kind="stable")

    def session_texts(self) -> list[bytes]:
        """What all events of a session say. One in four is a phone that keeps no sessions."""
        texts = []
        for session, visitor in enumerate(self.visitor.tolist()):
            anonymous = _id_text(self.seed, visitor)
            known = b'"user_id":"u_%012x",' % visitor if visitor % 3 == 0 else b""
            if visitor % 4:
                own = b'"session_id":"s_%016x","platform":"web",' % (session * 2_654_435_761 & (2**64 - 1))
                agent = _AGENTS[visitor % len(_AGENTS)] % (100 + visitor // 4 % 45)
            else:
                own = b'"platform":"ios",'
                agent = b"Plotto/7.4.1 CFNetwork/3826.600.41 Darwin/24.6.0"
            texts.append(
                b'"anonymous_id":"%b",%b%b"app":{"id":"plotto"},"ip":"91.%d.%d.0",'
                b'"device":{"user_agent":"%b"},' % (anonymous, known, own, visitor // 256 % 256, visitor % 256, agent)
            )
        return texts

    def view_texts(self) -> list[bytes]:
        """What all events of a page view say."""
        return [
            b'"page_view_id":"%b","page":{"url":"https://www.plotto.example/p/%d%b"%b},'
            % (
                _id_text(self.seed ^ 0x5EED, view),
                view % 4_999,
                _CAMPAIGNS[view % len(_CAMPAIGNS)],
                _REFERRERS[view % len(_REFERRERS)].replace(b"%d", b"%d" % (view % 997)),
            )
            for view in range(self._views)
        ]


def _session_lengths(rng: np.random.Generator, events: int) -> Ints:
    lengths = 1 + rng.geometric(1 / _EVENTS_PER_SESSION, size=events // 2 + 1)
    enough = int(np.searchsorted(np.cumsum(lengths), events)) + 1
    lengths = lengths[:enough]
    lengths[-1] -= lengths.sum() - events
    return lengths[lengths > 0]


def _second_texts(start: dt.datetime) -> list[bytes]:
    """Each second of the day, up to the seconds, as RFC 3339."""
    return [(start + dt.timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%S").encode() for n in range(_SECONDS)]


def _id_text(seed: int, number: int) -> bytes:
    bits = (number + 1) * 0x9E3779B97F4A7C15 ^ seed * 0xBF58476D1CE4E5B9
    digits = b"%016x%016x" % (bits & (2**64 - 1), bits * 0x94D049BB133111EB & (2**64 - 1))
    return b"%b-%b-4%b-8%b-%b" % (digits[:8], digits[8:12], digits[13:16], digits[17:20], digits[20:])


def _uuid_texts(seed: int, numbers: Ints, moments: Ints) -> list[bytes]:
    """A version 7 UUID for each event, of its moment and its number, so that copies have the same."""
    time_part = (moments + int(START.timestamp() * 1000)).astype(np.uint64) << np.uint64(16)
    head = time_part | np.uint64(0x7000) | (_mixed(seed, numbers) & np.uint64(0xFFF))
    tail = (_mixed(seed + 1, numbers) >> np.uint64(2)) | np.uint64(1 << 63)
    digits = np.concatenate([_hex_digits(head), _hex_digits(tail)], axis=1)
    text = np.full((len(numbers), 36), ord("-"), dtype=np.uint8)
    text[:, [n for n in range(36) if n not in (8, 13, 18, 23)]] = digits
    joined = text.tobytes()
    return [joined[at : at + 36] for at in range(0, len(joined), 36)]


def _hex_digits(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    pairs = values.astype(">u8").view(np.uint8).reshape(-1, 8)
    return _HEX[np.stack([pairs >> 4, pairs & 15], axis=2).reshape(-1, 16)]


def _mixed(seed: int, numbers: Ints) -> npt.NDArray[np.uint64]:
    """SplitMix64: a random-looking number for each number."""
    value = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed * 0x632BE5AB & (2**64 - 1))
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = value ^ (value >> np.uint64(31))
    return mixed


def main() -> None:
    """Writes a file of events."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--duplicates", type=float, default=0.02)
    arguments = parser.parse_args()
    written = write_events(arguments.out, arguments.events, seed=arguments.seed, duplicates=arguments.duplicates)
    rate = written.lines / written.seconds
    print(f"{written.lines} events, {written.bytes / written.lines:.0f} bytes each, {rate:,.0f} events/s")


if __name__ == "__main__":
    main()
